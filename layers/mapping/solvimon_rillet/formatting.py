"""Moments, spans and mistakes, in words that a person can read."""

from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def format_timestamp(seconds: Any) -> str:  # noqa: ANN401 - a number of the ledger
    """Unix seconds as a moment in UTC: ``2026-11-01T08:00:00Z``."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> int:
    """A moment of ``moment`` as unix seconds again."""
    return int(datetime.fromisoformat(text).timestamp())


def format_duration(seconds: float) -> str:
    """A length of time, such as ``about 50 minutes``, in the largest unit that it has two of."""
    if seconds < 60:
        return "less than a minute"
    unit, length = next((each for each in _UNITS if seconds >= 2 * each[1]), ("minute", 60))
    count = round(seconds / length)
    return f"about {count} {unit}{'' if count == 1 else 's'}"


def validation_problems(error: ValidationError) -> str:
    """What is wrong with a request: each field by its path, and why."""
    parts = []
    for part in error.errors():
        path = ".".join(map(str, part["loc"]))
        message = part["msg"].removeprefix("Value error, ")
        parts.append(f"{path}: {message}" if path else message)
    return "; ".join(parts)
