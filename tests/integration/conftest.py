"""Fixtures of several workflows."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.entrypoints.telemetry import Telemetry
from tests.support.arrange import without_waiting_for_aws
from tests.support.connected import Connected


@pytest.fixture
def default(system: LocalSystem, default: Connection) -> Connected:
    """The connection ``default``, together with the local system; both sides hold the demo's records."""
    return Connected(**vars(default), system=system)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, float]]:
    """Each metric that is counted from now on: its name, its connection and its value."""
    found: list[tuple[str, str, float]] = []

    def count(_: Telemetry, name: str, connection: str, value: float = 1, *_more: object) -> None:
        found.append((name, connection, value))

    monkeypatch.setattr(Telemetry, "count", count)
    return found


@pytest.fixture
def aws_retries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage of AWS takes no time."""
    without_waiting_for_aws(monkeypatch)
