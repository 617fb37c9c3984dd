"""Sharing Rillet's 60 requests a minute between all functions of a connection.

Rillet counts requests in a rolling window per organisation and answers a bare 429 beyond it (dossier 2.1). So
each call first takes a turn from one shared log of turns, an item in the ledger's table that is replaced only
if nobody else replaced it meanwhile::

    now − window                 now                         turns given out
    ├──L─L──B─L───────B──L──L────┤───L──(a turn a moment ahead: the caller sleeps until then)

* At most ``limit`` turns lie in any window; a margin covers the way to Rillet.
* Live work (``L``) comes before bulk work (``B``: imports, back-fills, reconciliation). Bulk work is spread
  evenly, so that a live call never finds the whole window used up, and while live work waits it gets only its
  reserve, a tenth. Live work leaves that reserve free while bulk work waits, so neither starves.
* A turn more than two seconds ahead is not given out: the caller hands its message back until a second before
  it, because a queue's delay is rounded up to whole seconds, and sleeps the rest.
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
EARLY_SECONDS = 1.0
"""Seconds before its turn at which whoever is sent away is to come back; less than the longest wait."""
_SHARES = 10  # bulk work's reserve, and the parts of a window over which it is spread
_TRIES = 40
_ROUNDING = 1e-6  # of floating point: a turn plus the window, minus the window


class Priority(StrEnum):
    """Who goes first."""

    LIVE = "live"
    BULK = "bulk"


class RateLimited(RetryLater):
    """No turn within two seconds; ``after`` says when to come back for the one that follows."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What Rillet allows.

    Attributes:
        limit: requests in a window.
        window: length of the rolling window in seconds, the margin included.
    """

    limit: int
    window: float

    @property
    def reserve(self) -> int:
        """Turns of a window that bulk work has at any rate; never all of them."""
        return min(max(1, self.limit // _SHARES), self.limit - 1)


@dataclass(frozen=True, slots=True)
class RequestWindow:
    """Turns given out, in unix seconds, with what waits and a time before which nothing may be sent."""

    live: tuple[float, ...] = ()
    bulk: tuple[float, ...] = ()
    live_waits_until: float = 0.0
    bulk_waits_until: float = 0.0
    blocked_until: float = 0.0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """When a call may be made, and the log that gives it this turn or says that it waits."""

    at: float
    granted: bool
    log: RequestWindow = field(compare=False)


def plan(log: RequestWindow, now: float, priority: Priority, budget: RateLimit) -> Plan:
    """Find the next turn; pure, so that its promises can be tested on any log.

    Args:
        log: the turns so far.
        now: unix seconds.
        priority: whose turn.
        budget: what Rillet allows.
    """
    live, bulk = _recent(log.live, now, budget), _recent(log.bulk, now, budget)
    log = replace(log, live=live, bulk=bulk)
    at = next(moment for moment in _candidates(log, now, budget) if _is_free(log, moment, priority, budget))
    granted = at - now <= MAX_WAIT_SECONDS
    name = "live" if priority is Priority.LIVE else "bulk"
    if granted:
        turns = tuple(sorted((*(live if name == "live" else bulk), at)))
        return Plan(at, True, replace(log, **{name: turns}))  # type: ignore[arg-type]
    # Whoever is sent away comes back at its turn; until a little later the other side makes room for it.
    return Plan(at, False, replace(log, **{f"{name}_waits_until": at + MAX_WAIT_SECONDS}))  # type: ignore[arg-type]


def _recent(turns: Iterable[float], now: float, budget: RateLimit) -> tuple[float, ...]:
    return tuple(turn for turn in turns if turn > now - budget.window)


def _candidates(log: RequestWindow, now: float, budget: RateLimit) -> list[float]:
    """The moments at which something becomes free, earliest first."""
    earliest = max(now, log.blocked_until)
    ends = [turn + budget.window for turn in (*log.live, *log.bulk)]
    parts = [turn + budget.window / _SHARES for turn in log.bulk]
    waits = [log.live_waits_until, log.bulk_waits_until]
    return sorted({earliest, *(moment for moment in (*ends, *parts, *waits) if moment > earliest)})


def _is_free(log: RequestWindow, at: float, priority: Priority, budget: RateLimit) -> bool:
    # Turns that lie ahead of this moment count too: a turn squeezed in before them must not overfill theirs.
    start = at - budget.window + _ROUNDING
    live = sum(turn > start for turn in log.live)
    bulk = sum(turn > start for turn in log.bulk)
    if priority is Priority.LIVE:
        kept_free = max(0, budget.reserve - bulk) if log.bulk_waits_until > at else 0
        return live + bulk + kept_free < budget.limit
    if live + bulk >= budget.limit:
        return False
    if log.live_waits_until > at and bulk >= budget.reserve:
        return False
    part = at - budget.window / _SHARES + _ROUNDING
    # One more than an even spread, to catch up with what was lost while nobody asked.
    return sum(turn > part for turn in log.bulk) < math.ceil(budget.limit / _SHARES) + 1


class RequestWindowStore(Protocol):
    """Where the log of a connection is kept."""

    def read(self, connection: str) -> RequestWindow:
        """The log as it is now."""

    def replace(self, connection: str, log: RequestWindow) -> bool:
        """Write the log if its version is still the one that was read; say whether it was."""


class SlidingWindowRateLimiter:
    """Gives out turns to one connection's calls.

    Args:
        connection: its name.
        store: keeps the log.
        budget: what Rillet allows.
        priority: of the calls that ask here.
        clock: unix seconds.
        sleep: waits.
        count: notes a call, and a 429 that came all the same.
    """

    def __init__(
        self,
        connection: str,
        store: RequestWindowStore,
        budget: RateLimit,
        priority: Priority = Priority.LIVE,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        count: Callable[[str, str], None] = lambda _name, _connection: None,
    ) -> None:
        self._connection = connection
        self._store = store
        self._budget = budget
        self._priority = priority
        self._clock = clock
        self._sleep = sleep
        self._count = count
        self._not_before = 0.0

    def acquire(self) -> None:
        """Return when a call may be made.

        Raises:
            RateLimited: not within two seconds.
            RetryLater: the log cannot be read or written.
        """
        self.raise_if_backing_off()
        for _ in range(_TRIES):
            log = self._store.read(self._connection)
            now = self._clock()
            planned = plan(log, now, self._priority, self._budget)
            if not planned.granted:
                self._send_away(log, planned, now)
            if self._store.replace(self._connection, planned.log):
                self._count("RilletCalls", self._connection)
                self._sleep(max(0.0, planned.at - self._clock()))
                return
            self._sleep(random.uniform(0.002, 0.03))  # noqa: S311 - spreads writers, keeps no secret
        raise RateLimited("Too many workers want a turn at Rillet at once.", after=1)

    def raise_if_backing_off(self) -> None:
        """Find out cheaply, before work begins, that there is no turn soon.

        Raises:
            RateLimited: this worker was sent away a moment ago, and its turn has not come.
        """
        ahead = self._not_before - self._clock()
        if ahead > MAX_WAIT_SECONDS:
            raise RateLimited(
                "Rillet's request budget is used up for the moment.", after=ahead - EARLY_SECONDS
            )

    def on_throttled(self) -> float:
        """Note a 429 that came all the same: nothing is sent until its window has passed.

        Returns:
            Seconds until then.
        """
        self._count("RateLimited", self._connection)
        for _ in range(_TRIES):
            log = self._store.read(self._connection)
            until = self._clock() + self._budget.window
            if self._store.replace(self._connection, replace(log, blocked_until=until)):
                break
        return self._budget.window

    def _send_away(self, log: RequestWindow, planned: Plan, now: float) -> None:
        waits = log.live_waits_until if self._priority is Priority.LIVE else log.bulk_waits_until
        if waits < planned.at:
            self._store.replace(self._connection, planned.log)  # a hint; losing it does no harm
        self._not_before = planned.at
        raise RateLimited(
            "Rillet's request budget is used up for the moment.", after=planned.at - now - EARLY_SECONDS
        )
