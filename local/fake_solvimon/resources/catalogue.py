"""Customers, products, product categories and billing entities, one blueprint for each; and custom fields.

Custom fields are found by id only. Whether Solvimon holds their references unique per resource type or in the
whole platform is not documented; the fake takes the narrower one.
"""

from copy import deepcopy

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from local.fake_solvimon.errors import ApiProblem, Json, invalid_field, no_such_path
from local.fake_solvimon.platform import Platform
from local.fake_solvimon.resources import context, listing
from local.fake_solvimon.resources.definitions import CUSTOM_FIELDS, PRODUCT_CATEGORIES, PRODUCTS
from local.fake_solvimon.resources.resource import Resource

custom_field_routes = Blueprint("custom-fields", __name__, url_prefix="/custom-fields")


def resource_blueprint(resource: Resource) -> Blueprint:
    """Return the routes of one resource."""
    routes = Blueprint(resource.collection, __name__, url_prefix=f"/{resource.collection}")

    @routes.get("")
    def list_records() -> ResponseReturnValue:
        platform = context.current_platform()
        with platform.lock:
            records = listing.filtered(context.listed_records(resource.collection), resource, request.args)
            if resource.listing == "paged":
                records = listing.ordered(records, resource, request.args, "created_at", "desc")
                return listing.page_of(records, request.args, context.list_url(), _shown)
            data = [_shown(record) for record in records]
        if resource.listing == "bare":
            return {"data": data}
        here = context.list_url()
        return {"data": data, "links": {"first": here, "previous": None, "current": here, "next": None}}

    @routes.post("")
    def create_record() -> ResponseReturnValue:
        platform = context.current_platform()
        return _shown(platform.create(resource, context.body(), context.request_id())), 201

    @routes.put("")
    def upsert_record() -> ResponseReturnValue:
        platform, body = context.current_platform(), context.body()
        with platform.lock:
            record = _identified(platform, resource, body)
            if record is None:
                return _shown(platform.create(resource, body, context.request_id())), 201
            # A PUT of an existing record answers 201 as well: OpenAPI lists no other success.
            return _shown(platform.change(resource, record, body, context.request_id(), upsert=True)), 201

    @routes.post("/search")
    def search_records() -> ResponseReturnValue:
        platform = context.current_platform()
        with platform.lock:
            records = listing.searched(context.listed_records(resource.collection), resource, context.body())
            records = listing.ordered(records, resource, request.args, "name", "asc")
            return listing.page_of(records, request.args, context.list_url(), _shown)

    @routes.get("/<key>")
    def get_record(key: str) -> ResponseReturnValue:
        platform = context.current_platform()
        with platform.lock:
            return _shown(platform.find(resource, key))

    @routes.patch("/<key>")
    def patch_record(key: str) -> ResponseReturnValue:
        platform = context.current_platform()
        with platform.lock:
            record = platform.find(resource, key)
            return _shown(platform.change(resource, record, context.body(), context.request_id()))

    @routes.post("/<key>/<transition>")
    def move_record(key: str, transition: str) -> ResponseReturnValue:
        if transition not in resource.transitions:
            raise no_such_path(request.path)
        platform = context.current_platform()
        with platform.lock:
            record = platform.find(resource, key)
            status = {"status": resource.transitions[transition]}
            return _shown(platform.change(resource, record, status, context.request_id()))

    return routes


def _identified(platform: Platform, resource: Resource, body: Json) -> Json | None:
    """Return the record a PUT means, None when it is new.

    Which `identifier_field` values Solvimon knows is not documented; here `reference`, the default, and
    `id`, or a custom field named by `custom_field_reference`.
    """
    by_custom_field = request.args.get("custom_field_reference")
    by_field = request.args.get("identifier_field", "custom_field" if by_custom_field else "reference")
    records = list(platform.records[resource.collection].values())
    if by_custom_field:
        wanted = listing.custom_values_of(body, by_custom_field)
        if not wanted:
            raise invalid_field("custom_fields", f"a value of {by_custom_field} is required")
        return next((r for r in records if wanted[0] in listing.custom_values_of(r, by_custom_field)), None)
    if by_field not in ("reference", "id"):
        raise invalid_field("identifier_field", "must be reference or id")
    if not body.get(by_field):
        code = "MISSING_REFERENCE" if by_field == "reference" else "MISSING_ID"
        raise ApiProblem(400, code, f"a {by_field} is required to identify by it", field=by_field)
    return next((record for record in records if record.get(by_field) == body[by_field]), None)


def _shown(record: Json) -> Json:
    """Return a copy to answer with; a product's category is nested only where the caller expands it."""
    shown = deepcopy(record)
    if shown.get("object_type") == PRODUCTS.object_type and "category_id" in request.args.getlist("expand[]"):
        categories = context.current_platform().records[PRODUCT_CATEGORIES.collection]
        if category := categories.get(shown.get("category_id") or ""):
            shown["category"] = deepcopy(category)
    return shown


@custom_field_routes.get("")
def list_custom_fields() -> ResponseReturnValue:
    """Answer `GET /custom-fields`."""
    platform = context.current_platform()
    with platform.lock:
        records = platform.records[CUSTOM_FIELDS.collection].values()
        kept = listing.filtered(records, CUSTOM_FIELDS, request.args)
        kept = listing.ordered(kept, CUSTOM_FIELDS, request.args, "reference", "asc")
        return listing.page_of(kept, request.args, context.list_url(), dict)


@custom_field_routes.post("")
def create_custom_field() -> ResponseReturnValue:
    """Answer `POST /custom-fields`."""
    platform = context.current_platform()
    return platform.create(CUSTOM_FIELDS, context.body(), context.request_id()), 201


@custom_field_routes.get("/<key>")
def get_custom_field(key: str) -> ResponseReturnValue:
    """Answer `GET /custom-fields/{id}`."""
    platform = context.current_platform()
    with platform.lock:
        return platform.find(CUSTOM_FIELDS, key, by_reference=False)
