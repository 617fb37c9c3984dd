"""Payments of invoices: what they must obey, and what they do to the invoice."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from local.fake_rillet.balances import FAILED, amount_open, update_balance
from local.fake_rillet.books import Books
from local.fake_rillet.document_rules import check_period
from local.fake_rillet.problems import Problem, not_found, refused
from local.fake_rillet.store import Json, Record
from local.fake_rillet.validation import Fields
from local.fake_rillet.wire import Money, to_wire

UNCLEARED = "UNCLEARED"
SUCCESSFUL = "SUCCESSFUL"
_EVENT = "payment-updated"


@dataclass(frozen=True)
class PaymentRequest:
    """A receipt of cash: how much, when, on which account of the chart."""

    amount: Money
    date: date
    account_code: str


def read_payment(body: Fields) -> PaymentRequest:
    """Read an `InvoicePaymentRequest`.

    Raises:
        Problem: 400 with all violations.
    """
    request = PaymentRequest(
        amount=body.require("amount", body.rounded_money, Money(Decimal(1), "USD")),
        date=body.require("date", body.date, date.min),
        account_code=body.require("account_code", body.filled_text, ""),
    )
    if request.amount.amount <= 0:
        body.wrong("amount", "must be greater than 0")
    body.checks.finish()
    return request


def record_payment(books: Books, invoice: Record, request: PaymentRequest, status: str) -> Record:
    """Record a payment on an invoice.

    Raises:
        Problem: 400; a rule of the organisation is broken.
    """
    _check_payment(books, invoice, request, but=None)
    payment = books.payments.add(_payment_document(invoice, request, status))
    update_balance(books, invoice, _EVENT)
    return payment


def replace_payment(books: Books, payment: Record, request: PaymentRequest) -> Record:
    """Replace what an uncleared payment says.

    Raises:
        Problem: 400; it is cleared or failed, or a rule of the organisation is broken.
    """
    check_uncleared(payment)
    invoice = invoice_of(books, payment)
    _check_payment(books, invoice, request, but=payment)
    check_period(books, payment.document["date"])
    replaced = books.payments.replace(payment.id, _payment_document(invoice, request, UNCLEARED))
    update_balance(books, invoice, _EVENT)
    return replaced


def remove_payment(books: Books, payment: Record) -> None:
    """Take a payment off its invoice, which is open again by as much.

    Raises:
        Problem: 400; the payment's period is closed.
    """
    check_period(books, payment.document["date"])
    invoice = invoice_of(books, payment)
    books.payments.remove(payment.id)
    update_balance(books, invoice, _EVENT)


def move_payment(books: Books, payment: Record, status: str) -> None:
    """Let a payment clear, fail or go back to uncleared."""
    payment.document["status"] = status
    books.payments.touch(payment)
    update_balance(books, invoice_of(books, payment), _EVENT)


def check_uncleared(payment: Record) -> None:
    """Check that a payment may still be changed by a call.

    Raises:
        Problem: 400; it may not.
    """
    if payment.document["status"] != UNCLEARED:
        raise refused("payment_not_uncleared", "Only uncleared payments can be updated or deleted")


def payments_of(books: Books, invoice: Record) -> list[Record]:
    """Return every attempt to pay an invoice, oldest first."""
    return [payment for payment in books.payments if payment.document["invoice_id"] == invoice.id]


def payment_of(books: Books, invoice_id: str, payment_id: str) -> Record:
    """Return a payment of an invoice.

    Raises:
        Problem: 404; the invoice or the payment does not exist, or it is another invoice's.
    """
    invoice, payment = books.invoices.get(invoice_id), books.payments.get(payment_id)
    if payment.document["invoice_id"] != invoice.id:
        raise not_found(f"Invoice payment {payment_id}")
    return payment


def invoice_of(books: Books, payment: Record) -> Record:
    """Return the invoice that a payment is for."""
    return books.invoices.get(payment.document["invoice_id"])


def check_unpaid(books: Books, invoice: Record) -> None:
    """Check that nothing but failed attempts hangs on an invoice.

    Raises:
        Problem: 400; a payment remains.
    """
    if any(payment.document["status"] != FAILED for payment in payments_of(books, invoice)):
        raise refused("invoice_has_payments", f"Invoice {invoice.id} has payments")


def _payment_document(invoice: Record, request: PaymentRequest, status: str) -> Json:
    return {
        "status": status,
        "invoice_id": invoice.id,
        "amount": to_wire(request.amount.amount, request.amount.currency),
        "date": request.date.isoformat(),
        "account_code": request.account_code,
    }


def _check_payment(books: Books, invoice: Record, request: PaymentRequest, but: Record | None) -> None:
    if problem := _problem(books, invoice, request, but):
        raise problem
    check_period(books, request.date.isoformat())


def _problem(books: Books, invoice: Record, request: PaymentRequest, but: Record | None) -> Problem | None:
    currency = invoice.document["total"]["currency"]
    if request.amount.currency != currency:
        return refused("currency_mismatch", f"The invoice is in {currency}, not {request.amount.currency}")
    if not books.is_cash_account(request.account_code):
        return refused("not_a_cash_account", f"Account {request.account_code} is not a cash account")
    still_open = amount_open(books, invoice, but_payment=but.id if but else None)
    if books.switches.overpayment == "refuse" and request.amount.amount > still_open:
        return refused("overpayment", f"The payment exceeds the amount due of {still_open} {currency}")
    return None
