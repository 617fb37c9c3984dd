"""Calls that are carried out after their caller has given up, by the fake's clock."""

import heapq
import itertools
import threading
from collections.abc import Callable


class LateCalls:
    """The calls under way whose callers got no answer."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def next_at(self) -> float | None:
        """Return when the next one is carried out, in Unix seconds; None when nothing waits."""
        with self._lock:
            return self._waiting[0][0] if self._waiting else None

    def put(self, seconds: float, carry_out: Callable[[], object]) -> None:
        """Let a call wait.

        Args:
            seconds: from now until it is carried out.
            carry_out: does what the call asked for; nobody gets its answer.
        """
        with self._lock:
            heapq.heappush(self._waiting, (self._clock() + seconds, next(self._numbers), carry_out))

    def carry_out_due(self, until: float | None = None) -> int:
        """Carry out what is due by a moment, now by default, oldest first; return how many calls."""
        until, done = self._clock() if until is None else until, 0
        while True:
            with self._lock:
                if not self._waiting or self._waiting[0][0] > until:
                    return done
                _, _, carry_out = heapq.heappop(self._waiting)
            carry_out()
            done += 1

    def clear(self) -> None:
        """Forget them all, as if they never arrived."""
        with self._lock:
            self._waiting.clear()
