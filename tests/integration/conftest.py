"""Fixtures of several workflows."""

import pytest

from tests.support.arrange import without_waiting_for_aws


@pytest.fixture
def aws_retries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage of AWS takes no time."""
    without_waiting_for_aws(monkeypatch)
