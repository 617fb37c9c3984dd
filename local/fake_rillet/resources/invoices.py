"""Invoices and their payments; a cleared payment is beyond the reach of calls."""

from flask import Blueprint

from local.fake_rillet import invoices, listing, payments
from local.fake_rillet.balances import mark_overdue
from local.fake_rillet.context import body, organisation, state
from local.fake_rillet.document_requests import read_invoice
from local.fake_rillet.documents import INVOICE_STATUSES
from local.fake_rillet.invoice_updates import replace_invoice
from local.fake_rillet.store import Json, Record

blueprint = Blueprint("invoices", __name__)


@blueprint.get("/invoices")
def list_invoices() -> Json:
    """List invoices, newest first. Nothing finds one by number or external reference."""
    subsidiary_id = listing.uuid("subsidiary_id")
    customer_id = listing.uuid("customer_id")
    status = listing.choice("status", INVOICE_STATUSES)
    overdue = listing.boolean("overdue")
    since = listing.timestamp("updated.gt")
    books = organisation()
    for invoice in books.invoices:
        mark_overdue(books, invoice)

    def passes(invoice: Record) -> bool:
        shown = invoice.document
        return (
            subsidiary_id in (None, shown["subsidiary_id"])
            and customer_id in (None, shown["customer_id"])
            and status in (None, shown["status"])
            and overdue in (None, shown["overdue"])
            and (since is None or invoice.updated > since)
        )

    return listing.page("invoices", filter(passes, books.invoices), state(), books.id)


@blueprint.post("/invoices")
def post_invoice() -> Json:
    """Create an invoice in one of the three scopes; the answer does not say which."""
    request = read_invoice(body(), organisation().switches)
    return invoices.create_invoice(organisation(), request).document


@blueprint.get("/invoices/<invoice_id>")
def retrieve_invoice(invoice_id: str) -> Json:
    """Return one invoice."""
    invoice = organisation().invoices.get(invoice_id)
    mark_overdue(organisation(), invoice)
    return invoice.document


@blueprint.put("/invoices/<invoice_id>")
def update_invoice(invoice_id: str) -> Json:
    """Replace an invoice: what the body leaves out is gone."""
    invoice = organisation().invoices.get(invoice_id)
    replace_invoice(organisation(), invoice, body())
    return invoice.document


@blueprint.put("/invoices/<invoice_id>/sent-status")
def update_sent_status(invoice_id: str) -> tuple[str, int]:
    """Mark an invoice as sent, or as not sent; the answer has no body."""
    invoice = organisation().invoices.get(invoice_id)
    invoices.set_sent_status(organisation(), invoice, body())
    return "", 200


@blueprint.delete("/invoices/<invoice_id>")
def delete_invoice(invoice_id: str) -> tuple[str, int]:
    """Delete an invoice and its postings, unless its period is closed or something was settled on it."""
    invoices.remove_invoice(organisation(), organisation().invoices.get(invoice_id))
    return "", 204


@blueprint.get("/invoice-payments")
def list_all_payments() -> Json:
    """List the payments of all invoices, newest first; a deleted one is simply not there."""
    since = listing.timestamp("updated.gt")
    by_update = listing.choice("sort_by", ("created", "updated")) == "updated"
    rows = (payment for payment in organisation().payments if since is None or payment.updated > since)
    return listing.page("payments", rows, state(), organisation().id, by_update=by_update)


@blueprint.get("/invoices/<invoice_id>/payments")
def list_payments(invoice_id: str) -> Json:
    """List every attempt to pay an invoice, unpaginated."""
    invoice = organisation().invoices.get(invoice_id)
    found = payments.payments_of(organisation(), invoice)
    return {"payments": [payment.document for payment in found]}


@blueprint.post("/invoices/<invoice_id>/payments")
def create_payment(invoice_id: str) -> Json:
    """Record a payment, which the bank has not confirmed yet."""
    invoice = organisation().invoices.get(invoice_id)
    request = payments.read_payment(body())
    return payments.record_payment(organisation(), invoice, request, payments.UNCLEARED).document


@blueprint.put("/invoices/<invoice_id>/payments/<payment_id>")
def update_payment(invoice_id: str, payment_id: str) -> Json:
    """Replace an uncleared payment whole."""
    payment = payments.payment_of(organisation(), invoice_id, payment_id)
    request = payments.read_payment(body())
    return payments.replace_payment(organisation(), payment, request).document


@blueprint.delete("/invoices/<invoice_id>/payments/<payment_id>")
def delete_payment(invoice_id: str, payment_id: str) -> tuple[str, int]:
    """Delete an uncleared payment; the invoice is open again by as much."""
    payment = payments.payment_of(organisation(), invoice_id, payment_id)
    payments.check_uncleared(payment)
    payments.remove_payment(organisation(), payment)
    return "", 204
