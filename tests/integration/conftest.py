"""Fixtures of several workflows."""

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import without_waiting_for_aws
from tests.support.connected import Connected


@pytest.fixture
def default(system: LocalSystem, default: Connection) -> Connected:
    """The connection ``default``, together with the local system; both sides hold the demo's records."""
    return Connected(**vars(default), system=system)


@pytest.fixture
def aws_retries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage of AWS takes no time."""
    without_waiting_for_aws(monkeypatch)
