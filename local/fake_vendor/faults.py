"""Faults on request: what a caller meets when the network or the vendor fails."""

import heapq
import itertools
import socket
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CallKind = Literal[
    "commit_then_drop", "drop", "late", "status", "status_after", "delay", "act", "malformed", "down"
]
ListKind = Literal["lag", "restart", "shift"]
Kind = CallKind | ListKind
KINDS: tuple[Kind, ...] = (*get_args(CallKind), *get_args(ListKind))
"""Those of calls, and those of lists that are answered and do not show all."""


@dataclass
class Fault:
    """One fault in force.

    Attributes:
        kind: what happens.
        method: the HTTP method, or "*" for all.
        path: what the path begins with; may hold `*`.
        remaining: for how many more calls; None until cleared.
        options: the kind's own, such as `status`, `body` or `seconds`; of `act`, what somebody does (`do`)
            just before the call is executed.
        cleared: ends a delay.
    """

    kind: str
    method: str
    path: str
    remaining: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    cleared: threading.Event = field(default_factory=threading.Event, repr=False)

    def matches(self, method: str, path: str, base_path: str = "") -> bool:
        """Tell whether a call falls under the fault; its path may be named without the base path."""
        pattern = f"{self.path}*"
        return self.method in ("*", method) and any(
            fnmatchcase(given, pattern) for given in (path, path.removeprefix(base_path))
        )

    def delay(self) -> None:
        """Wait for `seconds`, or less if the fault is cleared meanwhile."""
        self.cleared.wait(self.seconds())

    def seconds(self) -> float:
        """Return the option `seconds`."""
        return float(self.options.get("seconds", 0.0))


class Faults:
    """The faults in force, oldest first."""

    def __init__(self, base_path: str = "") -> None:
        self._base_path = base_path
        self._in_force: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Put a fault in force.

        Raises:
            ValueError: its kind does not exist.
        """
        if fault.kind not in KINDS:
            raise ValueError(f"{fault.kind!r} is not one of {', '.join(KINDS)}")
        with self._lock:
            self._in_force.append(fault)

    def take(self, method: str, path: str, kinds: Collection[str] = KINDS) -> Fault | None:
        """Return the oldest fault for a call, and count the call."""
        with self._lock:
            for fault in self._in_force:
                due = fault.kind in kinds and fault.remaining != 0
                if due and fault.matches(method, path, self._base_path):
                    if fault.remaining is not None:
                        fault.remaining -= 1
                    return fault
        return None

    def clear(self) -> None:
        """Remove all faults and end the delays that are running."""
        with self._lock:
            for fault in self._in_force:
                fault.cleared.set()
            self._in_force.clear()

    def describe(self) -> list[dict[str, object]]:
        """Return the faults in force as JSON-ready data."""
        names = ("kind", "method", "path", "remaining")
        with self._lock:
            return [
                {name: getattr(fault, name) for name in names}
                for fault in self._in_force
                if fault.remaining != 0
            ]


class SilenceError(ConnectionAbortedError):
    """The caller hears nothing until it gives up."""


def hang_up(environ: "WSGIEnvironment", fault: Fault) -> NoReturn:
    """Close the connection without an answer; werkzeug logs nothing for this exception.

    Args:
        environ: of the call.
        fault: what leads to it; with the option `silent` a caller in the same process waits in vain instead.

    Raises:
        ConnectionAbortedError: always.
    """
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    if fault.options.get("silent"):
        raise SilenceError("a fault keeps the caller waiting")
    raise ConnectionAbortedError("a fault closed the connection")


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
