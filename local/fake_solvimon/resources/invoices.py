"""Invoices and payments: read, list, change, credit, one-offs, charge; record, reverse, refund. No bank."""

import logging
from copy import deepcopy

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from local.fake_solvimon import crediting, invoicing, timestamps
from local.fake_solvimon.errors import Json
from local.fake_solvimon.field_checks import (
    AMOUNT,
    FREE_TEXT,
    anything,
    choice,
    flag,
    list_of,
    record,
    timestamp,
)
from local.fake_solvimon.invoices import CreditOptions
from local.fake_solvimon.resources import context, listing
from local.fake_solvimon.resources.definitions import INVOICES
from local.fake_solvimon.resources.payment_definition import PAYMENTS

routes = Blueprint("invoices", __name__, url_prefix="/invoices")
_log = logging.getLogger(__name__)

CREDIT_REQUEST = record(
    note=FREE_TEXT,
    groups=list_of(anything),
    periods=list_of(anything),
    force_init_on_hold=flag,
    delivery_date=timestamp,
    credit_details_source=choice("CURRENT", "ORIGINAL"),
)
payment_routes = Blueprint("payments", __name__, url_prefix="/payments")

_REFUND_REQUEST = record(amount=AMOUNT)


@routes.get("")
def list_invoices() -> ResponseReturnValue:
    """Answer `GET /invoices`; Solvimon has no filter by type, number or time of change."""
    return _page(_filtered(_invoice_copies()))


@routes.post("/search")
def search_invoices() -> ResponseReturnValue:
    """Answer `POST /invoices/search`."""
    return _page(listing.searched(_invoice_copies(), INVOICES, context.body()))


@routes.get("/<key>")
def get_invoice(key: str) -> ResponseReturnValue:
    """Answer `GET /invoices/{id}`, always with periods and lines; a number or reference does not do."""
    platform = context.current_platform()
    with platform.lock:
        return deepcopy(platform.find(INVOICES, key, by_reference=False))


@routes.patch("/<key>")
def patch_invoice(key: str) -> ResponseReturnValue:
    """Answer `PATCH /invoices/{id}`."""
    platform = context.current_platform()
    with platform.lock:
        invoice = platform.find(INVOICES, key, by_reference=False)
        return deepcopy(platform.change_invoice(invoice, context.body(), context.request_id()))


@routes.post("")
def create_invoice() -> ResponseReturnValue:
    """Answer `POST /invoices`: a one-off invoice or credit note; the success is a 200."""
    return context.current_platform().create_one_off(context.body(), context.request_id())


@routes.post("/<key>/credit")
def credit_invoice(key: str) -> ResponseReturnValue:
    """Answer `POST /invoices/{id}/credit` with a DRAFT credit note."""
    platform, body = context.current_platform(), context.body()
    CREDIT_REQUEST(body, "")
    with platform.lock:
        original = platform.find(INVOICES, key, by_reference=False)
        crediting.check_creditable(original)
        options = CreditOptions(
            note=body.get("note"),
            source=body.get("credit_details_source") or "CURRENT",
            on_hold=bool(body.get("force_init_on_hold")),
            delivery_date=body.get("delivery_date"),
            request_id=context.request_id(),
        )
        amounts = crediting.requested_amounts(original, body)
        return platform.credit_invoice(original, amounts, options, platform.credit_sign)


@routes.post("/<key>/pay")
def pay_invoice(key: str) -> ResponseReturnValue:
    """Answer `POST /invoices/{id}/pay`, which charges the customer, so it is logged as an error."""
    charged = context.current_platform().charge(key, context.request_id())
    g.state.charged.append(charged["id"])
    _log.error("POST /invoices/%s/pay has charged the customer", charged["id"])
    return charged


@routes.get("/<key>/payments")
def list_invoice_payments(key: str) -> ResponseReturnValue:
    """Answer `GET /invoices/{id}/payments`."""
    platform = context.current_platform()
    with platform.lock:
        invoice = platform.find(INVOICES, key, by_reference=False)
        found = deepcopy(platform.payments_of(invoice["id"]))
    return listing.page_of(found, request.args, context.list_url(), dict)


def _invoice_copies() -> list[Json]:
    # Copies of one level: a change replaces what is below it, and copying a whole list is slow.
    platform = context.current_platform()
    with platform.lock:
        return [dict(invoice) for invoice in context.listed_records(INVOICES.collection)]


def _page(invoices: list[Json]) -> Json:
    # The default of both flags on lists is not documented; false is what a caller must expect.
    periods = listing.boolean(request.args, "include_periods") or False
    lines = listing.boolean(request.args, "include_lines") or False
    invoices = listing.ordered(invoices, INVOICES, request.args, "created_at", "desc")
    return listing.page_of(
        invoices,
        request.args,
        context.list_url(),
        lambda invoice: invoicing.summary(invoice, periods=periods, lines=lines),
    )


def _filtered(invoices: list[Json]) -> list[Json]:
    args = request.args
    if "customer_id" in args:
        invoices = [i for i in invoices if i.get("customer_id") == args["customer_id"]]
    if "pricing_plan_subscription_id" in args:
        wanted = args["pricing_plan_subscription_id"]
        invoices = [i for i in invoices if wanted in (i.get("pricing_plan_subscription_ids") or [])]
    if statuses := args.getlist("statuses[]"):
        invoices = [i for i in invoices if i.get("status") in statuses]
    for name in ("paid", "on_hold"):
        value = listing.boolean(args, name)
        if value is not None:
            invoices = [i for i in invoices if bool(i.get(name)) == value]
    if bounds := listing.date_range(args, "invoice_date"):
        first, last = bounds
        invoices = [i for i in invoices if first <= timestamps.from_text(i["invoice_date"]) <= last]
    return invoices


@payment_routes.get("")
def list_payments() -> ResponseReturnValue:
    """Answer `GET /payments`."""
    platform = context.current_platform()
    with platform.lock:
        found = listing.filtered(platform.records[PAYMENTS.collection].values(), PAYMENTS, request.args)
        found = listing.ordered(deepcopy(found), PAYMENTS, request.args, "created_at", "desc")
    return listing.page_of(found, request.args, context.list_url(), dict)


@payment_routes.post("")
def create_payment() -> ResponseReturnValue:
    """Answer `POST /payments`; the success is a 200."""
    return context.current_platform().create_payment(context.body(), context.request_id())


@payment_routes.get("/<key>")
def get_payment(key: str) -> ResponseReturnValue:
    """Answer `GET /payments/{id}`."""
    platform = context.current_platform()
    with platform.lock:
        return deepcopy(platform.find(PAYMENTS, key, by_reference=False))


@payment_routes.post("/<key>/reverse")
def reverse_payment(key: str) -> ResponseReturnValue:
    """Answer `POST /payments/{id}/reverse`."""
    platform = context.current_platform()
    with platform.lock:
        payment = platform.find(PAYMENTS, key, by_reference=False)
        return platform.reverse_payment(payment, context.request_id())


@payment_routes.post("/<key>/refund")
def refund_payment(key: str) -> ResponseReturnValue:
    """Answer `POST /payments/{id}/refund`."""
    platform, body = context.current_platform(), context.body()
    _REFUND_REQUEST(body, "")
    with platform.lock:
        payment = platform.find(PAYMENTS, key, by_reference=False)
        return platform.refund_payment(payment, body, context.request_id())
