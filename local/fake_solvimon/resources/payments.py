"""Payments: record one, list, read, reverse, refund. Nothing here talks to a bank."""

from copy import deepcopy

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from local.fake_solvimon.field_checks import AMOUNT, record
from local.fake_solvimon.resources import context, listing
from local.fake_solvimon.resources.payment_definition import PAYMENTS

routes = Blueprint("payments", __name__, url_prefix="/payments")

_REFUND_REQUEST = record(amount=AMOUNT)


@routes.get("")
def list_payments() -> ResponseReturnValue:
    """Answer `GET /payments`."""
    platform = context.current_platform()
    with platform.lock:
        found = listing.filtered(platform.records[PAYMENTS.collection].values(), PAYMENTS, request.args)
        found = listing.ordered(deepcopy(found), PAYMENTS, request.args, "created_at", "desc")
    return listing.page_of(found, request.args, context.list_url(), dict)


@routes.post("")
def create_payment() -> ResponseReturnValue:
    """Answer `POST /payments`; the success is a 200."""
    return context.current_platform().create_payment(context.body(), context.request_id())


@routes.get("/<key>")
def get_payment(key: str) -> ResponseReturnValue:
    """Answer `GET /payments/{id}`."""
    platform = context.current_platform()
    with platform.lock:
        return deepcopy(platform.find(PAYMENTS, key, by_reference=False))


@routes.post("/<key>/reverse")
def reverse_payment(key: str) -> ResponseReturnValue:
    """Answer `POST /payments/{id}/reverse`."""
    platform = context.current_platform()
    with platform.lock:
        payment = platform.find(PAYMENTS, key, by_reference=False)
        return platform.reverse_payment(payment, context.request_id())


@routes.post("/<key>/refund")
def refund_payment(key: str) -> ResponseReturnValue:
    """Answer `POST /payments/{id}/refund`."""
    platform, body = context.current_platform(), context.body()
    _REFUND_REQUEST(body, "")
    with platform.lock:
        payment = platform.find(PAYMENTS, key, by_reference=False)
        return platform.refund_payment(payment, body, context.request_id())
