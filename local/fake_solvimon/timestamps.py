"""Points in time as Solvimon writes and reads them."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def to_text(seconds: float) -> str:
    """Return unix seconds as ISO 8601 in UTC, without a fraction."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


def from_text(value: str) -> datetime:
    """Return the instant that a timestamp with `Z` or an offset names."""
    return datetime.fromisoformat(value)


def zone(name: str | None) -> tzinfo:
    """Return the zone of an IANA name, `GMT+1` or `UTC+1` (Solvimon, standardisation); UTC when absent."""
    if not name:
        return UTC
    for prefix in ("GMT", "UTC"):
        if name.startswith(prefix) and name.removeprefix(prefix).lstrip("+-").isdigit():
            return timezone(timedelta(hours=int(name.removeprefix(prefix))))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
