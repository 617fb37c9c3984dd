"""A worker that goes on only when it is told to, and stands still before the next of its effects."""

import threading
from collections.abc import Callable

from tests.fault_injection.effects import Fault

_SECONDS = 120
"""Of real time; longer than any run takes."""


class SteppedWorker:
    """Work in a thread of its own, which takes turns with the thread that tells it to go on.

    Exactly one of them runs at any moment, so the order of all effects is the same in every run.

    Args:
        work: starts the workflow.

    Attributes:
        thread: in which it works.
        ended: whether the work is done.
        fault: what happens at its next write to a vendor.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self.ended = False
        self.fault: Fault | None = None
        self._left = 0
        self._turn, self._standing = threading.Event(), threading.Event()
        self._work = work
        self.thread = threading.Thread(target=self._run, name="stepped worker", daemon=True)
        self.thread.start()

    def go_on(self, effects: int = 1_000_000) -> None:
        """Let it have so many effects; come back when it stands still before the next one, or has ended."""
        if self.ended:
            return
        self._left = effects
        self._standing.clear()
        self._turn.set()
        if not self._standing.wait(_SECONDS):
            raise TimeoutError("the worker neither stands still nor ends")

    def cross(self) -> None:
        """Stand still before an effect until it is allowed; called by the worker itself."""
        if not self._left:
            self._standing.set()
            self._wait_for_its_turn()
        self._left -= 1

    def _run(self) -> None:
        self._wait_for_its_turn()
        try:
            self._work()
        finally:
            self.ended = True
            self._standing.set()

    def _wait_for_its_turn(self) -> None:
        if not self._turn.wait(_SECONDS):
            raise TimeoutError("nobody told the worker to go on")
        self._turn.clear()
