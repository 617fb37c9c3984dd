"""Misbehaviours that tests and people can order."""

import threading
from dataclasses import dataclass

AT_THE_DOOR = ("down", "drop", "status")
ON_THE_WAY_IN = ("delay",)
ON_THE_WAY_OUT = ("commit_then_drop", "status_after", "malformed")
KINDS = AT_THE_DOOR + ON_THE_WAY_IN + ON_THE_WAY_OUT


@dataclass
class Misbehaviour:
    """One order to misbehave.

    Attributes:
        kind: one of `KINDS`.
        method: the HTTP method, or "*" for all.
        path: what the path starts with.
        remaining: for how many more calls; None until cleared.
        status: the code that `status` and `status_after` answer.
        body: what they answer with: JSON-ready data, a text, or None for a problem document.
        seconds: how long `delay` lasts.
    """

    kind: str
    method: str
    path: str
    remaining: int | None
    status: int
    body: object
    seconds: float

    def concerns(self, method: str, path: str) -> bool:
        """Tell whether a call is meant."""
        return self.method in ("*", method) and path.startswith(self.path)

    def describe(self) -> dict[str, object]:
        """Return the order as JSON-ready data."""
        return {
            "kind": self.kind,
            "method": self.method,
            "path": self.path,
            "remaining": self.remaining,
        }


class Misbehaviours:
    """The orders that are in force, oldest first."""

    def __init__(self) -> None:
        self._ordered: list[Misbehaviour] = []
        self._lock = threading.Lock()
        self._cleared = threading.Event()

    def order(self, misbehaviour: Misbehaviour) -> None:
        """Add an order.

        Raises:
            ValueError: the kind does not exist.
        """
        if misbehaviour.kind not in KINDS:
            raise ValueError(f"{misbehaviour.kind!r} is not one of {', '.join(KINDS)}")
        with self._lock:
            self._ordered.append(misbehaviour)

    def take(self, kinds: tuple[str, ...], method: str, path: str) -> Misbehaviour | None:
        """Use up one call of the oldest order that concerns it."""
        with self._lock:
            for misbehaviour in self._ordered:
                if misbehaviour.kind in kinds and misbehaviour.concerns(method, path):
                    self._use(misbehaviour)
                    return misbehaviour
        return None

    def pause(self, seconds: float) -> None:
        """Wait out a delay, or less if the orders are taken back meanwhile."""
        self._cleared.wait(seconds)

    def clear(self) -> None:
        """Take back all orders and end the delays that are under way."""
        with self._lock:
            self._ordered.clear()
            self._cleared.set()
            self._cleared = threading.Event()

    def describe(self) -> list[dict[str, object]]:
        """Return the orders as JSON-ready data."""
        with self._lock:
            return [misbehaviour.describe() for misbehaviour in self._ordered]

    def _use(self, misbehaviour: Misbehaviour) -> None:
        if misbehaviour.remaining is None:
            return
        misbehaviour.remaining -= 1
        if misbehaviour.remaining == 0:
            self._ordered.remove(misbehaviour)
