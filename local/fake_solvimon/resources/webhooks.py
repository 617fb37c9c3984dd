"""Webhook configuration. The secret is Solvimon's own choice: none until it is rolled, shown only then.

Whether a new webhook has a secret, and whether it is ever shown again, is not documented; this is the
reading that needs the caller to roll and to keep what the answer says.
"""

import hashlib

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from local.fake_solvimon.errors import not_found
from local.fake_solvimon.platform import Platform
from local.fake_solvimon.resources import context, listing
from local.fake_solvimon.resources.definitions import WEBHOOKS
from local.fake_solvimon.webhooks import Webhook

routes = Blueprint("webhooks", __name__, url_prefix="/webhooks")

_GENERIC = ("CREATED", "UPDATED", "DELETE")
ACTIONS = {
    "CUSTOMER": _GENERIC,
    "PRODUCT": _GENERIC,
    "PRODUCT_CATEGORY": _GENERIC,
    "BILLING_ENTITY": _GENERIC,
    "INVOICE": (*_GENERIC, "STATUS_TO_FINAL", "PAID"),
}


@routes.get("")
def list_webhooks() -> ResponseReturnValue:
    """Answer `GET /webhooks`."""
    shown = [webhook.view() for webhook in context.current_platform().webhooks.webhooks.values()]
    shown = listing.ordered(shown, WEBHOOKS, request.args, "name", "asc")
    return listing.page_of(shown, request.args, context.list_url(), dict)


@routes.post("")
def create_webhook() -> ResponseReturnValue:
    """Answer `POST /webhooks`."""
    platform = context.current_platform()
    return platform.webhooks.add(platform.new_webhook(context.body()), None).view(), 201


@routes.get("/actions")
def list_actions() -> ResponseReturnValue:
    """Answer `GET /webhooks/actions`."""
    data = [
        {"object_type": name, "actions": [f"{name}.{action}" for action in actions]}
        for name, actions in ACTIONS.items()
    ]
    return {"data": data}


@routes.get("/<key>")
def get_webhook(key: str) -> ResponseReturnValue:
    """Answer `GET /webhooks/{id}`."""
    return _webhook(context.current_platform(), key).view()


@routes.patch("/<key>/secret-key")
def roll_secret(key: str) -> ResponseReturnValue:
    """Answer `PATCH /webhooks/{id}/secret-key` with the new secret."""
    platform = context.current_platform()
    _webhook(platform, key)
    secret = hashlib.sha256(platform.new_id("secret").encode()).hexdigest()
    webhook = platform.webhooks.roll(key, secret)
    return webhook.view() | {"secret_key": secret}


def _webhook(platform: Platform, key: str) -> Webhook:
    webhook = platform.webhooks.webhooks.get(key)
    if webhook is None:
        raise not_found(WEBHOOKS.object_type, key)
    return webhook
