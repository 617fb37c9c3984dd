"""Invoices: what they must obey when they are made, and what goes when they are deleted."""

from local.fake_rillet import document_rules as rules
from local.fake_rillet.balances import decimal_of, mark_overdue, status_unsettled, update_balance
from local.fake_rillet.books import Books, SentInvoice
from local.fake_rillet.credit_memos import check_uncredited
from local.fake_rillet.document_requests import FULL, InvoiceRequest
from local.fake_rillet.documents import invoice_document
from local.fake_rillet.payments import check_unpaid, payments_of
from local.fake_rillet.store import Record
from local.fake_rillet.validation import Fields
from local.fake_rillet.wire import write_timestamp


def create_invoice(books: Books, request: InvoiceRequest) -> Record:
    """Make an invoice in one of the three scopes.

    Raises:
        Problem: 400; a rule of the organisation is broken.
    """
    _check_invoice(books, request)
    subsidiary_id = request.subsidiary_id or next(iter(books.subsidiaries)).id
    number = request.invoice_number or books.next_invoice_number()
    document = invoice_document(books, request, number, subsidiary_id)
    # Rillet holds what it is to send itself until that happened (dossier, additions: status UNBILLED).
    invoice = books.invoices.add(document, private={"scope": request.scope, "is_sent": request.scope != FULL})
    _mail_invoice(books, request, invoice)
    invoice.document["status"] = status_unsettled(invoice)
    mark_overdue(books, invoice)
    books.webhooks.emit("invoice-created", invoice.document)
    return invoice


def set_sent_status(books: Books, invoice: Record, body: Fields) -> None:
    """Read an `UpdateInvoiceSentStatusRequest`, and mark an invoice as sent or not sent by others.

    `sent_at` stays: it is the time when Rillet itself sent the invoice. A repetition changes nothing.

    Raises:
        Problem: 400; the body is wrong.
    """
    is_sent = body.require("sent", body.boolean, False)
    body.checks.finish()
    mark_sent(books, invoice, is_sent=is_sent)


def mark_sent(books: Books, invoice: Record, *, is_sent: bool = True) -> None:
    """Mark an invoice as sent or not sent; a repetition changes nothing."""
    if is_sent != invoice.private["is_sent"]:
        invoice.private["is_sent"] = is_sent
        update_balance(books, invoice, "updated")


def remove_invoice(books: Books, invoice: Record) -> None:
    """Delete an invoice with its postings and its failed payments.

    Raises:
        Problem: 400; its period is closed, or payments or credits remain on it.
    """
    rules.check_period(books, invoice.document["invoice_date"])
    check_unpaid(books, invoice)
    check_uncredited(books, invoice)
    for payment in payments_of(books, invoice):
        books.payments.remove(payment.id)
    books.invoices.remove(invoice.id)
    books.webhooks.emit("invoice-deleted", invoice.id)


def is_open(invoice: Record) -> bool:
    """Tell whether something is left to pay on an invoice."""
    return decimal_of(invoice.document["amount_due"]) != 0


def _check_invoice(books: Books, request: InvoiceRequest) -> None:
    rules.check_parties(books, request.customer_id, request.subsidiary_id)
    rules.check_bank_account(books, request.bank_account_id)
    rules.check_products(books, request.lines)
    parts = [request.external_references, *(line.external_references for line in request.lines)]
    rules.check_references(books, (reference for references in parts for reference in references))
    if request.scope != FULL:
        rules.check_rev_rec(books, parts)
    rules.check_number(books, books.invoices, "invoice_number", request.invoice_number)
    rules.check_period(books, request.invoice_date.isoformat())


def _mail_invoice(books: Books, request: InvoiceRequest, invoice: Record) -> None:
    """Mail a FULL invoice whose date has come, if the customer wants its invoices automatically."""
    customer = books.customers.get(request.customer_id).document
    due = request.invoice_date <= books.today
    if request.scope == FULL and customer.get("send_invoices_automatically") and due:
        emails = [email["email"] for email in customer.get("emails", ())]
        books.sent_invoices.append(SentInvoice(invoice.id, emails))
        invoice.private["is_sent"] = True
        invoice.document["sent_at"] = write_timestamp(invoice.created)
