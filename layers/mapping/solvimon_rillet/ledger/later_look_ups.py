"""Documents to look for in Rillet once more, because an earlier attempt to send them may still arrive.

::

    {connection}#later-look-up#{kind}-{id}   when; in the index as `due` until it is done
"""

from collections.abc import Iterator
from dataclasses import dataclass

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.ledger.record_store import BY_STATE
from solvimon_rillet.ledger.records import SCHEMA, Document

LATER_SECONDS = 26 * 3600
"""Rillet forgets an idempotency key after 24 hours; what arrives until then is found."""
_LOOK_UP_TTL = 24 * 3600
_KIND, _DUE = "later-look-up", "due"


@dataclass(frozen=True, slots=True)
class LaterLookUp:
    """A document to look for once more, from a time on (unix seconds)."""

    document: Document
    at: int


class LaterLookUps:
    """The documents of one connection that are looked for once more.

    Every method may raise ``RetryLater`` when DynamoDB does not answer.

    Args:
        connection: its name.
        table: the ledger's table.
    """

    def __init__(self, connection: str, table: Table) -> None:
        self._connection = connection
        self._table = table

    def schedule(self, document: Document, called_at: int) -> None:
        """Look for a document a day after a call (unix seconds); a later call moves the time."""
        key = self._key(document)
        facts = {"state": _DUE, "listed": key.index_key(_DUE), "updated_at": called_at + LATER_SECONDS}
        self._table.put(key.key, {"schema_version": SCHEMA, **facts})

    def scheduled(self) -> Iterator[LaterLookUp]:
        """All documents that are to be looked for, the earliest first."""
        every = Document(self._connection, _KIND, "")
        for item in self._table.query(BY_STATE, "listed", every.index_key(_DUE)):
            kind, _, identifier = str(item["pk"]).removeprefix(every.key).partition("-")
            yield LaterLookUp(Document(self._connection, kind, identifier), int(item["updated_at"]))

    def finish(self, document: Document, now: int) -> None:
        """Note that a document was looked for; the item expires a day later."""
        facts = {"schema_version": SCHEMA, "state": "done", "expires_at": now + _LOOK_UP_TTL}
        self._table.put(self._key(document).key, facts)

    def _key(self, document: Document) -> Document:
        return Document(self._connection, _KIND, f"{document.kind}-{document.id}")
