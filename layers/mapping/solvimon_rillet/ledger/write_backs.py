"""The write-backs that failed, listed by the time of their next attempt.

::

    {connection}#write-back#{kind}-{id}       a document that Solvimon does not show as exported
    {connection}#link-invoice-field#{name}    a custom field of invoices that was found in Solvimon
"""

from collections.abc import Iterator, Mapping
from typing import Any

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.ledger.record_store import BY_STATE, RecordStore
from solvimon_rillet.ledger.records import FINISHED, SCHEMA, Document

_KIND = "write-back"
_DUE = "due"


class WriteBacks:
    """The failed write-backs of one connection.

    Every method may raise ``RetryLater`` when DynamoDB does not answer.
    """

    def __init__(self, connection: str, table: Table) -> None:
        self._connection = connection
        self._table = table

    def schedule(self, document: Document, at: int) -> None:
        """List a document for another attempt; ``at`` is in unix seconds."""
        row = self._row(document)
        facts = {"schema_version": SCHEMA, "state": _DUE, "listed": row.index_key(_DUE), "updated_at": at}
        self._table.put(row.key, facts)

    def remove(self, document: Document) -> None:
        """Take a document from the list."""
        self._table.pop(self._row(document).key)

    def due(self, now: int) -> Iterator[tuple[Document, int]]:
        """The documents whose next attempt is due, with its time, longest due first."""
        prefix = f"{self._connection}#{_KIND}#"
        for item in self._table.query(BY_STATE, "listed", f"{prefix}{_DUE}"):
            at = int(item["updated_at"])
            if at > now:
                return
            kind, _, identifier = str(item["pk"]).removeprefix(prefix).partition("-")
            yield Document(self._connection, kind, identifier), at

    def _row(self, document: Document) -> Document:
        return Document(self._connection, _KIND, f"{document.kind}-{document.id}")


def next_attempt(record: Mapping[str, Any]) -> int | None:
    """When a finished document's write-back is due, in unix seconds; ``None`` if it is not to be tried."""
    progress = record.get("write_back") or {}
    return int(progress["next"]) if "next" in progress else None


def request_again(ledger: RecordStore, document: Document) -> None:
    """Make the write-back of a finished document due at once: a user requests the document by its id."""
    record = ledger.read(document) or {}
    progress = record.get("write_back") or {}
    if record.get("state") in FINISHED and progress and "rillet_id" not in progress:
        ledger.add_facts(document, {"write_back": {**progress, "next": 0}})
