"""The checks of a connection's books; each yields what is not right, by type and in plain words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import chain

from local.books_check.books import BothSides, Pair
from local.books_check.records import (
    CUSTOMER_REFERENCE,
    Json,
    in_rillet,
    in_solvimon,
    only_in_rillet,
    rillet_ids,
    solvimon_ids,
)


class FindingType(StrEnum):
    """Type of a finding."""

    LOST = "lost"
    DUPLICATE = "duplicate"
    MISPLACED = "misplaced"
    AMOUNT = "amount"
    DATE = "date"
    LEDGER = "ledger"
    PAYMENT = "payment"
    APPLICATION = "application"
    CUSTOMER = "customer"
    PRODUCT = "product"


class StatedResult(StrEnum):
    """What became of a document after its export, as `docs/workflows.md` states it.

    The values are the kinds of difference by which a reconciliation must name it.
    """

    AMOUNT_DIFFERS = "amount_differs"
    CREDIT_USED_ELSEWHERE = "credit_used_elsewhere"
    CREDITED_IN_RILLET = "credited_in_rillet"
    CUSTOMER_DIFFERS = "customer_differs"
    DELETED = "deleted"
    ENTERED_AGAIN = "entered_again"
    MEMO_REFUNDED = "memo_refunded"
    MOVED = "moved_to_another_month"
    PAID_IN_SOLVIMON = "paid_in_solvimon"
    REJECTED = "rejected"


NOT_IN_RILLET = {StatedResult.DELETED: "differs", StatedResult.REJECTED: "rejected"}
"""The ledger's state of a document that is not in Rillet, where that is stated."""
DIFFERS = {StatedResult.ENTERED_AGAIN, StatedResult.AMOUNT_DIFFERS}
"""Stated results of documents that are in Rillet otherwise than the ledger booked them."""


@dataclass(frozen=True)
class Finding:
    """Something that is not right.

    Attributes:
        type: what.
        text: the same in words, with names and amounts.
        solvimon_id: the document of Solvimon that it is about, if any.
    """

    type: FindingType
    text: str
    solvimon_id: str = ""


@dataclass
class Expected:
    """What the people who acted remember and the records do not tell.

    Attributes:
        edits: by Solvimon's customer, the last value of each edited field, named as in `customers`.
        kept: by Rillet's customer, what only Rillet knows and must keep, named as in its API.
        all_imported: an import came after the last export, so that Solvimon itself has every link; else a
            customer that an export created is linked by Rillet's external reference only.
        not_imported: Rillet's customers that Solvimon cannot have.
        changed_by_import: Rillet's customers that Solvimon can only have with another name or address.
        closed_up_to: the last day of the closed accounting period, YYYY-MM-DD.
        open_from: the day after, to which documents of the closed period are moved.
        stated: by Solvimon's document, what became of it after its export.
        own_documents: Rillet's invoices and memos that people made there.
        used_for: by Solvimon's credit note, the Rillet invoice for which people used its memo.
        covers: by Rillet's payment in another currency, how much of its invoice it covers.
        booked_on: by Solvimon's document, the only day on which it may be booked.
        products: by Solvimon's invoice, the Rillet product of all its lines.
        erased: Solvimon's customers whose personal data must not come back.
        archived: by Solvimon's archived customer, its data, which must stay.
        not_in_rillet: Solvimon's customers that Rillet must not get.
        gone: Rillet's customers that were merged into others.
    """

    edits: dict[str, dict[str, str]] = field(default_factory=dict)
    kept: dict[str, Json] = field(default_factory=dict)
    all_imported: bool = False
    not_imported: set[str] = field(default_factory=set)
    changed_by_import: set[str] = field(default_factory=set)
    closed_up_to: str = ""
    open_from: str = ""
    stated: dict[str, StatedResult] = field(default_factory=dict)
    own_documents: set[str] = field(default_factory=set)
    used_for: dict[str, str] = field(default_factory=dict)
    covers: dict[str, Decimal] = field(default_factory=dict)
    booked_on: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    archived: dict[str, Json] = field(default_factory=dict)
    not_in_rillet: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)


Found = Iterator[tuple[FindingType, str]]


def findings(books: BothSides, expected: Expected) -> Iterator[Finding]:
    """Yield everything that is not right in the books of a connection."""
    for pair in books.pairs:
        for check in (_check_document, _parties, _payment, _check_application):
            for kind, text in check(pair, books, expected):
                yield Finding(kind, text, pair.solvimon.id)
    for check_all in (_unmatched, _links, _check_customers):
        for kind, text in check_all(books, expected):
            yield Finding(kind, text)


