"""The open amount of an invoice after payments and credits, and the status that follows."""

from decimal import Decimal

from local.fake_rillet.books import Books
from local.fake_rillet.store import Json, Record
from local.fake_rillet.wire import to_wire

FAILED = "FAILED"
UNBILLED = "UNBILLED"
UNPAID = "UNPAID"


def decimal_of(money: Json) -> Decimal:
    """Return the value of an amount on the wire."""
    return Decimal(money["amount"])


def paid(books: Books, invoice_id: str, *, but: str | None = None) -> Decimal:
    """Return what was paid on an invoice: cleared or not, but nothing that failed.

    Args:
        books: whose invoice.
        invoice_id: the invoice.
        but: a payment to leave out.
    """
    payments = (payment for payment in books.payments if payment.id != but)
    mine = (payment for payment in payments if payment.document["invoice_id"] == invoice_id)
    counted = [payment for payment in mine if payment.document["status"] != FAILED]
    return sum((_covered(payment) for payment in counted), Decimal(0))


def _covered(payment: Record) -> Decimal:
    """Return what a payment covers of its invoice, also where it is in another currency."""
    return Decimal(payment.private.get("covers") or payment.document["amount"]["amount"])


def credited(books: Books, invoice_id: str, *, but: str | None = None) -> Decimal:
    """Return what credit memos take off an invoice.

    Args:
        books: whose invoice.
        invoice_id: the invoice.
        but: a credit memo to leave out.
    """
    memos = (memo for memo in books.credit_memos if memo.id != but)
    applications = (application for memo in memos for application in memo.document["applications"])
    mine = [application for application in applications if application["invoice_id"] == invoice_id]
    return sum((decimal_of(application["amount"]) for application in mine), Decimal(0))


def amount_open(
    books: Books, invoice: Record, *, but_payment: str | None = None, but_memo: str | None = None
) -> Decimal:
    """Return what is open on an invoice, as if one payment or credit memo were not there."""
    settled = paid(books, invoice.id, but=but_payment) + credited(books, invoice.id, but=but_memo)
    return decimal_of(invoice.document["total"]) - settled


def update_balance(books: Books, invoice: Record, event: str) -> None:
    """Calculate the open amount and the status of an invoice again, and send its event.

    Args:
        books: whose invoice.
        invoice: changed in place.
        event: "payment-updated" or "updated".
    """
    shown = invoice.document
    by_payment, by_credit = paid(books, invoice.id), credited(books, invoice.id)
    due = decimal_of(shown["total"]) - by_payment - by_credit
    shown["amount_due"] = to_wire(due, shown["total"]["currency"])
    shown["status"] = _settled_status(books, by_payment, by_credit, due) or status_unsettled(invoice)
    mark_overdue(books, invoice)
    books.invoices.touch(invoice)
    books.webhooks.emit(f"invoice-{event}", shown)


def mark_overdue(books: Books, invoice: Record) -> None:
    """Let an invoice say whether it is overdue today; the passing of a day is no update."""
    shown = invoice.document
    shown["overdue"] = shown["due_date"] < books.today.isoformat() and decimal_of(shown["amount_due"]) > 0


def status_unsettled(invoice: Record) -> str:
    """Name the state of an invoice on which nothing is settled: not yet sent, or open."""
    return UNPAID if invoice.private.get("is_sent", True) else UNBILLED


def _settled_status(books: Books, by_payment: Decimal, by_credit: Decimal, due: Decimal) -> str:
    """Name the state of what is settled, "" if nothing is; `mixed_status` decides between the two."""
    if not by_payment and not by_credit:
        return ""
    names_credit = not by_payment or (by_credit and books.switches.mixed_status == "credit")
    word = "CREDITED" if names_credit else "PAID"
    return word if due <= 0 else f"PARTIALLY_{word}"
