"""The state of the imports: each row with its fingerprint, the lease of the running import, the watermark.

::

    {connection}#import-customer#{rillet id}    solvimon_id, hash of the imported row, its outcome and run
    {connection}#import-run#customers           lease of the running import; it expires
    {connection}#import-watermark#customers     start of the last complete run
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item, Table
from solvimon_rillet.ledger.ledger import SCHEMA, Document


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """The stored state of a row.

    Attributes:
        solvimon_id: the record in Solvimon; empty for a row that was skipped.
        hash: fingerprint of the imported row.
        outcome: the outcome of its import, such as ``created``.
        run: name of the run that wrote it.
        archived: whether an import has archived it.
        late_at: when a write to the record was sent whose answer was lost (unix seconds); 0 if none was. It
            may arrive over a later one, so imports look at the record again.
    """

    solvimon_id: str
    hash: str
    outcome: str
    run: str
    archived: bool = False
    late_at: int = 0

    def as_item(self) -> Item:
        """The row as an item of the table."""
        return {
            "schema_version": SCHEMA,
            "solvimon_id": self.solvimon_id,
            "hash": self.hash,
            "outcome": self.outcome,
            "run": self.run,
            "archived": self.archived,
            **({"late_at": self.late_at} if self.late_at else {}),
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "ImportedRow":
        """The row in an item of the table."""
        return cls(
            str(item["solvimon_id"]),
            str(item["hash"]),
            str(item["outcome"]),
            str(item["run"]),
            bool(item["archived"]),
            int(item.get("late_at", 0)),
        )


class ImportAlreadyRunning(Exception):
    """Another run holds the lease, ``since`` its start and ``until`` its end (unix seconds)."""

    def __init__(self, since: int, until: int) -> None:
        super().__init__("another import is running")
        self.since = since
        self.until = until


class ImportState:
    """The state of one connection's imports of one resource.

    Every method may raise ``RetryLater`` when DynamoDB does not answer.

    Args:
        connection: name of the connection.
        kind: the resource, such as ``customer``.
        table: the table.
        clock: unix seconds.
    """

    def __init__(self, connection: str, kind: str, table: Table, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._kind = kind
        self._table = table
        self._clock = clock

    def imported_rows(self, rillet_ids: Iterable[str]) -> dict[str, ImportedRow]:
        """The stored state of up to 100 rows, by Rillet id."""
        keys = {self._row_key(rillet_id): rillet_id for rillet_id in rillet_ids}
        return {keys[key]: ImportedRow.from_item(item) for key, item in self._table.get_many(keys).items()}

    def store_row(
        self, rillet_id: str, row: ImportedRow, link: Mapping[str, Any] | None, seconds: int | None
    ) -> None:
        """Store a row, and the link with which an export resolves its Solvimon record.

        Args:
            rillet_id: Rillet's id of the row.
            row: the state to store.
            link: facts of the link (see ``Ledger.store_link``); ``None`` for a row without a record.
            seconds: lifetime of the link; ``None`` for no end.
        """
        records: dict[str, Item] = {self._row_key(rillet_id): row.as_item()}
        if link is not None:
            facts: Item = {"schema_version": SCHEMA, **link}
            if seconds is not None:
                facts["expires_at"] = int(self._clock()) + seconds
            records[Document(self._connection, f"link-{self._kind}", row.solvimon_id).key] = facts
        self._table.put_many(records)

    def forget_row(self, rillet_id: str) -> None:
        """Forget a row, so that the next import compares it with Solvimon again."""
        self._table.pop(self._row_key(rillet_id))

    def acquire_lease(self, run: str, seconds: int, started: int | None = None) -> int:
        """Take the lease for a run, or extend it.

        Args:
            run: its name; a run that is resumed keeps its name.
            seconds: length of the lease.
            started: start of a run that holds the lease already (unix seconds).

        Returns:
            The start of the run, in unix seconds.

        Raises:
            ImportAlreadyRunning: another run holds it.
        """
        now = int(self._clock())
        facts = {"run": run, "started": now if started is None else started, "lease_until": now + seconds}
        try:
            self._table.put(
                self._state_key("import-run"),
                facts,
                "attribute_not_exists(pk) OR run = :run OR lease_until <= :now",
                {":run": run, ":now": now},
            )
        except ConditionFailed:
            held = self._table.get(self._state_key("import-run")) or {}
            raise ImportAlreadyRunning(
                int(held.get("started", now)), int(held.get("lease_until", now))
            ) from None
        return int(facts["started"])  # type: ignore[call-overload,no-any-return]

    def release_lease(self, run: str) -> None:
        """Release the lease, if the run still holds it."""
        try:
            self._table.put(
                self._state_key("import-run"), {"run": run, "lease_until": 0}, "run = :run", {":run": run}
            )
        except ConditionFailed:
            return

    def watermark(self) -> int | None:
        """The start of the last complete run, in unix seconds."""
        item = self._table.get(self._state_key("import-watermark"))
        return int(item["started"]) if item else None

    def set_watermark(self, started: int) -> None:
        """Store the start of a complete run."""
        self._table.put(self._state_key("import-watermark"), {"schema_version": SCHEMA, "started": started})

    def _row_key(self, rillet_id: str) -> str:
        return Document(self._connection, f"import-{self._kind}", rillet_id).key

    def _state_key(self, what: str) -> str:
        return Document(self._connection, what, self._kind).key
