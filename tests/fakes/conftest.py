"""The running Rillet fake: started once for a test process, renewed for each test."""

from collections.abc import Iterator

import pytest

from tests.fakes.rillet.oauth_support import Browser
from tests.fakes.rillet.support import Rillet


@pytest.fixture(scope="session")
def running_rillet() -> Iterator[Rillet]:
    with Rillet() as rillet:
        yield rillet


@pytest.fixture
def browser(running_rillet: Rillet) -> Browser:
    return Browser(running_rillet.renew())
