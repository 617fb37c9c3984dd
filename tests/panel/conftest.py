"""Fixtures of the panel's tests."""

from typing import Any

import pytest

from local.system import Connection, LocalSystem
from tests.integration.sync_status.support import finalised, some, unlinked
from tests.panel.answers import AnswerWith
from tests.panel.visitor import REJECTED, Visitor, signed_in
from tests.support.arrange import without_waiting_for_aws
from tests.support.assertions import record
from tests.support.builders import Json


@pytest.fixture
def operator(system: LocalSystem, default: Connection) -> Visitor:
    """An operator at the panel of the connection ``default``."""
    return signed_in(system, "operator")


@pytest.fixture
def admin(system: LocalSystem, default: Connection) -> Visitor:
    """An admin at the panel of the connection ``default``."""
    return signed_in(system, "admin")


@pytest.fixture
def rejected(system: LocalSystem, default: Connection) -> list[Json]:
    """The products of the first invoice lack their Rillet ids, so it was rejected; they are returned."""
    products = unlinked(default)
    finalised(system, default, *some(1))
    assert record(system, REJECTED)["state"] == "rejected"
    return products


@pytest.fixture
def answered(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> AnswerWith:
    """Let functions give answers: by function, a value, an error, or what makes a value of the event."""
    invoke, asked = system.runtime.invoke, list[Json]()

    def let(answers: dict[str, Any]) -> list[Json]:
        def answer(workflow: str, event: Json, *more: Any) -> Any:  # noqa: ANN401
            if workflow not in answers:
                return invoke(workflow, event, *more)
            asked.append({"function": workflow, **event})
            given = answers[workflow]
            if isinstance(given, Exception):
                raise given
            return given(event) if callable(given) else given

        monkeypatch.setattr(system.runtime, "invoke", answer)
        return asked

    return let


@pytest.fixture
def aws_retries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage of AWS takes no time."""
    without_waiting_for_aws(monkeypatch)
