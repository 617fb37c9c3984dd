"""The demo's own auditor: it compares what Solvimon billed with what Rillet booked.

It reads both twins' state and takes no word of the product's for an amount.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.stack import Connection, LocalStack

Json = dict[str, Any]

REFERENCE = "solvimon_invoice_id"
"""External reference type under which Rillet keeps the id of a Solvimon invoice."""


@dataclass(frozen=True)
class Amounts:
    """What one side says of an invoice, in major units of its currency."""

    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(frozen=True)
class Booked:
    """An invoice as Rillet has it."""

    number: str
    amounts: Amounts


@dataclass(frozen=True)
class Pair:
    """A final Solvimon invoice beside every Rillet invoice that refers to it.

    Attributes:
        connection: its name.
        id: Solvimon's id.
        number: Solvimon's number.
        customer: the customer's name.
        state: what the ledger says; shown to people.
        billed: Solvimon's amounts.
        booked: Rillet's invoices, oldest first.
    """

    connection: str
    id: str
    number: str
    customer: str
    state: str
    billed: Amounts
    booked: tuple[Booked, ...]

    @property
    def exported(self) -> bool:
        """Whether Rillet has the invoice and the ledger knows it."""
        return bool(self.booked) and self.state == "exported"

    @property
    def difference(self) -> Decimal:
        """How far the gross totals are apart; all of it where Rillet has nothing, or another currency."""
        return self._apart(self.billed.gross, [booked.amounts.gross for booked in self.booked])

    @property
    def difference_inside(self) -> Decimal:
        """How far net and tax are apart, which equal totals could hide."""
        net = self._apart(self.billed.net, [booked.amounts.net for booked in self.booked])
        return net + self._apart(self.billed.tax, [booked.amounts.tax for booked in self.booked])

    @property
    def agrees(self) -> bool:
        """Whether both sides say the same."""
        return self.exported and not self.difference and not self.difference_inside

    def _apart(self, billed: Decimal, booked: list[Decimal]) -> Decimal:
        if not booked or self.booked[0].amounts.currency != self.billed.currency:
            return abs(billed)
        return abs(billed - booked[0])


@dataclass(frozen=True)
class Audit:
    """What was found in the books of all connections.

    Attributes:
        pairs: all final invoices.
        duplicates: how many invoices Rillet has beyond one for each.
        misplaced: ids of one connection's invoices and customers that are in another one's books, or in the
            ledger under another one's name.
    """

    pairs: tuple[Pair, ...]
    duplicates: int
    misplaced: tuple[str, ...] = ()

    @property
    def connections(self) -> int:
        """How many connections have an invoice in Rillet."""
        return len({pair.connection for pair in self.pairs if pair.exported})

    @property
    def difference(self) -> Decimal:
        """Sum of the absolute differences of the gross totals, over all currencies."""
        return sum((pair.difference for pair in self.pairs), Decimal(0))

    @property
    def exported(self) -> int:
        """How many invoices are in Rillet."""
        return sum(pair.exported for pair in self.pairs)

    def by_books(self) -> dict[tuple[str, str], list[Pair]]:
        """Return the pairs by connection and by the currency that Solvimon billed."""
        found: defaultdict[tuple[str, str], list[Pair]] = defaultdict(list)
        for pair in self.pairs:
            found[pair.connection, pair.billed.currency].append(pair)
        order = list(dict.fromkeys(pair.connection for pair in self.pairs))
        return dict(sorted(found.items(), key=lambda books: (order.index(books[0][0]), books[0][1])))

    def problems(self) -> list[str]:
        """Say in plain words what is not right; nothing when the books agree."""
        found = []
        for pair in self.pairs:
            if not pair.exported:
                found.append(f"{pair.number} ({pair.customer}) did not reach Rillet: it is {pair.state}.")
            elif pair.difference or pair.difference_inside:
                billed, booked = pair.billed, pair.booked[0].amounts
                found.append(
                    f"{pair.number} ({pair.customer}) is {_told(billed)} in Solvimon and {_told(booked)} in "
                    f"Rillet's {pair.booked[0].number}."
                )
        if self.duplicates:
            found.append(f"Rillet has {self.duplicates} invoice(s) beyond one for each Solvimon invoice.")
        if self.misplaced:
            found.append(f"In another connection's books: {', '.join(self.misplaced)}.")
        return found


def audit(stack: LocalStack) -> Audit:
    """Compare both sides' books of all connections, as they are now."""
    pairs: list[Pair] = []
    duplicates = 0
    for connection in stack.connections.values():
        found = _pairs(stack, connection)
        pairs += found
        # Invoices that refer to nothing Solvimon knows count too: a lost reference must not hide a double.
        duplicates += len(connection.organisation.invoices) - sum(bool(pair.booked) for pair in found)
    return Audit(tuple(pairs), duplicates, tuple(sorted(_misplaced(stack))))


