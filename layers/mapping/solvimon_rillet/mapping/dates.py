"""Timestamps as days in the document's own time zone, and service periods."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.solvimon.fields import Moment
from solvimon_rillet.solvimon.invoice_groups import Group

_OFFSET = re.compile(r"(?:GMT|UTC)([+-])(\d{1,2})(?::?(\d{2}))?")


def parse_time_zone(name: str | None, aliases: Mapping[str, str]) -> tzinfo:
    """The time zone of a name as Solvimon writes it: IANA, ``GMT+1``, ``UTC+1`` or an abbreviation.

    Args:
        name: the name; ``None`` means UTC.
        aliases: IANA names for other names (setting ``time_zones``).

    Raises:
        NeedsAttention: the name is not known; a day that starts at the wrong hour would misdate revenue.
    """
    if not name:
        return UTC
    try:
        if offset := _OFFSET.fullmatch(name):
            sign = -1 if offset[1] == "-" else 1
            return timezone(sign * timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0)))
        return ZoneInfo(aliases.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NeedsAttention(
            Code.TIME_ZONE_UNKNOWN,
            "The invoice's time zone is not known.",
            f'Add it to the setting time_zones, such as {{"{name}": "Europe/Amsterdam"}}, then retry.',
            quoted=repr(name),
        ) from None


def local_date(moment: Moment, time_zone: tzinfo) -> date:
    """The calendar day of a timestamp in a time zone; a date stays as it is."""
    return moment.astimezone(time_zone).date() if isinstance(moment, datetime) else moment


def service_period(group: Group, path: str, time_zone: tzinfo) -> tuple[date, date] | None:
    """First and last day of a group's service, both inclusive; ``None`` without one.

    Solvimon's ``end_at`` is usually the next period's midnight, which is the day after the last one.
    A group that starts and ends at the same moment is a one-day period (dossier, traps 16 and 17).

    Raises:
        NeedsAttention: the period ends before it starts.
    """
    start = group.start_at or group.start_date
    end = group.end_at or group.end_date
    if start is None or end is None:
        return None
    first, last = local_date(start, time_zone), local_date(end, time_zone)
    if last > first and isinstance(end, datetime):
        # The microsecond before, not the day before: some zones change their clocks at midnight.
        last = local_date(end - timedelta(microseconds=1), time_zone)
    if last < first:
        raise NeedsAttention(
            Code.PERIOD_REVERSED,
            f"The group {path} ends on {last} before it starts on {first}.",
            "Correct the period in Solvimon (credit the invoice and bill it again), then retry.",
        )
    return first, last


def utc_range(first: date, last: date) -> tuple[datetime, datetime]:
    """The range in UTC that covers all documents dated from ``first`` to ``last`` in any time zone."""
    begin = max(first, date.min + timedelta(days=1)) - timedelta(days=1)
    end = min(last, date.max - timedelta(days=2)) + timedelta(days=2)
    return datetime.combine(begin, time.min, UTC), datetime.combine(end, time.min, UTC)
