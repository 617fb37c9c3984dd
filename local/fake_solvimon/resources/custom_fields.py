"""Definitions of custom fields: found by id only, their reference unique in the platform.

Whether Solvimon holds references unique per resource type or in the whole platform is not documented; the
fake takes the narrower one.
"""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from local.fake_solvimon.resources import context, listing
from local.fake_solvimon.resources.definitions import CUSTOM_FIELDS

routes = Blueprint("custom-fields", __name__, url_prefix="/custom-fields")


@routes.get("")
def list_custom_fields() -> ResponseReturnValue:
    """Answer `GET /custom-fields`."""
    platform = context.current_platform()
    with platform.lock:
        records = platform.records[CUSTOM_FIELDS.collection].values()
        kept = listing.filtered(records, CUSTOM_FIELDS, request.args)
        kept = listing.ordered(kept, CUSTOM_FIELDS, request.args, "reference", "asc")
        return listing.page_of(kept, request.args, context.list_url(), dict)


@routes.post("")
def create_custom_field() -> ResponseReturnValue:
    """Answer `POST /custom-fields`."""
    platform = context.current_platform()
    return platform.create(CUSTOM_FIELDS, context.body(), context.request_id()), 201


@routes.get("/<key>")
def get_custom_field(key: str) -> ResponseReturnValue:
    """Answer `GET /custom-fields/{id}`."""
    platform = context.current_platform()
    with platform.lock:
        return platform.find(CUSTOM_FIELDS, key, by_reference=False)
