"""The state of a connection's sweeps: the first start, the watermarks, and the published events.

::

    {connection}#sweep#begun             time of the very first sweep
    {connection}#sweep#payments          watermark: changes in Rillet before it are published
    {connection}#sweep#documents         the same while payments are not synchronised
    {connection}#sweep#customers         number of pages of Solvimon's customers that were compared
    {connection}#sweep-told#{kind}-{id}  the last event that was published for a document, and when
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item, Table
from solvimon_rillet.ledger.ledger import SCHEMA, Document

_READ_AT_ONCE = 100  # limits of DynamoDB's batch requests
_WRITTEN_AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """The last event that was published for a document.

    Attributes:
        state: state of the document at that time; another state is published again.
        at: unix seconds; 0 if the state was only recorded, and nothing published.
    """

    state: str
    at: int


class SweepState:
    """The state of one connection's sweeps.

    Every method may raise ``RetryLater`` when DynamoDB does not answer.

    Args:
        connection: name of the connection.
        table: the table.
        clock: unix seconds.
    """

    def __init__(self, connection: str, table: Table, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._table = table
        self._clock = clock

    def first_started_at(self) -> int | None:
        """The start of the very first sweep, in unix seconds."""
        return self.watermark("begun")

    def record_first_start(self) -> int:
        """Store the start of the very first sweep, if there is none yet, and return the stored one."""
        with contextlib.suppress(ConditionFailed):
            facts = {"schema_version": SCHEMA, "reached": int(self._clock())}
            self._table.put(self._state_key("begun"), facts, "attribute_not_exists(pk)")
        return self.first_started_at() or 0

    def watermark(self, part: str) -> int | None:
        """The watermark of a part of the sweep; ``None`` before its first run."""
        item = self._table.get(self._state_key(part))
        return int(item["reached"]) if item else None

    def advance_watermark(self, part: str, reached: int) -> None:
        """Advance the watermark of a part. It never goes back, even if a later sweep was faster."""
        with contextlib.suppress(ConditionFailed):
            self._table.put(
                self._state_key(part),
                {"schema_version": SCHEMA, "reached": reached},
                "attribute_not_exists(pk) OR reached < :reached",
                {":reached": reached},
            )

    def published(self, kind: str, ids: Iterable[str]) -> dict[str, PublishedEvent]:
        """The last published events of documents that have one, by id."""
        keys = {self._published_key(kind, identifier): identifier for identifier in ids}
        keys_to_read, found = list(keys), dict[str, Item]()
        for start in range(0, len(keys_to_read), _READ_AT_ONCE):
            found |= self._table.get_many(keys_to_read[start : start + _READ_AT_ONCE])
        return {keys[key]: PublishedEvent(str(item["what"]), int(item["at"])) for key, item in found.items()}

    def mark_published(
        self, kind: str, events: Mapping[str, PublishedEvent], seconds: int | None = None
    ) -> None:
        """Store published events by document id; they expire after ``seconds``, or never."""
        expiry = {} if seconds is None else {"expires_at": int(self._clock()) + seconds}
        records = {
            self._published_key(kind, identifier): {"what": event.state, "at": event.at, **expiry}
            for identifier, event in events.items()
        }
        keys = list(records)
        for start in range(0, len(keys), _WRITTEN_AT_ONCE):
            self._table.put_many({key: records[key] for key in keys[start : start + _WRITTEN_AT_ONCE]})

    def _state_key(self, part: str) -> str:
        return Document(self._connection, "sweep", part).key

    def _published_key(self, kind: str, identifier: str) -> str:
        return Document(self._connection, "sweep-told", f"{kind}-{identifier}").key
