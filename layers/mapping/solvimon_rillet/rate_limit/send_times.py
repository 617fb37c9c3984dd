"""When the next call to Rillet may be sent: a sliding window, calculated. Pure.

::

    now − window                 now                         send times
    ├──L─L──B─L───────B──L──L────┤───L──(a send time ahead: the caller sleeps until then)

* At most ``limit`` send times lie in any window; a margin covers the latency to Rillet.
* Live work (``L``) comes before bulk work (``B``: imports, back-fills, reconciliation). Bulk work is spread
  evenly, so that a live call never finds the whole window used up. While live work waits, bulk work gets only
  its reserve, a tenth. Live work leaves that reserve free while bulk work waits, so neither starves.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

MAX_WAIT_SECONDS = 2.0
_WINDOW_PARTS = 10  # one part is bulk work's reserve; bulk work is spread evenly over the parts
_ROUNDING = 1e-6  # of floating point: a send time plus the window, minus the window


class Priority(StrEnum):
    """Priority of a call; live calls go first."""

    LIVE = "live"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Requests that Rillet allows in a sliding window.

    Attributes:
        limit: requests in a window.
        window_seconds: length of the sliding window, the margin included.
    """

    limit: int
    window_seconds: float

    @property
    def reserve(self) -> int:
        """Requests of a window that are reserved for bulk work; never all of them."""
        return min(max(1, self.limit // _WINDOW_PARTS), self.limit - 1)


@dataclass(frozen=True, slots=True)
class RequestWindow:
    """The send times of an organisation, as they are stored. All times are unix seconds.

    Attributes:
        live: send times of live calls.
        bulk: send times of bulk calls.
        live_waits_until: until then live calls are expected to come back.
        bulk_waits_until: until then bulk calls are expected to come back.
        blocked_until: nothing may be sent before, because Rillet answered 429.
        moved_to: name of the window that has replaced this one; empty if none has.
        version: counts the writes, for optimistic locking.
    """

    live: tuple[float, ...] = ()
    bulk: tuple[float, ...] = ()
    live_waits_until: float = 0.0
    bulk_waits_until: float = 0.0
    blocked_until: float = 0.0
    moved_to: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class SendTime:
    """The next time at which a call may be sent.

    Attributes:
        at: unix seconds.
        granted: whether the caller may sleep until then; else it returns its message to the queue.
        window: the record to store: with this send time, or with the note that the caller waits.
    """

    at: float
    granted: bool
    window: RequestWindow = field(compare=False)


def next_send_time(window: RequestWindow, now: float, priority: Priority, rate_limit: RateLimit) -> SendTime:
    """Calculate the next send time. Pure, so that its guarantees can be tested on any window.

    Args:
        window: the send times so far.
        now: unix seconds.
        priority: of the call.
        rate_limit: what Rillet allows.
    """
    live, bulk = _in_window(window.live, now, rate_limit), _in_window(window.bulk, now, rate_limit)
    window = replace(window, live=live, bulk=bulk)
    at = next(
        moment
        for moment in _candidates(window, now, rate_limit)
        if _is_free(window, moment, priority, rate_limit)
    )
    granted = at - now <= MAX_WAIT_SECONDS
    name = "live" if priority is Priority.LIVE else "bulk"
    if granted:
        send_times = tuple(sorted((*(live if name == "live" else bulk), at)))
        return SendTime(at, True, replace(window, **{name: send_times}))  # type: ignore[arg-type]
    # A refused caller retries at its send time; until a little later the other priority leaves room for it.
    return SendTime(at, False, replace(window, **{f"{name}_waits_until": at + MAX_WAIT_SECONDS}))  # type: ignore[arg-type]


def _in_window(send_times: Iterable[float], now: float, rate_limit: RateLimit) -> tuple[float, ...]:
    return tuple(send_time for send_time in send_times if send_time > now - rate_limit.window_seconds)


def _candidates(window: RequestWindow, now: float, rate_limit: RateLimit) -> list[float]:
    """The times at which a slot may become free, earliest first."""
    earliest = max(now, window.blocked_until)
    ends = [send_time + rate_limit.window_seconds for send_time in (*window.live, *window.bulk)]
    parts = [send_time + rate_limit.window_seconds / _WINDOW_PARTS for send_time in window.bulk]
    waits = [window.live_waits_until, window.bulk_waits_until]
    return sorted({earliest, *(moment for moment in (*ends, *parts, *waits) if moment > earliest)})


def _is_free(window: RequestWindow, at: float, priority: Priority, rate_limit: RateLimit) -> bool:
    # Send times after this one count too: a call squeezed in before them must not overfill their windows.
    start = at - rate_limit.window_seconds + _ROUNDING
    live = sum(send_time > start for send_time in window.live)
    bulk = sum(send_time > start for send_time in window.bulk)
    if priority is Priority.LIVE:
        kept_free = max(0, rate_limit.reserve - bulk) if window.bulk_waits_until > at else 0
        return live + bulk + kept_free < rate_limit.limit
    if live + bulk >= rate_limit.limit:
        return False
    if window.live_waits_until > at and bulk >= rate_limit.reserve:
        return False
    part_start = at - rate_limit.window_seconds / _WINDOW_PARTS + _ROUNDING
    # One more than an even spread, to use slots that were free before.
    return (
        sum(send_time > part_start for send_time in window.bulk)
        < math.ceil(rate_limit.limit / _WINDOW_PARTS) + 1
    )
