"""Timestamps, durations and clipped texts for users."""

from datetime import UTC, datetime
from typing import Any

MAX_TEXT_BYTES = 1024
"""Size of a text that a vendor may have written, in records and answers."""
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def format_timestamp(seconds: Any) -> str:  # noqa: ANN401 - a number of the ledger
    """Unix seconds as a timestamp in UTC: ``2026-11-01T08:00:00Z``."""
    return format_utc(datetime.fromtimestamp(int(seconds), UTC))


def format_utc(moment: datetime) -> str:
    """A datetime as a timestamp in UTC, to the second: ``2026-11-01T08:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> int:
    """Unix seconds of a timestamp of ``format_timestamp``."""
    return int(datetime.fromisoformat(text).timestamp())


def format_duration(seconds: float) -> str:
    """A duration such as ``about 50 minutes``, in the largest unit of which it has at least two."""
    if seconds < 60:
        return "less than a minute"
    unit, length = next((unit for unit in _UNITS if seconds >= 2 * unit[1]), ("minute", 60))
    count = round(seconds / length)
    return f"about {count} {unit}{'' if count == 1 else 's'}"


def clip(text: str, limit: int = MAX_TEXT_BYTES) -> str:
    """A text of at most so many bytes in UTF-8; a longer one ends with an ellipsis.

    Half a surrogate pair, which JSON can carry and UTF-8 cannot, becomes a question mark.
    """
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - 3].decode(errors="ignore") + "…"
