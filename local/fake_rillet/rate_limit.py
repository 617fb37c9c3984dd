"""Rillet's rate limit: so many requests in any rolling window, per organisation."""

import threading
from collections import deque


class RateLimiter:
    """A sliding log of accepted calls.

    Rillet documents 60 requests in a rolling 60 s. That a refused call takes no place in the window is
    this fake's choice.
    """

    def __init__(self) -> None:
        self._accepted: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def admit(self, organisation_id: str, now: float, *, limit: int, window: float) -> bool:
        """Take a place in the window if there is one.

        Args:
            organisation_id: whose budget.
            now: Unix seconds.
            limit: calls per window.
            window: seconds.
        """
        with self._lock:
            accepted = self._accepted.setdefault(organisation_id, deque())
            while accepted and accepted[0] <= now - window:
                accepted.popleft()
            if len(accepted) >= limit:
                return False
            accepted.append(now)
            return True

    def clear(self) -> None:
        """Remove all calls."""
        with self._lock:
            self._accepted.clear()
