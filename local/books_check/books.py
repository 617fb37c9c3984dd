"""The books of a connection: each final Solvimon document beside everything in Rillet that refers to it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from local.books_check.documents import RilletDocument, SolvimonDocument
from local.books_check.records import LINKS, ConnectionRecords, Json, customer_name, read_records, rillet_ids
from local.system import Connection

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Pair:
    """A final Solvimon document beside Rillet's.

    Attributes:
        connection: its name.
        customer: the customer's name on the document.
        state: the ledger's state; shown to people.
        solvimon: Solvimon's document.
        rillet: Rillet's invoices or credit memos that refer to it, oldest first.
    """

    connection: str
    customer: str
    state: str
    solvimon: SolvimonDocument
    rillet: tuple[RilletDocument, ...] = ()

    def __str__(self) -> str:
        return f"{self.solvimon.number} ({self.customer})"

    @property
    def exported(self) -> bool:
        """Whether Rillet has the document and the ledger knows it."""
        return bool(self.rillet) and self.state == "exported"

    @property
    def difference(self) -> Decimal:
        """How far the gross totals are apart; all of it where Rillet has nothing, or another currency."""
        gross, currency = self.solvimon.amounts.gross, self.solvimon.amounts.currency
        if not self.rillet or self.rillet[0].amounts.currency != currency:
            return abs(gross)
        return abs(gross - self.rillet[0].amounts.gross)

    @property
    def agrees(self) -> bool:
        """Whether both sides have the same net amount, tax, gross total and currency."""
        return self.exported and self.rillet[0].amounts == self.solvimon.amounts


@dataclass(frozen=True)
class BothSides:
    """Both sides of a connection.

    Attributes:
        connection: its name.
        pairs: the final documents, by number.
        unmatched: Rillet's invoices and credit memos that belong to no final document of their type.
        received: by Rillet invoice, the sum of its payments that did not fail.
        credited: by Rillet invoice, the sum of the credit memos applied to it.
        records: what all this was read from.
        marks_as_sent: the connection's exports mark invoices as sent.
    """

    connection: str
    pairs: tuple[Pair, ...]
    unmatched: tuple[tuple[str, RilletDocument], ...]
    received: defaultdict[str, Decimal]
    credited: defaultdict[str, Decimal]
    records: ConnectionRecords
    marks_as_sent: bool = True

    @cached_property
    def links(self) -> Mapping[str, dict[str, list[str]]]:
        """The Rillet ids that Solvimon's records are linked to, by collection and Solvimon's id."""
        return {
            name: {one["id"]: rillet_ids(one, name) for one in self.records.solvimon.get(name, ())}
            for name in LINKS
        }

    def due(self, invoice: RilletDocument) -> Decimal:
        """Return how much of an invoice is open after payments and credit memos."""
        return invoice.amounts.gross - self.received[invoice.id] - self.credited[invoice.id]


def read_books(
    connection: Connection, ledger: Iterable[Json], covers: Mapping[str, Decimal] | None = None
) -> BothSides:
    """Read both sides of a connection as they are now.

    Args:
        connection: which one.
        ledger: the items of the product's table, of which only the state of a document is taken.
        covers: by payment in another currency, how much of its invoice it covers.
    """
    states = {item["pk"]: str(item["state"]) for item in ledger if item["sk"] == "RECORD" and "state" in item}
    records = read_records(connection)
    invoices, memos = (
        tuple(map(RilletDocument.of, records.rillet[name])) for name in ("invoices", "credit_memos")
    )
    pairs = list[Pair]()
    for record in records.solvimon["invoices"]:
        if record["status"] != "FINAL":
            continue
        document = SolvimonDocument.of(record)
        kind = "credit_memo" if document.is_credit_note else "invoice"
        found = memos if document.is_credit_note else invoices
        pairs.append(
            Pair(
                connection=connection.name,
                customer=customer_name(_shown_customer(record, records)),
                state=states.get(f"{connection.name}#{kind}#{document.id}", "not known to the ledger"),
                solvimon=document,
                rillet=tuple(one for one in found if document.id in one.refers_to),
            )
        )
    matched = {one.id for pair in pairs for one in pair.rillet}
    named = [*(("invoice", one) for one in invoices), *(("credit memo", one) for one in memos)]
    return BothSides(
        connection=connection.name,
        pairs=tuple(sorted(pairs, key=lambda pair: pair.solvimon.number)),
        unmatched=tuple((name, one) for name, one in named if one.id not in matched),
        received=_summed(_payments(records, covers or {})),
        credited=_summed(applied for memo in memos for applied in memo.applied.items()),
        records=records,
        marks_as_sent=bool(connection.settings.get("mark_as_sent", True)),
    )


def by_currency(pairs: Iterable[Pair]) -> dict[tuple[str, str], list[Pair]]:
    """Return the pairs by connection, in their order, and by the currency that Solvimon billed."""
    found: defaultdict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[pair.connection, pair.solvimon.amounts.currency].append(pair)
    order = list(dict.fromkeys(connection for connection, _ in found))
    return dict(sorted(found.items(), key=lambda books: (order.index(books[0][0]), books[0][1])))


def _shown_customer(record: Json, records: ConnectionRecords) -> Json:
    """The customer as the document shows it, or as it is now."""
    if "customer" in record:
        return dict(record["customer"])
    return next(one for one in records.solvimon["customers"] if one["id"] == record["customer_id"])


def _payments(records: ConnectionRecords, covers: Mapping[str, Decimal]) -> Iterator[tuple[str, Decimal]]:
    for payment in records.rillet["payments"]:
        if payment["status"] != "FAILED":
            amount = Decimal(payment["amount"]["amount"])
            yield payment["invoice_id"], covers.get(payment["id"], amount)


def _summed(amounts: Iterable[tuple[str, Decimal]]) -> defaultdict[str, Decimal]:
    found = defaultdict[str, Decimal](Decimal)
    for key, amount in amounts:
        found[key] += amount
    return found
