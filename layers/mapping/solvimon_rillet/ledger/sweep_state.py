"""The state of a connection's sweeps: the first start, how far each part is, and the published events.

::

    {connection}#sweep#progress          how far the parts are; read at the start and written at the end
    {connection}#sweep#begun             time of the very first sweep
    {connection}#sweep-told#{kind}-{id}  the last event that was published for a document, and when

Earlier versions kept a record per watermark; it is read where there is no ``progress`` yet::

    {connection}#sweep#payments          watermark: changes in Rillet before it are published
    {connection}#sweep#documents         the same while payments are not synchronised
    {connection}#sweep#customers         number of pages of Solvimon's customers that were compared
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item, Table
from solvimon_rillet.ledger.ledger import SCHEMA, Document

_KEYS_A_READ = 100  # limits of DynamoDB's batch requests
_WRITTEN_AT_ONCE = 25
_WATERMARKS = ("payments", "documents", "customers")
_SAVE_SECONDS = 30
_MAX_WRITE_ATTEMPTS = 5  # of a write of the progress beside other sweeps of the connection


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

    The progress is read on first use, changed in memory, and written by ``save``. Of two sweeps at the same
    time both are kept: a watermark never goes back.

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
        self._read: Item | None = None
        self._changed: Item = {}
        self._saved_at = clock()

    def first_started_at(self) -> int | None:
        """The start of the very first sweep, in unix seconds."""
        begun = self._progress.get("begun")
        return None if begun is None else int(begun)

    def record_first_start(self) -> int:
        """Store the start of the very first sweep, if there is none yet, and return the stored one."""
        if (begun := self.first_started_at()) is not None:
            return begun
        key = self._state_key("begun")
        with contextlib.suppress(ConditionFailed):
            facts = {"schema_version": SCHEMA, "reached": int(self._clock())}
            self._table.put(key, facts, "attribute_not_exists(pk)")
        begun = int((self._table.get(key) or {}).get("reached", 0))
        self._changed["begun"] = begun
        return begun

    def watermark(self, part: str) -> int | None:
        """The watermark of a part of the sweep; ``None`` before its first run."""
        reached = self._progress.get(part)
        return None if reached is None else int(reached)

    def advance_watermark(self, part: str, reached: int) -> None:
        """Advance the watermark of a part. It never goes back, even if a later sweep was faster."""
        before = self.watermark(part)
        if before is None or before < reached:
            self._changed[part] = reached

    def note(self, name: str, value: Any) -> None:  # noqa: ANN401 - what DynamoDB takes
        """Remember a value, such as a part's position, under a name of its own; ``None`` forgets it."""
        self._changed[name] = value

    def noted(self, name: str) -> Any:  # noqa: ANN401
        """A remembered value, or ``None``."""
        return self._progress.get(name)

    def noted_time(self, name: str) -> int:
        """A remembered moment in unix seconds; 0 if there is none."""
        return int(self.noted(name) or 0)

    def save_now_and_then(self) -> None:
        """Write what changed if nothing was written for half a minute: a crash repeats no more than that."""
        if self._clock() - self._saved_at >= _SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Write what changed since it was read."""
        self._saved_at = self._clock()
        for _ in range(_MAX_WRITE_ATTEMPTS):
            if not self._changed:
                return
            before = self._stored
            facts = {name: value for name, value in self._progress.items() if value is not None}
            version = int(before.get("version", 0))
            written = {**facts, "schema_version": SCHEMA, "version": version + 1}
            try:
                self._table.put(
                    self._state_key("progress"),
                    written,
                    "attribute_not_exists(pk) OR version = :read",
                    {":read": version},
                )
            except ConditionFailed:
                self._merge()
            else:
                self._read, self._changed = written, {}

    def published(self, kind: str, ids: Iterable[str]) -> dict[str, PublishedEvent]:
        """The last published events of documents that have one, by id."""
        keys = {self._published_key(kind, identifier): identifier for identifier in ids}
        keys_to_read, found = list(keys), dict[str, Item]()
        for start in range(0, len(keys_to_read), _KEYS_A_READ):
            found |= self._table.get_many(keys_to_read[start : start + _KEYS_A_READ])
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

    @property
    def _progress(self) -> Item:
        return {**self._stored, **self._changed}

    @property
    def _stored(self) -> Item:
        if self._read is None:
            self._read = self._table.get(self._state_key("progress")) or self._of_earlier_versions()
        return self._read

    def _of_earlier_versions(self) -> Item:
        keys = {self._state_key(part): part for part in ("begun", *_WATERMARKS)}
        found = self._table.get_many(keys)
        return {keys[key]: int(item["reached"]) for key, item in found.items()}

    def _merge(self) -> None:
        """Take over what another sweep wrote meanwhile, and keep our watermarks that are further."""
        changed, self._read, self._changed = self._changed, None, {}
        for name, value in changed.items():
            if name in _WATERMARKS:
                self.advance_watermark(name, value)
            else:
                self.note(name, value)

    def _state_key(self, part: str) -> str:
        return Document(self._connection, "sweep", part).key

    def _published_key(self, kind: str, identifier: str) -> str:
        return Document(self._connection, "sweep-told", f"{kind}-{identifier}").key
