"""A second worker that stands still at one of its own effects, while the first one goes on."""

import threading
from collections.abc import Callable

_SECONDS = 60
"""Of real time; longer than any run takes."""


class SecondWorker:
    """Work in a thread of its own, which pauses at one effect until it is told to finish.

    Exactly one of the two workers runs at any moment, so the order of their effects is the same in every run.

    Args:
        work: starts the workflow.
        stop: the number of the effect before which it stands still, from 1; it may have fewer.
    """

    def __init__(self, work: Callable[[], object], stop: int) -> None:
        self._left = stop
        self._standing, self._finishing = threading.Event(), threading.Event()
        self._work = work
        self.thread = threading.Thread(target=self._run, name="second worker", daemon=True)

    def run_to_its_stop(self) -> None:
        """Start, and come back when it stands still or has ended."""
        self.thread.start()
        if not self._standing.wait(_SECONDS):
            raise TimeoutError("the second worker neither stands still nor ends")

    def cross(self) -> None:
        """Stand still before an effect, if it is the one; called by the worker itself."""
        self._left -= 1
        if self._left == 0:
            self._standing.set()
            self._finishing.wait(_SECONDS)

    def finish(self) -> None:
        """Go on, and come back when it has ended."""
        self._finishing.set()
        self.thread.join(_SECONDS)

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._standing.set()