def booked_for(connection: Connection, invoice_id: str) -> list[Json]:
    """Return Rillet's invoices that refer to a Solvimon invoice, oldest first."""
    return [
        invoice
        for invoice in connection.organisation.invoices.documents()
        if invoice_id in _refers_to(invoice)
    ]


def _pairs(stack: LocalStack, connection: Connection) -> list[Pair]:
    states = {
        item["pk"]: str(item["state"])
        for item in stack.ledger()
        if item["sk"] == "RECORD" and "state" in item
    }
    with connection.platform.lock:
        invoices = [i for i in connection.platform.records["invoices"].values() if i["status"] == "FINAL"]
    return [
        Pair(
            connection=connection.name,
            id=invoice["id"],
            number=invoice["invoice_number"],
            customer=_name(invoice["customer"]),
            state=states.get(f"{connection.name}#invoice#{invoice['id']}", "not known to the ledger"),
            billed=_billed(invoice),
            booked=tuple(_booked(found) for found in booked_for(connection, invoice["id"])),
        )
        for invoice in sorted(invoices, key=lambda invoice: str(invoice["invoice_number"]))
    ]


def _misplaced(stack: LocalStack) -> set[str]:
    owned = {name: _own_ids(connection) for name, connection in stack.connections.items()}
    ledger = [item["pk"].split("#") for item in stack.ledger()]
    found = set[str]()
    for name, connection in stack.connections.items():
        books = connection.organisation
        named = {part for owner, *parts in ledger if owner == name for part in parts}
        for document in (*books.invoices.documents(), *books.customers.documents()):
            named |= {reference["id"] for reference in document.get("external_references") or ()}
        found |= named & set[str]().union(*(ids for owner, ids in owned.items() if owner != name))
    return found


def _own_ids(connection: Connection) -> set[str]:
    with connection.platform.lock:
        return {*connection.platform.records["invoices"], *connection.platform.records["customers"]}


def _billed(invoice: Json) -> Amounts:
    summary, gross = invoice["tax_summary"], invoice["invoice_amount_including_tax"]
    return Amounts(
        gross["currency"],
        Decimal(summary["base_amount"]["quantity"]),
        Decimal(summary["tax_amount"]["quantity"]),
        Decimal(gross["quantity"]),
    )


def _booked(invoice: Json) -> Booked:
    net, tax, gross = (Decimal(invoice[name]["amount"]) for name in ("net_amount", "taxed_amount", "total"))
    return Booked(invoice["invoice_number"], Amounts(invoice["total"]["currency"], net, tax, gross))


def _refers_to(invoice: Mapping[str, Any]) -> set[str]:
    references: Iterable[Json] = invoice.get("external_references") or ()
    return {reference["id"] for reference in references if reference["type"] == REFERENCE}


def _name(customer: Json) -> str:
    if "organization" in customer:
        return str(customer["organization"]["legal_name"])
    name = customer["individual"]["name"]
    return " ".join(filter(None, (name.get("first_name"), name.get("infix"), name.get("last_name"))))


def _told(amounts: Amounts) -> str:
    return f"{amounts.net} + {amounts.tax} = {amounts.gross} {amounts.currency}"
