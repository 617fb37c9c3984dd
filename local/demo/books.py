"""Both sides' books as the demo reads them: a Solvimon document beside what Rillet has of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from local.system import Connection

Json = dict[str, Any]

REFERENCE = "solvimon_invoice_id"
"""External reference type under which Rillet keeps the id of a Solvimon invoice or credit note."""
_NOTES = ("CREDIT", "ONE_OFF_CREDIT")


@dataclass(frozen=True)
class Amounts:
    """What one side says of a document, in major units of its currency."""

    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(frozen=True)
class Booked:
    """An invoice or credit memo as Rillet has it; of a memo, how much is applied to which Rillet invoice."""

    number: str
    amounts: Amounts
    applied_to: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """A final Solvimon document beside everything in Rillet that refers to it.

    Amounts of a credit note are what the customer gets, so positive whatever the sign in Solvimon.

    Attributes:
        connection: its name.
        id: Solvimon's id.
        number: Solvimon's number.
        customer: the customer's name.
        state: what the ledger says; shown to people.
        billed: Solvimon's amounts.
        booked: Rillet's invoices or credit memos, oldest first.
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
        """Whether Rillet has the document and the ledger knows it."""
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

    @property
    def once_and_equal(self) -> bool:
        """Whether Rillet has exactly one document with equal amounts, whatever the ledger says."""
        return len(self.booked) == 1 and not self.difference and not self.difference_inside

    @property
    def applied(self) -> Decimal:
        """How much of a credit note's memos is applied to invoices."""
        return sum((sum(one.applied_to.values(), Decimal(0)) for one in self.booked), Decimal(0))

    def _apart(self, billed: Decimal, booked: list[Decimal]) -> Decimal:
        if not booked or self.booked[0].amounts.currency != self.billed.currency:
            return abs(billed)
        return abs(billed - booked[0])


def pairs_of(connection: Connection, ledger: Iterable[Json]) -> tuple[list[Pair], list[Pair]]:
    """Return a connection's final invoices, and apart from them its final credit notes, by number."""
    states = {item["pk"]: str(item["state"]) for item in ledger if item["sk"] == "RECORD" and "state" in item}
    with connection.platform.lock:
        final = [i for i in connection.platform.records["invoices"].values() if i["status"] == "FINAL"]
    invoices, notes = list[Pair](), list[Pair]()
    for document in sorted(final, key=lambda document: str(document["invoice_number"])):
        is_note = document["type"] in _NOTES
        found = (memos_for if is_note else booked_for)(connection, document["id"])
        key = f"{connection.name}#{'credit_memo' if is_note else 'invoice'}#{document['id']}"
        pair = Pair(
            connection=connection.name,
            id=document["id"],
            number=document["invoice_number"],
            customer=name_of(document["customer"]),
            state=states.get(key, "not known to the ledger"),
            billed=_billed(document),
            booked=tuple(_booked(one) for one in found),
        )
        (notes if is_note else invoices).append(pair)
    return invoices, notes


def by_books(pairs: Iterable[Pair]) -> dict[tuple[str, str], list[Pair]]:
    """Return pairs by connection and by the currency that Solvimon billed."""
    found: defaultdict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[pair.connection, pair.billed.currency].append(pair)
    order = list(dict.fromkeys(connection for connection, _ in found))
    return dict(sorted(found.items(), key=lambda books: (order.index(books[0][0]), books[0][1])))


def booked_for(connection: Connection, invoice_id: str) -> list[Json]:
    """Return Rillet's invoices that refer to a Solvimon invoice, oldest first."""
    invoices = connection.organisation.invoices.documents()
    return [invoice for invoice in invoices if invoice_id in refers_to(invoice)]


def memos_for(connection: Connection, note_id: str) -> list[Json]:
    """Return Rillet's credit memos that refer to a Solvimon credit note, oldest first."""
    return [memo for memo in connection.organisation.credit_memos.documents() if note_id in refers_to(memo)]


def refers_to(document: Mapping[str, Any]) -> set[str]:
    """Return the Solvimon ids that one of Rillet's documents refers to."""
    references: Iterable[Json] = document.get("external_references") or ()
    return {reference["id"] for reference in references if reference["type"] == REFERENCE}


def name_of(customer: Json) -> str:
    """Return a Solvimon customer's name, be it an organisation or a person."""
    if "organization" in customer:
        return str(customer["organization"]["legal_name"])
    name = customer["individual"]["name"]
    return " ".join(filter(None, (name.get("first_name"), name.get("infix"), name.get("last_name"))))


def _billed(document: Json) -> Amounts:
    summary, gross = document["tax_summary"], document["invoice_amount_including_tax"]
    net, tax, total = (
        Decimal(amount["quantity"]) for amount in (summary["base_amount"], summary["tax_amount"], gross)
    )
    sign = -1 if document["type"] in _NOTES and total < 0 else 1
    return Amounts(gross["currency"], *(sign * amount + 0 for amount in (net, tax, total)))


def _booked(document: Json) -> Booked:
    number = document.get("credit_memo_number") or document["invoice_number"]
    net, tax, gross = (Decimal(document[name]["amount"]) for name in ("net_amount", "taxed_amount", "total"))
    applied = defaultdict[str, Decimal](Decimal)
    for application in document.get("applications") or ():
        applied[application["invoice_id"]] += Decimal(application["amount"]["amount"])
    return Booked(number, Amounts(document["total"]["currency"], net, tax, gross), applied)
