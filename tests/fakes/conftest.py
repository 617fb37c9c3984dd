"""Both fakes as fixtures: started once for a test process, reset for each test."""

from collections.abc import Iterator

import pytest

from tests.fakes.rillet.oauth_support import Browser
from tests.fakes.rillet.support import Rillet
from tests.fakes.solvimon.support import Solvimon
from tests.fakes.support import Receiver


@pytest.fixture(scope="session")
def running_rillet() -> Iterator[Rillet]:
    with Rillet() as rillet:
        yield rillet


@pytest.fixture
def rillet(running_rillet: Rillet) -> Rillet:
    return running_rillet.reset()


@pytest.fixture
def browser(rillet: Rillet) -> Browser:
    return Browser(rillet)


@pytest.fixture(scope="session")
def running_solvimon() -> Iterator[Solvimon]:
    with Solvimon() as solvimon:
        yield solvimon


@pytest.fixture
def solvimon(running_solvimon: Solvimon) -> Solvimon:
    return running_solvimon.reset()


@pytest.fixture(params=["rillet", "solvimon"])
def fake(request: pytest.FixtureRequest) -> Rillet | Solvimon:
    """Each fake in turn."""
    chosen: Rillet | Solvimon = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
