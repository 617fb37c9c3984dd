"""The parts that all scans of a sweep use: the time budget, the result, and publishing to the bus."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Message, Recoverable, own_words
from solvimon_rillet.events import BusEvent
from solvimon_rillet.ledger.ledger import UNFINISHED
from solvimon_rillet.ledger.sweep_state import PublishedEvent, SweepState

REPUBLISH_SECONDS = 3600
"""After so many seconds without progress, the message of a document counts as lost."""
NEWS_AT = "news_at"
"""The time of the last sweep that found anything new, in its state."""
_SEEN_TTL = 7 * 24 * 3600


class OutOfTime(Recoverable):
    """The time of the function or of a part's share is over; the next sweep continues."""


class TimeBudget:
    """A budget of the function's time.

    Args:
        function_seconds_left: seconds until the function must end.
        seconds: the part of them that may be used.
    """

    def __init__(self, function_seconds_left: Callable[[], float], seconds: float) -> None:
        self._function_seconds_left = function_seconds_left
        self._end = function_seconds_left() - seconds

    def seconds_left(self) -> float:
        """Seconds that are left of the budget."""
        return self._function_seconds_left() - self._end

    def share(self, parts: int) -> "TimeBudget":
        """A budget of an equal share for one of so many parts; what it leaves, the others have."""
        return TimeBudget(self._function_seconds_left, self.seconds_left() / parts)

    def check(self) -> None:
        """Raise ``OutOfTime`` if there is no time for one more step."""
        if self.seconds_left() <= 0:
            raise OutOfTime("There was no time left in this run.")


@dataclass(slots=True)
class ScanResult:
    """The result of the sweep of one connection.

    Attributes:
        connection: its name.
        found: number of published events, by counter.
        stopped: scans that had to stop early; the next sweep continues them where they stopped.
        errors: messages for a person.
        note: the reason why nothing was swept.
        broken: whether a vendor refused a credential.
    """

    connection: str
    found: Counter[str] = field(default_factory=Counter)
    stopped: list[str] = field(default_factory=list)
    errors: list[Message] = field(default_factory=list)
    note: str = ""
    broken: bool = False

    def as_answer(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "connection": self.connection,
            "found": dict(self.found),
            "stopped": self.stopped,
            "errors": self.errors,
            **({"note": self.note} if self.note else {}),
        }

    def as_log(self) -> dict[str, Any]:
        """The result in our own words."""
        errors = [own_words(error) or "an error that the answer names" for error in self.errors]
        return {**self.as_answer(), "errors": errors}


class Scan(Protocol):
    """A part of a sweep; an error stops it, and the other scans continue."""

    def run(self, result: ScanResult, budget: TimeBudget) -> None:
        """Search, and publish the events that no webhook delivered."""


@dataclass(frozen=True, slots=True)
class MissedEvent:
    """A change that no webhook delivered, according to the ledger.

    Attributes:
        kind: kind of the document in the ledger.
        id: of the document.
        state: the state that the scan found; each state is published once an hour.
        event: the event that a webhook would have published.
        counter: the name under which the result counts it.
    """

    kind: str
    id: str
    state: str
    event: BusEvent
    counter: str


@dataclass(frozen=True, slots=True)
class SweepContext:
    """The connection, the state of its sweeps, and the bus."""

    connection: Connection
    state: SweepState
    bus: Bus

    def now(self) -> int:
        """Unix seconds."""
        return int(self.connection.clock())

    def publish(self, missed_events: Iterable[MissedEvent], result: ScanResult) -> int:
        """Publish missed events, except those that an earlier sweep has published within the hour.

        Because of Rillet's rate limit, a backlog takes longer than the time between two sweeps; the sweeps
        must not lengthen it.

        Returns:
            The number of events that were published.

        Raises:
            RetryLater: the bus or the ledger does not answer; a repetition does no harm.
        """
        by_kind: dict[str, list[MissedEvent]] = {}
        for missed in missed_events:
            by_kind.setdefault(missed.kind, []).append(missed)
        sent = 0
        for kind, of_kind in by_kind.items():
            published = self.state.published(kind, [missed.id for missed in of_kind])
            new = [missed for missed in of_kind if self.should_publish(missed, published.get(missed.id))]
            self.send(kind, new, result)
            sent += len(new)
        return sent

    def should_publish(self, missed: MissedEvent, published: PublishedEvent | None) -> bool:
        """Whether this state of the document was not published within the hour."""
        return (
            published is None
            or published.state != missed.state
            or self.now() - published.at >= REPUBLISH_SECONDS
        )

    def send(
        self,
        kind: str,
        missed_events: list[MissedEvent],
        result: ScanResult,
        seconds: int | None = _SEEN_TTL,
    ) -> None:
        """Publish missed events of one kind, count them, and remember them for some seconds."""
        self.bus.publish(*(missed.event for missed in missed_events))
        result.found.update(missed.counter for missed in missed_events)
        self.state.mark_published(
            kind, {missed.id: PublishedEvent(missed.state, self.now()) for missed in missed_events}, seconds
        )

    def is_stalled(self, record: Mapping[str, Any]) -> bool:
        """Whether work on a document began, and no run continues it."""
        idle = self.now() - int(record.get("updated_at", 0))
        held = int(record.get("lease_until", 0)) > self.now()
        return record.get("state") in UNFINISHED and not held and idle >= REPUBLISH_SECONDS