def _check_document(pair: Pair, _books: BothSides, expected: Expected) -> Found:
    """A document is in Rillet once, with its amounts and on its day, and the ledger knows it."""
    solvimon, stated = pair.solvimon, expected.stated.get(pair.solvimon.id)
    if not pair.rillet:
        if stated not in NOT_IN_RILLET or pair.state != NOT_IN_RILLET[stated]:
            yield FindingType.LOST, f"{pair} of {solvimon.amounts} did not reach Rillet: it is {pair.state}."
        return
    if stated in NOT_IN_RILLET:
        yield FindingType.LEDGER, f"{pair} is in Rillet, although it should be {stated}."
    elif not pair.exported and (stated not in DIFFERS or pair.state != "differs"):
        yield FindingType.LEDGER, f"{pair} is in Rillet, and {pair.state}."
    first, *more = pair.rillet
    for second in more:
        yield FindingType.DUPLICATE, f"{pair} is in Rillet twice: as {first.number} and {second.number}."
    if (first.amounts != solvimon.amounts) is not (stated is StatedResult.AMOUNT_DIFFERS):
        text = f"{pair} is {solvimon.amounts} in Solvimon and {first.amounts} in Rillet's {first.number}."
        yield FindingType.AMOUNT, text
    moved = expected.open_from if solvimon.day <= expected.closed_up_to else solvimon.day
    only = expected.booked_on.get(solvimon.id)
    days = (only,) if only else (solvimon.day, moved)
    if (first.day not in days) is not (stated is StatedResult.MOVED):
        yield FindingType.DATE, f"{pair} of {solvimon.day} is booked on {first.day}."
    product = expected.products.get(solvimon.id)
    if product and first.products != {product}:
        yield FindingType.PRODUCT, f"{pair} is booked under {', '.join(first.products)}, not {product}."


def _parties(pair: Pair, books: BothSides, expected: Expected) -> Found:
    """A document is booked for its own customer and in its own subsidiary."""
    customer = books.links["customers"].get(pair.solvimon.customer_id)
    subsidiary = books.links["billing-entities"].get(pair.solvimon.billing_entity_id)
    for one in pair.rillet:
        differs = expected.stated.get(pair.solvimon.id) is StatedResult.CUSTOMER_DIFFERS
        if customer and (one.customer_id not in customer) is not differs:
            yield FindingType.MISPLACED, f"{pair} is booked for another customer, {one.customer_id}."
        if subsidiary and one.subsidiary_id not in subsidiary:
            yield FindingType.MISPLACED, f"{pair} is booked for another subsidiary, {one.subsidiary_id}."


def _payment(pair: Pair, books: BothSides, expected: Expected) -> Found:
    """It is billed, and its payment state and open amount follow from payments and applications."""
    if pair.solvimon.is_credit_note or not pair.rillet:
        return
    invoice = pair.rillet[0]
    received, due = books.received[invoice.id], books.due(invoice)
    status = "UNPAID" if received <= 0 else "PAID" if due <= 0 else "PARTIALLY_PAID"
    if expected.stated.get(pair.solvimon.id) is StatedResult.PAID_IN_SOLVIMON:
        status = "PAID"  # what Solvimon collected itself is never lowered
    said, paid = pair.solvimon.payment
    if (said, paid) != (status, status == "PAID"):
        text = f"{pair} is {said}{', paid' if paid else ''} in Solvimon; {received} was paid and {due} is due"
        yield FindingType.PAYMENT, f"{text}, so {status}."
    if due < 0:
        yield FindingType.PAYMENT, f"{pair} is overpaid or credited too much in Rillet: {due} is due."
    if pair.exported and invoice.status == "UNBILLED" and books.marks_as_sent:
        yield FindingType.PAYMENT, f"{pair} is not marked as sent in Rillet, which may mail it."
    if invoice.due != due:
        yield FindingType.PAYMENT, f"Of {pair}, {invoice.due} is open in Rillet instead of {due}."


