"""Fixtures of the panel's tests."""

import pytest

from local.system import Connection, LocalSystem
from tests.panel.visitor import Visitor, signed_in
from tests.support.arrange import without_waiting_for_aws


@pytest.fixture
def operator(system: LocalSystem, default: Connection) -> Visitor:
    """An operator at the panel of the connection ``default``."""
    return signed_in(system, "operator")


@pytest.fixture
def admin(system: LocalSystem, default: Connection) -> Visitor:
    """An admin at the panel of the connection ``default``."""
    return signed_in(system, "admin")


@pytest.fixture
def aws_retries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage of AWS takes no time."""
    without_waiting_for_aws(monkeypatch)
