"""Read fields of answers. An older function leaves some out; no page fails for that."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def section(answer: Json, name: str) -> Json:
    """An object within an answer; empty if there is none."""
    value = answer.get(name)
    return value if isinstance(value, Mapping) else {}


def rows(answer: Json, name: str) -> list[Json]:
    """A list of objects within an answer; empty if there is none."""
    value = answer.get(name)
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def text(answer: Json, name: str) -> str:
    """A text or a number within an answer as text; empty if there is none."""
    value = answer.get(name)
    return "" if value is None or isinstance(value, Mapping | list) else str(value)


def count(answer: Json, name: str) -> int:
    """A whole number within an answer; 0 if there is none."""
    value = answer.get(name)
    return int(value) if isinstance(value, int) else 0


def amounts(answer: Json, name: str = "amounts") -> list[tuple[str, str]]:
    """Amounts by currency within an answer, as pairs of amount and currency."""
    return [(str(amount), currency) for currency, amount in section(answer, name).items()]
