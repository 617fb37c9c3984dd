"""Invoices: list, create, read, replace, delete."""

from flask import Blueprint

from local.fake_rillet import invoices, query_parameters
from local.fake_rillet.balances import mark_overdue
from local.fake_rillet.context import body, organisation, state
from local.fake_rillet.document_requests import read_invoice
from local.fake_rillet.documents import INVOICE_STATUSES
from local.fake_rillet.invoice_updates import replace_invoice
from local.fake_rillet.pagination import page
from local.fake_rillet.store import Json, Record

blueprint = Blueprint("invoices", __name__, url_prefix="/invoices")


@blueprint.get("")
def list_invoices() -> Json:
    """List invoices, newest first. Nothing finds one by number or external reference."""
    subsidiary_id = query_parameters.uuid("subsidiary_id")
    customer_id = query_parameters.uuid("customer_id")
    status = query_parameters.choice("status", INVOICE_STATUSES)
    overdue = query_parameters.boolean("overdue")
    since = query_parameters.timestamp("updated.gt")
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

    return page("invoices", filter(passes, books.invoices), state(), books.id)


@blueprint.post("")
def post_invoice() -> Json:
    """Create an invoice in one of the three scopes; the answer does not say which."""
    request = read_invoice(body(), organisation().switches)
    return invoices.create_invoice(organisation(), request).document


@blueprint.get("/<invoice_id>")
def retrieve_invoice(invoice_id: str) -> Json:
    """Return one invoice."""
    invoice = organisation().invoices.get(invoice_id)
    mark_overdue(organisation(), invoice)
    return invoice.document


@blueprint.put("/<invoice_id>")
def update_invoice(invoice_id: str) -> Json:
    """Replace an invoice: what the body leaves out is gone."""
    invoice = organisation().invoices.get(invoice_id)
    replace_invoice(organisation(), invoice, body())
    return invoice.document


@blueprint.put("/<invoice_id>/sent-status")
def update_sent_status(invoice_id: str) -> tuple[str, int]:
    """Mark an invoice as sent, or as not sent; the answer has no body."""
    invoice = organisation().invoices.get(invoice_id)
    invoices.set_sent_status(organisation(), invoice, body())
    return "", 200


@blueprint.delete("/<invoice_id>")
def delete_invoice(invoice_id: str) -> tuple[str, int]:
    """Delete an invoice and its postings, unless its period is closed or something was settled on it."""
    invoices.remove_invoice(organisation(), organisation().invoices.get(invoice_id))
    return "", 204
