"""Answers of a test's own instead of the functions'."""

from typing import Any

import pytest

from local.system import LocalSystem
from tests.support.builders import Json


def answered(system: LocalSystem, monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any]) -> list[Json]:
    """Let functions give these answers; the events that they get are collected.

    Args:
        system: the local system.
        monkeypatch: pytest's.
        answers: by function, a value, or what makes one of the event.
    """
    invoke, asked = system.runtime.invoke, list[Json]()

    def answer(workflow: str, event: Json, *more: Any) -> Any:  # noqa: ANN401
        if workflow not in answers:
            return invoke(workflow, event, *more)
        asked.append({"function": workflow, **event})
        given = answers[workflow]
        return given(event) if callable(given) else given

    monkeypatch.setattr(system.runtime, "invoke", answer)
    return asked


def renamed(value: Any, name: str, keep: frozenset[str] = frozenset()) -> Any:  # noqa: ANN401 - JSON of any shape
    """An answer in which every text is a name, but for those under some keys."""
    if isinstance(value, dict):
        return {key: part if key in keep else renamed(part, name, keep) for key, part in value.items()}
    if isinstance(value, list):
        return [renamed(part, name, keep) for part in value]
    return name if isinstance(value, str) else value
