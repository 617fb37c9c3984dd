"""Rillet's answers: parsed as a model, or as unparsed rows of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from solvimon_rillet.errors import OutcomeUnknown, RetryLater
from solvimon_rillet.invalid_values import problems_in_words

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class RowPage:
    """Unparsed rows of a list, and the cursor of the next page; ``None`` on the last one."""

    rows: Sequence[Any]
    next_cursor: str | None = None


def row_page(answer: object, name: str) -> RowPage:
    """A page of unparsed rows, so that an unreadable row does not block the others."""
    rows = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(rows, list):
        raise RetryLater(f"Rillet's list of {name} cannot be read.")
    pagination = answer.get("pagination")
    cursor = pagination.get("next_cursor") if isinstance(pagination, dict) else None
    return RowPage(rows, cursor or None)


def parse_write(answer: object, model: type[M]) -> M:
    """The answer to a write; what cannot be read comes from a call that has ended."""
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        problems = problems_in_words(error, limit=5)
        raise OutcomeUnknown(f"Rillet's answer cannot be read: {problems}.", over=True) from None


def parse_read(answer: object, model: type[M]) -> M:
    """The answer to a read, which has no effect that could be unknown."""
    try:
        return parse_write(answer, model)
    except OutcomeUnknown as error:
        raise RetryLater(str(error)) from None
