"""The time after which a run sends no more writes, because it may not be the owner of its lease any longer.

A run can pause between any two lines: for a token, for a send time, for a slow connection, or because its
machine stands still. So the last check is made when the body of a request leaves, after all of these. A
server does not carry out a request whose body never came.
"""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from solvimon_rillet.errors import RetryLater


@dataclass(frozen=True, slots=True)
class SendDeadline:
    """The last moment for a write, by the process's monotonic clock and by the clock of all workers.

    Attributes:
        monotonic_end: seconds of ``time.monotonic``.
        clock_end: unix seconds of ``clock``, which also counts while the machine stands still.
        clock: unix seconds.
    """

    monotonic_end: float
    clock_end: float
    clock: Callable[[], float]

    def has_passed(self) -> bool:
        """Whether one of the clocks says so."""
        return time.monotonic() > self.monotonic_end or self.clock() > self.clock_end


_deadlines: ContextVar[tuple[SendDeadline, ...]] = ContextVar("_deadlines", default=())


@contextmanager
def sending_until(seconds: float, clock: Callable[[], float]) -> Iterator[None]:
    """Let the writes of this context be sent for so many seconds from now; an outer deadline also counts."""
    deadline = SendDeadline(time.monotonic() + seconds, clock() + seconds, clock)
    token = _deadlines.set((*_deadlines.get(), deadline))
    try:
        yield
    finally:
        _deadlines.reset(token)


def check_deadline(vendor: str) -> None:
    """Refuse a write after a deadline of this context.

    Raises:
        RetryLater: it has passed; nothing was sent.
    """
    if any(deadline.has_passed() for deadline in _deadlines.get()):
        raise RetryLater(f"Nothing was sent to {vendor}: this run took too long. A new one continues.")


class RequestBody(io.BytesIO):
    """A request's body, which checks the deadline at the moment in which it begins to leave.

    Args:
        content: the bytes.
        vendor: name of the receiver, for the message.
    """

    def __init__(self, content: bytes, vendor: str) -> None:
        super().__init__(content)
        self._vendor = vendor

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; raises ``RetryLater`` instead of the first ones if the deadline has passed."""
        if self.tell() == 0:
            check_deadline(self._vendor)
        return super().read(size)
