"""A circuit breaker for each vendor of a connection, shared by all functions.

A vendor that does not answer keeps a worker for 20 seconds a call, and the messages of other connections wait
behind it. So after some failures in a row the connection's messages go back to their queue before any work
begins, for 15 seconds at first and at most for five minutes. Then one worker tries (half-open)::

    closed ──4 points in a row──▶ open ──time is over──▶ half-open: one probe ──success──▶ closed
                                   ▲                                          └─failure──▶ open, twice as long

A time-out counts two points, another failure (no connection, 5xx) one. The record is beside the limiter's::

    {connection}#pacer#breaker   for each vendor: points, openings, times (milliseconds)
"""

import contextlib
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.errors import RetryLater

THRESHOLD = 4
"""Points after which the breaker opens."""
TIME_OUT_POINTS, FAILURE_POINTS = 2, 1
FIRST_SECONDS, MAX_SECONDS = 15.0, 300.0
PROBE_SECONDS = 30.0
"""A probe that has no result after so many seconds has died; another one follows."""
FORGET_SECONDS = 120.0
"""Points that are older do not count: the vendor has answered since, to processes that saw no failure."""
_CACHE_SECONDS = 5.0
_BREAKER_TTL = 86_400
_MAX_WRITES = 5


class VendorUnavailable(RetryLater):
    """A vendor did not answer the last calls; ``after`` is the time until the next probe."""


@dataclass(frozen=True, slots=True)
class VendorHealth:
    """The results of the last calls to a vendor. All times are unix seconds.

    Attributes:
        points: failures in a row, weighted.
        failed_at: the last failure.
        openings: how often the breaker has opened since the last success; 0 while it is closed.
        open_until: no call before.
        probe_until: a worker probes until then.
    """

    points: int = 0
    failed_at: float = 0.0
    openings: int = 0
    open_until: float = 0.0
    probe_until: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds until a call may be made; 0 if it may be now."""
        return max(0.0, self.open_until - now, self.probe_until - now)


HEALTHY = VendorHealth()


def after_failure(health: VendorHealth, now: float, points: int) -> VendorHealth:
    """The health after a failed call; one that began before the breaker opened changes nothing."""
    if health.open_until > now:
        return health
    recent = health.points if now - health.failed_at <= FORGET_SECONDS else 0
    failed = replace(health, points=recent + points, failed_at=now)
    if not health.openings and failed.points < THRESHOLD:
        return failed
    seconds = min(MAX_SECONDS, FIRST_SECONDS * 2**health.openings)
    return replace(failed, openings=health.openings + 1, open_until=now + seconds, probe_until=0.0)


class CircuitBreaker:
    """The breakers of one connection.

    Args:
        connection: its name.
        table: keeps the record.
        clock: unix seconds.
    """

    def __init__(self, connection: str, table: Table, clock: Callable[[], float]) -> None:
        self._key = f"{connection}#pacer#breaker"
        self._table = table
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, VendorHealth] = {}
        self._version = 0
        self._read_at: float | None = None

    def check(self, *vendors: str) -> None:
        """Make sure that vendors may be called; of many callers of a half-open one, one passes.

        Raises:
            VendorUnavailable: one of them may not be called now.
            RetryLater: the table does not answer.
        """
        with self._lock:
            self._refresh()
            now = self._clock()
            for vendor in vendors:
                if wait := self._known.get(vendor, HEALTHY).wait(now):
                    raise _vendor_unavailable(vendor, wait)
            probed = [vendor for vendor in vendors if self._known.get(vendor, HEALTHY).openings]
            until = now + PROBE_SECONDS
            if probed and not self._put({v: replace(self._known[v], probe_until=until) for v in probed}):
                raise _vendor_unavailable(probed[0], PROBE_SECONDS / 2)

    def record(self, vendor: str, points: int) -> None:
        """Record the result of a call: 0 points for an answer.

        A record that cannot be written does not fail the call.
        """
        with self._lock, contextlib.suppress(RetryLater):
            for _ in range(_MAX_WRITES):
                before = self._known.get(vendor, HEALTHY)
                if not points and before == HEALTHY:
                    return
                after = after_failure(before, self._clock(), points) if points else HEALTHY
                if after == before or self._put({vendor: after}):
                    return
                self._read()

    def _refresh(self) -> None:
        is_known = self._read_at is not None and self._clock() - self._read_at < _CACHE_SECONDS
        if not is_known or any(health.openings for health in self._known.values()):
            self._read()

    def _read(self) -> None:
        item = self._table.get(self._key) or {}
        self._known = {vendor: _health(facts) for vendor, facts in item.get("vendors", {}).items()}
        self._version, self._read_at = int(item.get("version", 0)), self._clock()

    def _put(self, changed: Mapping[str, VendorHealth]) -> bool:
        """Write changed healths if the record is still the one that was read; return whether it was."""
        known = {v: health for v, health in {**self._known, **changed}.items() if health != HEALTHY}
        facts = {
            "vendors": {vendor: _facts(health) for vendor, health in known.items()},
            "version": self._version + 1,
            "expires_at": int(self._clock()) + _BREAKER_TTL,
        }
        try:
            self._table.put(
                self._key, facts, "attribute_not_exists(pk) OR version = :read", {":read": self._version}
            )
        except ConditionFailed:
            return False
        self._known, self._version = known, self._version + 1
        return True


def _vendor_unavailable(vendor: str, seconds: float) -> VendorUnavailable:
    # Spread, so that a thousand messages do not all come back at the moment of the probe.
    after = seconds * random.uniform(1.0, 1.5) + random.uniform(0.0, 5.0)  # noqa: S311 - keeps no secret
    return VendorUnavailable(
        f"{vendor} did not answer the last calls of this connection; it is tried again soon.", after=after
    )


def _health(facts: Mapping[str, Any]) -> VendorHealth:
    return VendorHealth(
        int(facts["points"]),
        int(facts["failed_at"]) / 1000,
        int(facts["openings"]),
        int(facts["open_until"]) / 1000,
        int(facts["probe_until"]) / 1000,
    )


def _facts(health: VendorHealth) -> dict[str, int]:
    return {
        "points": health.points,
        "failed_at": round(health.failed_at * 1000),
        "openings": health.openings,
        "open_until": round(health.open_until * 1000),
        "probe_until": round(health.probe_until * 1000),
    }
