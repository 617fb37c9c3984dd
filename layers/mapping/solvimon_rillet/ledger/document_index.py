"""Rows that find documents without their id: by number, by the customer's name, and the newest of a kind.

::

    {connection}#number#{NUMBER}         {kind}#{id}                   of Solvimon or of Rillet
    {connection}#name#{first letter}     {name}#{time}#{kind}#{id}     of the customer, in lower case
    {connection}#newest#{kind}           {time}#{id}
    {connection}#payer#{customer id}     {kind}#{id}                   of the customer that is billed

A row says where the document's record is, never what is in it, so a row that is left over does no harm. The
rows are written before the record has the fact that they stand for: a crash in between repeats them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from solvimon_rillet.aws.dynamodb import Item, Table
from solvimon_rillet.formatting import clip
from solvimon_rillet.ledger.records import SCHEMA, Document

INDEXED_AT = "indexed_at"
"""Attribute of a record: since when it has its rows (unix seconds)."""
_INDEXED_TYPES = ("invoice", "credit_memo", "customer", "payment")
_MAX_VALUE = 200  # bytes of a number or a name within a key
_TIME = "{:012d}"


class DocumentIndex:
    """Writes and reads the rows of all connections; every method may raise ``RetryLater``.

    Args:
        table: the ledger's table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, document: Document, record: Item, facts: Mapping[str, Any], now: int) -> dict[str, int]:
        """Write the rows that a change of a record calls for.

        Args:
            document: the document.
            record: its record before the change.
            facts: the change.
            now: unix seconds.

        Returns:
            What the change must write as well: since when the record has its rows.
        """
        if document.kind not in _INDEXED_TYPES:
            return {}
        self._table.put_rows(_index_rows(document, record, facts, now), {"schema_version": SCHEMA})
        return {} if INDEXED_AT in record else {INDEXED_AT: now}

    def remove(self, document: Document, record: Item) -> None:
        """Delete the rows of a record that is deleted."""
        if INDEXED_AT in record:
            for key, sort_key in _index_rows(document, {}, record, int(record[INDEXED_AT])):
                self._table.delete_row(key, sort_key)

    def remove_name(self, document: Document, record: Item) -> None:
        """Delete the row with the customer's name of a record, because the customer is erased."""
        if row := _name_row(document, record, int(record.get(INDEXED_AT, 0))):
            self._table.delete_row(*row)

    def with_number(self, connection: str, number: str, limit: int) -> list[Document]:
        """The documents with a number, of Solvimon or of Rillet."""
        rows = self._table.rows(_number_key(connection, number), limit=limit) if number.strip() else []
        return [Document(connection, *str(row["sk"]).split("#", 1)) for row in rows]

    def with_name(
        self, connection: str, prefix: str, limit: int, before: str = ""
    ) -> tuple[list[tuple[Document, str]], str]:
        """The documents of customers whose name begins with a text.

        Args:
            connection: its name.
            prefix: the begin of the name, in any case.
            limit: number of documents, at most.
            before: where the page before ended.

        Returns:
            The documents, each with its place in the list, and the place where the page ended; an empty text
            after the last one.
        """
        begin = _customer_name(prefix)
        rows = (
            self._table.rows(_name_key(connection, begin), begin, limit=limit, before=before) if begin else []
        )
        found = [(Document(connection, *str(row["sk"]).rsplit("#", 2)[1:]), str(row["sk"])) for row in rows]
        return found, _end(rows, limit)

    def newest(
        self, connection: str, kind: str, limit: int, before: str = ""
    ) -> tuple[list[tuple[Document, str]], str]:
        """The documents of a kind, the newest first; arguments and result as in ``with_name``."""
        rows = self._table.rows(f"{connection}#newest#{kind}", limit=limit, before=before)
        places = [str(row["sk"]) for row in rows]
        found = [(Document(connection, kind, place.partition("#")[2]), place) for place in places]
        return found, _end(rows, limit)

    def of_customer(
        self, connection: str, customer_id: str, limit: int, before: str = ""
    ) -> tuple[list[Document], str]:
        """The documents of a customer, and its own, and the place where the page ended."""
        rows = self._table.rows(_payer_key(connection, customer_id), limit=limit, before=before)
        return [Document(connection, *str(row["sk"]).split("#", 1)) for row in rows], _end(rows, limit)

    def is_complete(self, connection: str, kind: str) -> bool:
        """Whether every record of a kind has its row, as ``mark_complete`` noted."""
        return self._table.get(_complete_key(connection, kind)) is not None

    def mark_complete(self, connection: str, kind: str) -> None:
        """Note that no record is from a version that wrote no rows."""
        self._table.put(_complete_key(connection, kind), {"schema_version": SCHEMA})

    def first_time(self, connection: str, kind: str) -> int | None:
        """The time of the oldest row of ``newest``: records that have none were last changed before it."""
        rows = self._table.rows(f"{connection}#newest#{kind}", limit=1, oldest_first=True)
        return int(str(rows[0]["sk"]).partition("#")[0]) if rows else None


def _index_rows(
    document: Document, record: Item, facts: Mapping[str, Any], now: int
) -> Iterable[tuple[str, str]]:
    """The rows of a record that it does not have yet."""
    after, is_new = {**record, **facts}, INDEXED_AT not in record
    at, connection = _TIME.format(int(record.get(INDEXED_AT, now))), document.connection
    kind_and_id = f"{document.kind}#{document.id}"

    def changed(fact: str) -> bool:
        return bool(after.get(fact)) and (is_new or after[fact] != record.get(fact))

    rows = dict[tuple[str, str], None]()  # Rillet's number is often Solvimon's
    for fact in ("number", "rillet_number"):
        if changed(fact):
            rows[_number_key(connection, str(after[fact])), kind_and_id] = None
    if changed("customer") and (row := _name_row(document, after, int(at))):
        rows[row] = None
    if changed("payer_id"):
        rows[_payer_key(connection, str(after["payer_id"])), kind_and_id] = None
    if is_new:
        rows[f"{connection}#newest#{document.kind}", f"{at}#{document.id}"] = None
    return rows


def _complete_key(connection: str, kind: str) -> str:
    return f"{connection}#newest-complete#{kind}"


def _name_row(document: Document, record: Mapping[str, Any], at: int) -> tuple[str, str] | None:
    name = _customer_name(str(record.get("customer") or ""))
    if not name:
        return None
    return _name_key(document.connection, name), f"{name}#{_TIME.format(at)}#{document.kind}#{document.id}"


def _payer_key(connection: str, customer_id: str) -> str:
    return f"{connection}#payer#{customer_id}"


def _number_key(connection: str, number: str) -> str:
    return f"{connection}#number#{clip(number.strip().upper(), _MAX_VALUE)}"


def _name_key(connection: str, name: str) -> str:
    return f"{connection}#name#{name[0]}"


def _customer_name(text: str) -> str:
    return clip(" ".join(text.casefold().split()), _MAX_VALUE)


def _end(rows: list[Item], limit: int) -> str:
    return str(rows[-1]["sk"]) if len(rows) == limit else ""
