"""Invoices: list, create, read, delete."""

from datetime import date

from flask import Blueprint

from local.rillet_twin import query
from local.rillet_twin.context import body, checks, organisation, state
from local.rillet_twin.invoice_documents import STATUSES, amount_due, invoice_document
from local.rillet_twin.invoice_requests import FULL, InvoiceRequest, read_invoice
from local.rillet_twin.organisation import Organisation, SentInvoice
from local.rillet_twin.pagination import page
from local.rillet_twin.problems import refused
from local.rillet_twin.references import check_references, check_rev_rec
from local.rillet_twin.store import Json, Record
from local.rillet_twin.timestamps import day_in_zone, write_timestamp

blueprint = Blueprint("invoices", __name__, url_prefix="/invoices")


@blueprint.get("")
def list_invoices() -> Json:
    """List invoices, newest first. Nothing finds one by number or external reference."""
    subsidiary_id = query.uuid("subsidiary_id")
    customer_id = query.uuid("customer_id")
    status = query.choice("status", STATUSES)
    overdue = query.boolean("overdue")
    since = query.timestamp("updated.gt")
    _mark_overdue(organisation())

    def passes(invoice: Record) -> bool:
        shown = invoice.document
        return (
            subsidiary_id in (None, shown["subsidiary_id"])
            and customer_id in (None, shown["customer_id"])
            and status in (None, shown["status"])
            and overdue in (None, shown["overdue"])
            and (since is None or invoice.updated > since)
        )

    return page("invoices", filter(passes, organisation().invoices), state().cursors, organisation().id)


@blueprint.post("")
def create_invoice() -> Json:
    """Create an invoice in one of the three scopes; the answer does not say which."""
    noting = checks()
    books = organisation()
    request = read_invoice(body(noting), noting, books.switches)
    _check_against_books(books, request)
    subsidiary_id = request.subsidiary_id or next(iter(books.subsidiaries)).id
    number = request.invoice_number or books.next_invoice_number()
    document = invoice_document(books, request, number, subsidiary_id)
    invoice = books.invoices.add(document, private={"scope": request.scope})
    _send(books, request, invoice)
    _mark_overdue(books)
    return invoice.document


@blueprint.get("/<invoice_id>")
def retrieve_invoice(invoice_id: str) -> Json:
    """Return one invoice."""
    invoice = organisation().invoices.get(invoice_id)
    _mark_overdue(organisation())
    return invoice.document


@blueprint.delete("/<invoice_id>")
def delete_invoice(invoice_id: str) -> tuple[str, int]:
    """Delete an invoice and its postings, unless its period is closed."""
    invoice = organisation().invoices.get(invoice_id)
    _check_period(organisation(), invoice.document["invoice_date"])
    organisation().invoices.remove(invoice_id)
    return "", 204


def _check_against_books(books: Organisation, request: InvoiceRequest) -> None:
    """Check what a well-formed request refers to.

    Raises:
        Problem: 400 with the rule that it breaks.
    """
    if request.customer_id not in books.customers:
        raise refused("customer_not_found", f"Customer does not exist: {request.customer_id}")
    if request.subsidiary_id is not None and request.subsidiary_id not in books.subsidiaries:
        raise refused("subsidiary_not_found", f"Subsidiary does not exist: {request.subsidiary_id}")
    if request.bank_account_id is not None and request.bank_account_id not in books.bank_accounts:
        raise refused("bank_account_not_found", f"Bank account does not exist: {request.bank_account_id}")
    for line in request.lines:
        if line.common.product_id not in books.products:
            raise refused("product_not_found", f"Product does not exist: {line.common.product_id}")
    parts = [request.external_references, *(line.common.external_references for line in request.lines)]
    check_references(books, (reference for references in parts for reference in references))
    if request.scope != FULL:
        check_rev_rec(books, parts)
    _check_number(books, request.invoice_number)
    _check_period(books, request.invoice_date.isoformat())


def _check_number(books: Organisation, number: str | None) -> None:
    if number is None or books.switches.duplicate_numbers == "accept":
        return
    if any(invoice.document["invoice_number"] == number for invoice in books.invoices):
        raise refused("invoice_number_already_exists", f'Invoice number "{number}" already exists')


def _check_period(books: Organisation, day: str) -> None:
    if books.switches.closed_period_policy == "refuse" and books.is_closed(day):
        raise refused("period_closed", f"The accounting period of {day} is closed")


def _send(books: Organisation, request: InvoiceRequest, invoice: Record) -> None:
    """Mail a FULL invoice whose date has come, if the customer wants its invoices automatically."""
    customer = books.customers.get(request.customer_id).document
    due = request.invoice_date <= _today(books)
    if request.scope == FULL and customer.get("send_invoices_automatically") and due:
        emails = [email["email"] for email in customer.get("emails", ())]
        books.sent_invoices.append(SentInvoice(invoice.id, emails))
        invoice.document["sent_at"] = write_timestamp(invoice.created)


def _mark_overdue(books: Organisation) -> None:
    today = _today(books).isoformat()
    for invoice in books.invoices:
        shown = invoice.document
        shown["overdue"] = shown["due_date"] < today and amount_due(shown) > 0


def _today(books: Organisation) -> date:
    return day_in_zone(books.clock(), books.timezone)
