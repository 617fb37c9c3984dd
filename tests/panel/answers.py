"""Answers of a test's own instead of the functions'."""

from collections.abc import Callable
from typing import Any

from tests.support.builders import Json

AnswerWith = Callable[[dict[str, Any]], list[Json]]
"""Let functions give these answers, and collect the events that they get; see the fixture `answered`."""


def renamed(value: Any, name: str, keep: frozenset[str] = frozenset()) -> Any:  # noqa: ANN401 - JSON of any shape
    """An answer in which every text is a name, but for those under some keys."""
    if isinstance(value, dict):
        return {key: part if key in keep else renamed(part, name, keep) for key, part in value.items()}
    if isinstance(value, list):
        return [renamed(part, name, keep) for part in value]
    return name if isinstance(value, str) else value
