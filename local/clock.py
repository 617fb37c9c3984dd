"""A clock that people and tests can move forward."""

import math
import threading
import time

from local.fake_vendor.faults import LateCalls


class Clock:
    """Real time plus an offset, which grows while anything happens.

    The fakes take `clock.now` as their source of time, so that a test can let 25 hours pass without
    waiting. Safe to use from several threads.

    Attributes:
        due_work: calls that the vendors carry out late; at each one's moment the clock stands still.
    """

    def __init__(self) -> None:
        self.due_work: list[LateCalls] = []
        self._offset = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the current time in Unix seconds."""
        with self._lock:
            return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Args:
            seconds: how far to move forward; zero or more.

        Raises:
            ValueError: the time would run backwards.
        """
        if seconds < 0:
            raise ValueError("a clock does not run backwards")
        end = self.now() + seconds
        while (moment := self._next_due()) <= end:
            self._move(moment - self.now())
            for work in self.due_work:
                work.carry_out_due(moment)
        self._move(end - self.now())

    def _next_due(self) -> float:
        return min((at for work in self.due_work if (at := work.next_at) is not None), default=math.inf)

    def _move(self, seconds: float) -> None:
        with self._lock:
            self._offset += max(0.0, seconds)

    def set(self, moment: float) -> None:
        """Go to a moment, also an earlier one; only before anything has happened."""
        with self._lock:
            self._offset = moment - time.time()
