"""What the sweep remembers of a connection: when it began, how far it has come, what it has told of.

::

    {connection}#sweep#begun             moment of the very first sweep
    {connection}#sweep#payments          up to which moment all that changed in Rillet has been told
    {connection}#sweep#customers         how many pages of Solvimon's customers have been looked at
    {connection}#sweep-told#{kind}-{id}  what was told of a document last, and when
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item, Table
from solvimon_rillet.ledger.ledger import SCHEMA, Document

_READ_AT_ONCE = 100  # what DynamoDB takes in one request
_WRITTEN_AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """What was told of a document.

    Attributes:
        state: which state of the document it was; another state is news.
        at: unix seconds; 0 where the state was only looked at.
    """

    state: str
    at: int


class SweepState:
    """The memory of one connection's sweeps.

    Every method may raise ``RetryLater`` when DynamoDB does not answer.

    Args:
        connection: its name.
        table: the table.
        clock: unix seconds.
    """

    def __init__(self, connection: str, table: Table, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._table = table
        self._clock = clock

    def first_started_at(self) -> int | None:
        """When the very first sweep began, in unix seconds."""
        return self.watermark("begun")

    def record_first_start(self) -> int:
        """Note the very first sweep; the answer is when it began, which later ones do not change."""
        with contextlib.suppress(ConditionFailed):
            facts = {"schema_version": SCHEMA, "reached": int(self._clock())}
            self._table.put(self._state_key("begun"), facts, "attribute_not_exists(pk)")
        return self.first_started_at() or 0

    def watermark(self, part: str) -> int | None:
        """How far a part of the sweep has come; ``None`` before its first time."""
        item = self._table.get(self._state_key(part))
        return int(item["reached"]) if item else None

    def advance_watermark(self, part: str, reached: int) -> None:
        """Note how far a part has come. A sweep that overtook this one stays ahead."""
        with contextlib.suppress(ConditionFailed):
            self._table.put(
                self._state_key(part),
                {"schema_version": SCHEMA, "reached": reached},
                "attribute_not_exists(pk) OR reached < :reached",
                {":reached": reached},
            )

    def published(self, kind: str, ids: Iterable[str]) -> dict[str, PublishedEvent]:
        """What was told of documents, those of which something was, by id."""
        keys = {self._published_key(kind, identifier): identifier for identifier in ids}
        keys_to_read, found = list(keys), dict[str, Item]()
        for start in range(0, len(keys_to_read), _READ_AT_ONCE):
            found |= self._table.get_many(keys_to_read[start : start + _READ_AT_ONCE])
        return {keys[key]: PublishedEvent(str(item["what"]), int(item["at"])) for key, item in found.items()}

    def mark_published(
        self, kind: str, events: Mapping[str, PublishedEvent], seconds: int | None = None
    ) -> None:
        """Remember what was told of documents, by id; ``seconds`` limits for how long."""
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
