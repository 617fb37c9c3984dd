"""Payments of invoices: list, create, replace, delete. A cleared one is beyond the reach of calls."""

from flask import Blueprint

from local.fake_rillet import payments, query_parameters
from local.fake_rillet.context import body, organisation, state
from local.fake_rillet.pagination import page
from local.fake_rillet.store import Json

blueprint = Blueprint("payments", __name__)


@blueprint.get("/invoice-payments")
def list_all_payments() -> Json:
    """List the payments of all invoices, newest first; a deleted one is simply not there."""
    since = query_parameters.timestamp("updated.gt")
    by_update = query_parameters.choice("sort_by", ("created", "updated")) == "updated"
    rows = (payment for payment in organisation().payments if since is None or payment.updated > since)
    return page("payments", rows, state(), organisation().id, by_update=by_update)


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
