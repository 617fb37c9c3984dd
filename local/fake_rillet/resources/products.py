"""Products: list, create, read, replace. They have no `updated_at` and cannot be found by reference."""

from flask import Blueprint

from local.fake_rillet import query_parameters
from local.fake_rillet.context import body, checks, organisation, state
from local.fake_rillet.invoice_lines import REVENUE_PATTERNS
from local.fake_rillet.pagination import page
from local.fake_rillet.product_prices import price_currencies, read_price
from local.fake_rillet.references import check_references, read_references
from local.fake_rillet.store import Json, Record

PRODUCT_STATUSES = ("ACTIVE", "INACTIVE")
_LONGEST_NAME = 250

blueprint = Blueprint("products", __name__, url_prefix="/products")


@blueprint.get("")
def list_products() -> Json:
    """List products, newest first."""
    status = query_parameters.choice("status", PRODUCT_STATUSES)
    currency = query_parameters.text("currency")

    def passes(product: Record) -> bool:
        priced = currency is None or currency in price_currencies(product.document["price"])
        return priced and status in (None, product.document["status"])

    return page("products", filter(passes, organisation().products), state(), organisation().id)


@blueprint.post("")
def create_product() -> Json:
    """Create a product."""
    return organisation().products.add(_read_product()).document


@blueprint.get("/<product_id>")
def retrieve_product(product_id: str) -> Json:
    """Return one product."""
    return organisation().products.get(product_id).document


@blueprint.put("/<product_id>")
def update_product(product_id: str) -> Json:
    """Replace a product whole."""
    organisation().products.get(product_id)
    return organisation().products.replace(product_id, _read_product()).document


def _read_product() -> Json:
    noting = checks()
    fields = body(noting)
    name = fields.require("name", fields.text, "x")
    if not 1 <= len(name) <= _LONGEST_NAME:
        fields.wrong("name", f"size must be between 1 and {_LONGEST_NAME}")
    product: Json = {
        "name": name,
        "description": fields.require("description", fields.text, ""),
        "price": read_price(fields.required_object("price")),
        "include_in_arr_mrr": fields.require("include_in_arr_mrr", fields.boolean, False),
        "revenue_pattern": fields.require(
            "revenue_pattern", lambda key: fields.choice(key, REVENUE_PATTERNS), ""
        ),
        "account_code": fields.require("account_code", fields.filled_text, ""),
        "status": fields.choice("status", PRODUCT_STATUSES) or "ACTIVE",
        "external_references": read_references(fields),
    }
    noting.finish()
    check_references(organisation(), product["external_references"])
    return product
