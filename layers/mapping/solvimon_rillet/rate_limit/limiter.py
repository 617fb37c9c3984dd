"""One rate limiter for Rillet's 60 requests a minute, shared by all connections of an organisation.

Rillet counts requests in a sliding window per organisation and answers a bare 429 beyond it (dossier 2.1). So
each call first takes a send time (``send_times.py``) from one shared record, an item in the ledger's table
that is replaced with optimistic locking. Until the organisation of a connection is known, it has a record of
its own.

* Send times are those of each worker's own clock. Rillet gets no 429 as long as the clocks of two workers and
  their latencies together differ by less than the margin, a second by default.
* A send time more than two seconds ahead is not granted. The caller returns its message to the queue until a
  second before it, because a queue's delay is rounded up to whole seconds, and sleeps the rest.
"""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from solvimon_rillet.errors import RetryLater
from solvimon_rillet.rate_limit.send_times import (
    MAX_WAIT_SECONDS,
    Priority,
    RateLimit,
    RequestWindow,
    SendTime,
    next_send_time,
)

RETRY_EARLY_SECONDS = 1.0
"""Seconds before its send time at which a refused caller retries; less than ``MAX_WAIT_SECONDS``."""
_MAX_ATTEMPTS = 40


class RateLimited(RetryLater):
    """No send time within two seconds; ``after`` is the delay until the next one."""


class RequestWindowStore(Protocol):
    """Storage of the request windows, by name."""

    def read(self, name: str) -> RequestWindow:
        """The window as it is now."""

    def replace(self, name: str, window: RequestWindow) -> bool:
        """Write the window if its version is still the one that was read; return whether it was written."""


def move_window(store: RequestWindowStore, name: str, target: str) -> None:
    """Let the calls of one window count in another one, together with the calls there.

    Until the organisation of a connection is known, its calls count in a window of its own. Rillet counts
    them for the organisation all the same, so the next calls must find them there. Workers that still look
    into the old window are led on. A crash between the two writes does no harm: the move is repeated.

    Raises:
        RateLimited: too many workers write to the windows at once; nothing is lost, and the move is repeated.
        RetryLater: a window cannot be read or written.
    """
    for _ in range(_MAX_ATTEMPTS):
        window = store.read(name)
        if window.moved_to == target:
            return
        source, there = store.read(window.moved_to) if window.moved_to else window, store.read(target)
        merged = replace(
            there,
            live=tuple(sorted({*there.live, *source.live})),
            bulk=tuple(sorted({*there.bulk, *source.bulk})),
            blocked_until=max(there.blocked_until, source.blocked_until),
        )
        if store.replace(target, merged) and store.replace(
            name, RequestWindow(moved_to=target, version=window.version)
        ):
            return
    raise RateLimited("Too many workers ask for a send time at once.", after=1)


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
            if is_last := last is not None and last[0] == name:
                window = last[1]
            else:
                name, window = self._current_window(name)
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
            name, window = self._current_window(name)
            until = self._clock() + self._rate_limit.window_seconds
            if self._store.replace(name, replace(window, blocked_until=until)):
                break
        return self._rate_limit.window_seconds

    def _current_window(self, name: str) -> tuple[str, RequestWindow]:
        """A window, or the one that has replaced it, with its name."""
        window = self._store.read(name)
        return (window.moved_to, self._store.read(window.moved_to)) if window.moved_to else (name, window)

    def _raise_rate_limited(self, name: str, window: RequestWindow, slot: SendTime, now: float) -> None:
        waits = window.live_waits_until if self._priority is Priority.LIVE else window.bulk_waits_until
        if waits < slot.at:
            self._store.replace(name, slot.window)  # a hint; losing it does no harm
        self._next_slot_at = slot.at
        raise RateLimited(
            "Rillet's rate limit is used up for now.", after=slot.at - now - RETRY_EARLY_SECONDS
        )
