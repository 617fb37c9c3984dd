"""One rate limiter for Rillet's 60 requests a minute, shared by all connections of an organisation.

Rillet counts requests in a sliding window per organisation and answers a bare 429 beyond it (dossier 2.1). So
each call first takes a send time from one shared record, an item in the ledger's table that is replaced with
optimistic locking. Until the organisation of a connection is known, it has a record of its own::

    now − window                 now                         send times
    ├──L─L──B─L───────B──L──L────┤───L──(a send time ahead: the caller sleeps until then)

* At most ``limit`` send times lie in any window; a margin covers the latency to Rillet.
* Live work (``L``) comes before bulk work (``B``: imports, back-fills, reconciliation). Bulk work is spread
  evenly, so that a live call never finds the whole window used up. While live work waits, bulk work gets only
  its reserve, a tenth. Live work leaves that reserve free while bulk work waits, so neither starves.
* Send times are those of each worker's own clock. Rillet gets no 429 as long as the clocks of two workers and
  their latencies together differ by less than the margin, a second by default.
* A send time more than two seconds ahead is not granted. The caller returns its message to the queue until a
  second before it, because a queue's delay is rounded up to whole seconds, and sleeps the rest.
"""

import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from solvimon_rillet.errors import RetryLater

MAX_WAIT_SECONDS = 2.0
RETRY_EARLY_SECONDS = 1.0
"""Seconds before its send time at which a refused caller retries; less than ``MAX_WAIT_SECONDS``."""
_WINDOW_PARTS = 10  # one part is bulk work's reserve; bulk work is spread evenly over the parts
_MAX_ATTEMPTS = 40
_ROUNDING = 1e-6  # of floating point: a send time plus the window, minus the window


class Priority(StrEnum):
    """Priority of a call; live calls go first."""

    LIVE = "live"
    BULK = "bulk"


class RateLimited(RetryLater):
    """No send time within two seconds; ``after`` is the delay until the next one."""


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
        version: counts the writes, for optimistic locking.
    """

    live: tuple[float, ...] = ()
    bulk: tuple[float, ...] = ()
    live_waits_until: float = 0.0
    bulk_waits_until: float = 0.0
    blocked_until: float = 0.0
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
    live, bulk = _recent(window.live, now, rate_limit), _recent(window.bulk, now, rate_limit)
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


def _recent(send_times: Iterable[float], now: float, rate_limit: RateLimit) -> tuple[float, ...]:
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
    # One more than an even spread, to use slots that were free while nobody asked.
    return (
        sum(send_time > part_start for send_time in window.bulk)
        < math.ceil(rate_limit.limit / _WINDOW_PARTS) + 1
    )


class RequestWindowStore(Protocol):
    """Storage of the request windows, by name."""

    def read(self, name: str) -> RequestWindow:
        """The window as it is now."""

    def replace(self, name: str, window: RequestWindow) -> bool:
        """Write the window if its version is still the one that was read; return whether it was written."""


def carry_over(store: RequestWindowStore, source: str, target: str) -> None:
    """Let the calls that were counted in one window count in another one too.

    A connection's calls have a window of their own until its organisation is known; Rillet has counted them
    for the organisation all the time.
    """
    earlier = store.read(source)
    for _ in range(_MAX_ATTEMPTS):
        window = store.read(target)
        merged = replace(
            window,
            live=tuple(sorted((*window.live, *earlier.live))),
            bulk=tuple(sorted((*window.bulk, *earlier.bulk))),
            blocked_until=max(window.blocked_until, earlier.blocked_until),
        )
        if store.replace(target, merged):
            return


class SlidingWindowRateLimiter:
    """Rate limiter for one connection's calls; implements ``http.RateLimiter``.

    Args:
        connection: its name.
        store: keeps the window.
        rate_limit: what Rillet allows.
        priority: of the calls that this limiter serves.
        clock: unix seconds.
        sleep: waits.
        count: counts a call, or a 429, in a metric of the connection.
        window_of: returns the name of the window in which the connection's calls count now.
    """

    def __init__(
        self,
        connection: str,
        store: RequestWindowStore,
        rate_limit: RateLimit,
        priority: Priority = Priority.LIVE,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        count: Callable[[str, str], None] = lambda _name, _connection: None,
        window_of: Callable[[str], str] = str,
    ) -> None:
        self._connection = connection
        self._store = store
        self._rate_limit = rate_limit
        self._priority = priority
        self._clock = clock
        self._sleep = sleep
        self._count = count
        self._window_of = window_of
        self._next_slot_at = 0.0
        self._last: tuple[str, RequestWindow] | None = None

    def acquire(self) -> None:
        """Take a send time, wait for it, and return.

        Raises:
            RateLimited: no send time within two seconds.
            RetryLater: the window cannot be read or written.
        """
        self.raise_if_backing_off()
        name = self._window_of(self._connection)
        for _ in range(_MAX_ATTEMPTS):
            last, self._last = self._last, None
            is_last = last is not None and last[0] == name
            window = last[1] if last is not None and is_last else self._store.read(name)
            now = self._clock()
            slot = next_send_time(window, now, self._priority, self._rate_limit)
            if not slot.granted and is_last:
                continue  # others may have changed it meanwhile
            if not slot.granted:
                self._raise_rate_limited(name, window, slot, now)
            if self._store.replace(name, slot.window):
                if self._priority is Priority.BULK:  # its next call often finds the window as it left it
                    self._last = name, replace(slot.window, version=window.version + 1)
                self._count("RilletCalls", self._connection)
                self._sleep(max(0.0, slot.at - self._clock()))
                return
            if not is_last:
                self._sleep(random.uniform(0.002, 0.03))  # noqa: S311 - spreads writers, keeps no secret
        raise RateLimited("Too many workers ask for a send time at once.", after=1)

    def raise_if_backing_off(self) -> None:
        """Check, without a read and before work begins, that the last refusal is over.

        Raises:
            RateLimited: this worker was refused, and its send time is more than two seconds ahead.
        """
        ahead = self._next_slot_at - self._clock()
        if ahead > MAX_WAIT_SECONDS:
            raise RateLimited("Rillet's rate limit is used up for now.", after=ahead - RETRY_EARLY_SECONDS)

    def on_throttled(self) -> float:
        """Record a 429 answer: nothing is sent until its window has passed.

        Returns:
            Seconds until then.
        """
        self._count("RateLimited", self._connection)
        name = self._window_of(self._connection)
        for _ in range(_MAX_ATTEMPTS):
            window = self._store.read(name)
            until = self._clock() + self._rate_limit.window_seconds
            if self._store.replace(name, replace(window, blocked_until=until)):
                break
        return self._rate_limit.window_seconds

    def _raise_rate_limited(self, name: str, window: RequestWindow, slot: SendTime, now: float) -> None:
        waits = window.live_waits_until if self._priority is Priority.LIVE else window.bulk_waits_until
        if waits < slot.at:
            self._store.replace(name, slot.window)  # a hint; losing it does no harm
        self._next_slot_at = slot.at
        raise RateLimited(
            "Rillet's rate limit is used up for now.", after=slot.at - now - RETRY_EARLY_SECONDS
        )
