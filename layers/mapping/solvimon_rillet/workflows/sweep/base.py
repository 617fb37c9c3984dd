"""What the parts of a sweep budget: their time, and telling the bus of what they found."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Recoverable
from solvimon_rillet.events import BusEvent
from solvimon_rillet.ledger.ledger import UNFINISHED
from solvimon_rillet.ledger.sweep_state import PublishedEvent, SweepState

REPUBLISH_SECONDS = 3600
"""What nobody has worked on for so long has lost its message."""
_REMEMBERED_SECONDS = 7 * 24 * 3600


class OutOfTime(Recoverable):
    """The function, or this connection's budget of it, is over; the next sweep goes on."""


class TimeBudget:
    """A connection's budget of the function's time.

    Args:
        left: seconds that are left of the function.
        seconds: how many of them are the connection's.
    """

    def __init__(self, left: Callable[[], float], seconds: float) -> None:
        self._left = left
        self._end = left() - seconds

    def seconds_left(self) -> float:
        """Seconds that are left of the budget."""
        return self._left() - self._end

    def check(self) -> None:
        """Return if there is time for one more step.

        Raises:
            OutOfTime: there is none.
        """
        if self.seconds_left() <= 0:
            raise OutOfTime("There was no time left in this run.")


@dataclass(slots=True)
class ScanResult:
    """What a sweep of one connection came to.

    Attributes:
        connection: its name.
        found: how much of each kind was put on the bus.
        stopped: parts that had to stop early, and go on with the next sweep.
        errors: what went wrong, in plain words.
        note: why there was nothing to sweep.
    """

    connection: str
    found: Counter[str] = field(default_factory=Counter)
    stopped: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    note: str = ""

    def as_answer(self) -> dict[str, Any]:
        """The findings as JSON."""
        return {
            "connection": self.connection,
            "found": dict(self.found),
            "stopped": self.stopped,
            "errors": self.errors,
            **({"note": self.note} if self.note else {}),
        }


class Scan(Protocol):
    """A part of a sweep; what it raises stops it, and the other parts go on."""

    def run(self, result: ScanResult, budget: TimeBudget) -> None:
        """Look, and put on the bus what no webhook told of."""


@dataclass(frozen=True, slots=True)
class MissedEvent:
    """Something that no webhook told of, as far as the ledger knows.

    Attributes:
        kind: kind of document, as the ledger calls it.
        id: of the document.
        what: which state of it was found.
        event: what a webhook would have put on the bus.
        counted: what it counts as.
    """

    kind: str
    id: str
    state: str
    event: BusEvent
    counter: str


@dataclass(frozen=True, slots=True)
class SweepContext:
    """What every scan of a connection is given: the connection, the state of its sweeps, and the bus."""

    connection: Connection
    state: SweepState
    bus: Bus

    def now(self) -> int:
        """Unix seconds."""
        return int(self.connection.clock())

    def publish(self, missed_events: Iterable[MissedEvent], result: ScanResult) -> None:
        """Put finds on the bus, but for those that wait in a queue since an earlier sweep.

        A backlog at Rillet's pace takes longer than the time between two sweeps; it must not grow by them.

        Raises:
            RetryLater: the bus or the ledger does not answer; repeating everything does no harm.
        """
        by_kind: dict[str, list[MissedEvent]] = {}
        for missed in missed_events:
            by_kind.setdefault(missed.kind, []).append(missed)
        for kind, of_kind in by_kind.items():
            published = self.state.published(kind, [missed.id for missed in of_kind])
            self.send(
                kind,
                [missed for missed in of_kind if self.should_publish(missed, published.get(missed.id))],
                result,
            )

    def should_publish(self, missed: MissedEvent, published: PublishedEvent | None) -> bool:
        """Whether a find was not told of within the hour."""
        return (
            published is None
            or published.what != missed.state
            or self.now() - published.at >= REPUBLISH_SECONDS
        )

    def send(
        self,
        kind: str,
        missed_events: list[MissedEvent],
        result: ScanResult,
        seconds: int | None = _REMEMBERED_SECONDS,
    ) -> None:
        """Put finds of one kind on the bus, count them, and remember that they are on their way."""
        self.bus.publish(*(missed.event for missed in missed_events))
        result.found.update(missed.counter for missed in missed_events)
        self.state.mark_published(
            kind, {missed.id: PublishedEvent(missed.state, self.now()) for missed in missed_events}, seconds
        )

    def is_stalled(self, record: Mapping[str, Any]) -> bool:
        """Whether work on a document was begun and nobody goes on with it."""
        idle = self.now() - int(record.get("updated_at", 0))
        held = int(record.get("lease_until", 0)) > self.now()
        return record.get("state") in UNFINISHED and not held and idle >= REPUBLISH_SECONDS
