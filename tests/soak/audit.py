"""The auditor of a run: it compares what the company did with what both sides have, and asks no function.

What it works out (what is due, what a payment means for an invoice) it works out anew, from payments and
applications, and not from the totals that either side keeps.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from local.system import Connection
from tests.soak.books import Billed, Booked, Books, Json, read, rillet_ids
from tests.soak.company import Expected


@dataclass
class Audit:
    """What was found.

    Attributes:
        invoices: final invoices in Solvimon.
        credit_notes: final credit notes in Solvimon.
        duplicates: documents and customers that are in Rillet or Solvimon beyond one for each.
        lost: documents of Solvimon that are not in Rillet.
        difference: sum of the absolute differences of gross totals, a lost document counting whole.
        problems: everything that is not right, by name, in plain words.
    """

    invoices: int = 0
    credit_notes: int = 0
    duplicates: int = 0
    lost: int = 0
    difference: Decimal = Decimal("0.00")
    problems: list[str] = field(default_factory=list)


def audit(connection: Connection, expected: Expected) -> Audit:
    """Compare both sides as they are now."""
    books, found = read(connection), Audit()
    found.credit_notes = sum(one.is_note for one in books.billed.values())
    found.invoices = len(books.billed) - found.credit_notes
    by_invoice, by_note = books.for_each(books.invoices), books.for_each(books.memos)
    for billed in books.billed.values():
        booked = (by_note if billed.is_note else by_invoice).get(billed.id, [])
        _document(billed, booked, books, expected, found)
    for kind, documents in (("invoice", books.invoices), ("credit memo", books.memos)):
        _strangers(kind, documents, books, found)
    found.problems += _payments(books, by_invoice)
    found.problems += _memos(books, by_invoice, by_note)
    _customers(books, expected, found)
    return found


def _document(billed: Billed, booked: list[Booked], books: Books, expected: Expected, found: Audit) -> None:
    if not booked:
        found.lost += 1
        found.difference += billed.amounts.gross
        found.problems.append(f"{billed.number} of {billed.amounts} is not in Rillet")
        return
    for second in booked[1:]:
        found.duplicates += 1
        found.problems.append(
            f"{billed.number} is in Rillet twice: as {booked[0].number} and {second.number}"
        )
    first = booked[0]
    if first.amounts != billed.amounts:
        same = first.amounts.currency == billed.amounts.currency
        found.difference += abs(first.amounts.gross - billed.amounts.gross) if same else billed.amounts.gross
        found.problems.append(f"{billed.number} is {billed.amounts}, in Rillet {first.amounts}")
    days = {billed.day} if billed.day > expected.closed_up_to else {billed.day, expected.open_from}
    if first.day not in days:
        found.problems.append(f"{billed.number} of {billed.day} is booked on {first.day}")
    links = next((rillet_ids(one) for one in books.customers if one["id"] == billed.customer_id), set())
    if links and first.customer_id not in links:
        found.problems.append(f"{billed.number} is booked for another customer, {first.customer_id}")


def _strangers(kind: str, documents: tuple[Booked, ...], books: Books, found: Audit) -> None:
    """What refers to nothing in Solvimon counts as a double: a lost reference must not hide one."""
    for document in documents:
        if not document.refers_to & books.billed.keys():
            found.duplicates += 1
            found.problems.append(f"Rillet's {kind} {document.number} belongs to no document of Solvimon")


def _payments(books: Books, by_invoice: Mapping[str, list[Booked]]) -> Iterator[str]:
    """Compare what Solvimon says of each invoice's payment with what its payments in Rillet come to."""
    credited = _credited(books)
    for billed in books.billed.values():
        if billed.is_note or not (booked := by_invoice.get(billed.id)):
            continue
        received = books.received.get(booked[0].id, Decimal())
        due = booked[0].amounts.gross - received - credited.get(booked[0].id, Decimal())
        status = "UNPAID" if received <= 0 else "PAID" if due <= 0 else "PARTIALLY_PAID"
        if (billed.payment_status, billed.paid) != (status, status == "PAID"):
            said = f"{billed.payment_status}{', paid' if billed.paid else ''}"
            yield f"{billed.number} is {said} in Solvimon; {received} was paid and {due} is due, so {status}"
        if due < 0:
            yield f"{billed.number} is overpaid or credited too much in Rillet: {due} is due"


def _credited(books: Books) -> dict[str, Decimal]:
    """What memos take off each Rillet invoice."""
    taken: dict[str, Decimal] = {}
    for memo in books.memos:
        for invoice, amount in memo.applied.items():
            taken[invoice] = taken.get(invoice, Decimal()) + amount
    return taken


def _memos(
    books: Books, by_invoice: Mapping[str, list[Booked]], by_note: Mapping[str, list[Booked]]
) -> Iterator[str]:
    """Each memo is applied to what it credits and to nothing else, as far as anything was open there."""
    credited = _credited(books)
    for note in (one for one in books.billed.values() if one.is_note):
        for memo in by_note.get(note.id, []):
            originals = [one for each in note.credits for one in by_invoice.get(each, [])]
            if memo.applied.keys() - {one.id for one in originals}:
                yield f"{note.number} is applied to an invoice that it does not credit"
            left = memo.amounts.gross - sum(memo.applied.values(), Decimal())
            still_open = [
                one.number
                for one in originals
                if one.amounts.gross - books.received.get(one.id, Decimal()) > credited.get(one.id, Decimal())
            ]
            if left < 0 or (left and still_open):
                yield f"{note.number}: {left} of its memo is not applied, and {still_open} is open"


def _customers(books: Books, expected: Expected, found: Audit) -> None:
    """Each customer is there once on either side, as it was edited last, and keeps what only Rillet knows."""
    holders: dict[str, str] = {}
    for customer in books.customers:
        for linked in rillet_ids(customer):
            if linked in holders:
                found.duplicates += 1
                found.problems.append(f"Rillet's customer {linked} is in Solvimon twice")
            holders[linked] = customer["id"]
            found.problems += _same_customer(customer, books.rillet_customers.get(linked))
        found.problems += _as_edited(customer, expected.edits.get(customer["id"], {}))
    for identifier in books.rillet_customers.keys() - holders.keys():
        found.problems.append(f"Rillet's customer {identifier} is linked to none of Solvimon's")
    for identifier, days in expected.terms.items():
        if books.rillet_customers[identifier].get("payment_terms") != days:
            found.problems.append(f"Rillet's customer {identifier} lost its payment terms of {days} days")


def _same_customer(here: Json, there: Json | None) -> Iterator[str]:
    if there is None:
        yield f"{here['id']} is linked to a customer that Rillet does not have"
        return
    company = here["organization"]
    senders = [one["email"] for one in there.get("emails", ()) if one["type"] == "MAIN_SENDER"]
    pairs = {
        "name": (company["legal_name"], there["name"]),
        "email": ([here["email"]], senders),
        "street": (
            company["registered_address"]["line1"],
            there.get("address", company["registered_address"])["line1"],
        ),
    }
    for what, (mine, theirs) in pairs.items():
        if mine != theirs:
            yield f"The {what} of {here['id']} is {mine} in Solvimon and {theirs} in Rillet"


def _as_edited(customer: Json, edits: Mapping[str, str]) -> Iterator[str]:
    company = customer["organization"]
    now = {
        "name": company["legal_name"],
        "email": customer["email"],
        "street": company["registered_address"]["line1"],
    }
    for what, value in edits.items():
        if now[what] != value:
            yield f"The {what} of {customer['id']} was edited to {value}, and is {now[what]} now"