def _check_application(pair: Pair, books: BothSides, expected: Expected) -> Found:
    """A memo is applied to what it credits and to nothing else, as far as anything is open there."""
    if not pair.solvimon.is_credit_note:
        return
    credited = [one for one in books.pairs if one.solvimon.id in pair.solvimon.credits]
    originals = [one for each in credited for one in each.rillet]
    still_open = [one.number for one in originals if books.due(one) > 0]
    elsewhere = expected.used_for.get(pair.solvimon.id)
    refunded = expected.stated.get(pair.solvimon.id) is StatedResult.MEMO_REFUNDED
    for memo in pair.rillet:
        others = memo.applied.keys() - {one.id for one in originals}
        if others != ({elsewhere} if elsewhere else set()):
            yield FindingType.MISPLACED, f"{pair} is applied to an invoice that it does not credit."
        applied, gross = sum(memo.applied.values(), Decimal()), pair.solvimon.amounts.gross
        if not refunded and (applied > gross or (applied < gross and still_open)):
            text = f"Of {pair}, {applied} of {gross} is applied, and {', '.join(still_open) or 'nothing'}"
            yield FindingType.APPLICATION, f"{text} is open."


def _unmatched(books: BothSides, expected: Expected) -> Found:
    """Rillet has no document of another origin: a lost reference must not hide a double."""
    for kind, document in books.unmatched:
        if document.id in expected.own_documents:
            continue
        text = f"Rillet's {kind} {document.number} belongs to no document of Solvimon."
        yield FindingType.DUPLICATE, text


def _links(books: BothSides, expected: Expected) -> Found:
    """Nothing of one side is twice on the other, and each customer of Rillet is linked."""
    for collection, links in books.links.items():
        for rillet_id in _repeated(Counter(chain.from_iterable(links.values()))):
            text = f"Rillet's {rillet_id} is in Solvimon twice, among the {collection}."
            yield FindingType.DUPLICATE, text
    ours, created = books.links["customers"], Counter[str]()
    linked = set(chain.from_iterable(ours.values()))
    for customer in books.records.rillet["customers"]:
        references = solvimon_ids(customer, CUSTOMER_REFERENCE) & ours.keys()
        created.update(references)
        if banned := references & expected.not_in_rillet:
            text = f"{', '.join(sorted(banned))} was never billed, and is in Rillet as {customer['id']}."
            yield FindingType.CUSTOMER, text
        is_linked = customer["id"] in linked or (references and not expected.all_imported)
        if not is_linked and customer["id"] not in expected.not_imported:
            yield FindingType.CUSTOMER, f"Rillet's customer {customer['id']} is linked to none of Solvimon's."
    for solvimon_id in _repeated(created):
        yield FindingType.DUPLICATE, f"Solvimon's customer {solvimon_id} is in Rillet twice."


def _check_customers(books: BothSides, expected: Expected) -> Found:
    """Each customer is the same on both sides and as edited last, and Rillet keeps what it alone knows."""
    theirs = {one["id"]: one for one in books.records.rillet["customers"]}
    for customer in books.records.solvimon.get("customers", ()):
        if customer["id"] in expected.erased:
            if customer.keys() & {"organization", "individual", "email", "name"}:
                yield FindingType.CUSTOMER, f"{customer['id']} was erased, and has personal data again."
            continue
        here = in_solvimon(customer)
        if kept := expected.archived.get(customer["id"]):
            for what in _unlike(kept, here):
                text = f"{customer['id']} is archived, and its {what} became {here[what]}."
                yield FindingType.CUSTOMER, text
            continue
        edited = expected.edits.get(customer["id"], {})
        for what in _unlike(edited, here):
            text = f"The {what} of {customer['id']} was edited to {edited[what]}, and is {here[what]} now."
            yield FindingType.CUSTOMER, text
        for rillet_id in rillet_ids(customer):
            if rillet_id in expected.gone:
                continue
            if rillet_id not in theirs:
                text = f"{customer['id']} is linked to a customer that Rillet does not have."
                yield FindingType.CUSTOMER, text
            elif rillet_id not in expected.changed_by_import:
                yield from _same_customer(customer["id"], here, in_rillet(theirs[rillet_id]))
    for rillet_id, kept in expected.kept.items():
        for what in _unlike(kept, only_in_rillet(theirs[rillet_id])) if rillet_id in theirs else ():
            yield FindingType.CUSTOMER, f"Rillet's customer {rillet_id} lost its {what}, {kept[what]}."


def _same_customer(solvimon_id: str, here: Json, there: Json) -> Found:
    for what, value in here.items():
        needed = what in ("name", "email")
        if value != there[what] and (needed or (value and there[what])):
            text = f"The {what} of {solvimon_id} is {value} in Solvimon and {there[what]} in Rillet."
            yield FindingType.CUSTOMER, text


def _repeated(counted: Mapping[str, int]) -> list[str]:
    return [name for name, times in counted.items() if times > 1]


def _unlike(some: Mapping[str, object], whole: Mapping[str, object]) -> list[str]:
    return [name for name, value in some.items() if whole.get(name) != value]
