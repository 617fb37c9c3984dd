"""The demo's own auditor: it compares what Solvimon billed and credited with what Rillet booked.

It reads both fakes' state and takes no word of the product's for an amount.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from local.demo.books import Amounts, Json, Pair, pairs_of
from local.system import Connection, LocalSystem


@dataclass(frozen=True)
class Audit:
    """What was found in the books of all connections.

    Attributes:
        pairs: all final invoices.
        notes: all final credit notes.
        double_invoices: how many invoices Rillet has beyond one for each.
        double_memos: how many credit memos Rillet has beyond one for each credit note.
        misplaced: ids of one connection's invoices, credit notes and customers that are in another one's
            books, or in the ledger under another one's name.
    """

    pairs: tuple[Pair, ...]
    notes: tuple[Pair, ...] = ()
    double_invoices: int = 0
    double_memos: int = 0
    misplaced: tuple[str, ...] = ()

    @property
    def duplicates(self) -> int:
        """How many documents Rillet has beyond one for each of Solvimon's."""
        return self.double_invoices + self.double_memos

    @property
    def connections(self) -> int:
        """How many connections have an invoice in Rillet."""
        return len({pair.connection for pair in self.pairs if pair.exported})

    @property
    def difference(self) -> Decimal:
        """Sum of the absolute differences of the gross totals, over all documents and currencies."""
        return sum((pair.difference for pair in (*self.pairs, *self.notes)), Decimal(0))

    @property
    def exported(self) -> int:
        """How many invoices are in Rillet."""
        return sum(pair.exported for pair in self.pairs)

    def problems(self) -> list[str]:
        """Say in plain words what is not right; nothing when the books agree."""
        found = [*chain.from_iterable(_problems(pair) for pair in (*self.pairs, *self.notes))]
        if self.double_invoices:
            found.append(
                f"Rillet has {self.double_invoices} invoice(s) beyond one for each Solvimon invoice."
            )
        if self.double_memos:
            found.append(f"Rillet has {self.double_memos} credit memo(s) beyond one for each credit note.")
        if self.misplaced:
            found.append(f"In another connection's books: {', '.join(self.misplaced)}.")
        return found


def audit(system: LocalSystem) -> Audit:
    """Compare both sides' books of all connections, as they are now."""
    pairs, notes = list[Pair](), list[Pair]()
    ledger = system.ledger()
    invoices = memos = 0
    for connection in system.connections.values():
        found, credited = pairs_of(connection, ledger)
        pairs += found
        notes += credited
        # What refers to nothing Solvimon knows counts too: a lost reference must not hide a double.
        invoices += len(connection.organisation.invoices) - sum(bool(pair.booked) for pair in found)
        memos += len(connection.organisation.credit_memos) - sum(bool(pair.booked) for pair in credited)
    return Audit(tuple(pairs), tuple(notes), invoices, memos, tuple(sorted(_misplaced(system, ledger))))


def _problems(pair: Pair) -> Iterator[str]:
    if not pair.exported:
        yield f"{pair.number} ({pair.customer}) did not reach Rillet: it is {pair.state}."
    elif pair.difference or pair.difference_inside:
        billed, booked = pair.billed, pair.booked[0]
        yield (
            f"{pair.number} ({pair.customer}) is {_told(billed)} in Solvimon and {_told(booked.amounts)} in "
            f"Rillet's {booked.number}."
        )


def _misplaced(system: LocalSystem, ledger: list[Json]) -> set[str]:
    owned = {name: _own_ids(connection) for name, connection in system.connections.items()}
    keys = [item["pk"].split("#") for item in ledger]
    found = set[str]()
    for name, connection in system.connections.items():
        books = connection.organisation
        named = {part for owner, *parts in keys if owner == name for part in parts}
        for collection in (books.invoices, books.credit_memos, books.customers):
            for document in collection.documents():
                named |= {reference["id"] for reference in document.get("external_references") or ()}
        found |= named & set[str]().union(*(ids for owner, ids in owned.items() if owner != name))
    return found


def _own_ids(connection: Connection) -> set[str]:
    """The ids of a connection's customers and of its invoices, which credit notes are among."""
    with connection.platform.lock:
        return {*connection.platform.records["invoices"], *connection.platform.records["customers"]}


def _told(amounts: Amounts) -> str:
    return f"{amounts.net} + {amounts.tax} = {amounts.gross} {amounts.currency}"
