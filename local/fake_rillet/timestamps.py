"""Points in time on the wire: RFC 3339 in UTC, ending in Z, with microseconds."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def to_micros(seconds: float) -> int:
    """Convert Unix seconds to whole microseconds, the resolution in which the fake keeps time."""
    return round(seconds * 1_000_000)


def write_timestamp(micros: int) -> str:
    """Write microseconds since the epoch as a UTC timestamp."""
    moment = _EPOCH + timedelta(microseconds=micros)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_timestamp(text: str) -> int:
    """Read an RFC 3339 timestamp.

    Returns:
        Microseconds since the epoch.

    Raises:
        ValueError: the text is not an RFC 3339 timestamp with a zone.
    """
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f"{text!r} is not an RFC 3339 timestamp")
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def read_date(text: str) -> date:
    """Read a date written as YYYY-MM-DD.

    Raises:
        ValueError: the text is anything else.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(f"{text!r} is not a date")
    return date.fromisoformat(text)


def day_in_zone(seconds: float, timezone: str) -> date:
    """Return the calendar day at a moment in an IANA time zone."""
    return datetime.fromtimestamp(seconds, ZoneInfo(timezone)).date()
