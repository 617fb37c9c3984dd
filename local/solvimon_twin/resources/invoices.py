"""Invoices: read one, list, search, change."""

from copy import deepcopy

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from local.solvimon_twin import instants, invoicing
from local.solvimon_twin.errors import Json
from local.solvimon_twin.resources import listing, views
from local.solvimon_twin.resources.shapes import INVOICES

routes = Blueprint("invoices", __name__, url_prefix="/invoices")


@routes.get("")
def list_invoices() -> ResponseReturnValue:
    """Answer `GET /invoices`; Solvimon has no filter by type, number or time of change."""
    return _page(_wanted(_records()))


@routes.post("/search")
def search_invoices() -> ResponseReturnValue:
    """Answer `POST /invoices/search`."""
    return _page(listing.searched(_records(), INVOICES, views.body()))


@routes.get("/<key>")
def get_invoice(key: str) -> ResponseReturnValue:
    """Answer `GET /invoices/{id}`, always with periods and lines; a number or reference does not do."""
    platform = views.current_platform()
    with platform.lock:
        return deepcopy(platform.find(INVOICES, key, by_reference=False))


@routes.patch("/<key>")
def patch_invoice(key: str) -> ResponseReturnValue:
    """Answer `PATCH /invoices/{id}`."""
    platform = views.current_platform()
    with platform.lock:
        invoice = platform.find(INVOICES, key, by_reference=False)
        return deepcopy(platform.change_invoice(invoice, views.body(), views.request_id()))


def _records() -> list[Json]:
    platform = views.current_platform()
    with platform.lock:
        return deepcopy(list(platform.records[INVOICES.collection].values()))


def _page(invoices: list[Json]) -> Json:
    # The default of both flags on lists is not documented; false is what a caller must reckon with.
    periods = listing.boolean(request.args, "include_periods") or False
    lines = listing.boolean(request.args, "include_lines") or False
    invoices = listing.ordered(invoices, INVOICES, request.args, "created_at", "desc")
    return listing.page_of(
        invoices,
        request.args,
        views.list_url(),
        lambda invoice: invoicing.summary(invoice, periods=periods, lines=lines),
    )


def _wanted(invoices: list[Json]) -> list[Json]:
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
        invoices = [i for i in invoices if first <= instants.from_text(i["invoice_date"]) <= last]
    return invoices
