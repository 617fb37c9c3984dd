"""A clock that people and tests can move forward."""

import threading
import time


class Clock:
    """Real time plus an offset, which grows while anything happens.

    The fakes take `clock.now` as their source of time, so that a test can let 25 hours pass without
    waiting. Safe to use from several threads.
    """

    def __init__(self) -> None:
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
        with self._lock:
            self._offset += seconds

    def set(self, moment: float) -> None:
        """Go to a moment, also an earlier one; only before anything has happened."""
        with self._lock:
            self._offset = moment - time.time()
