"""Products: list, create, read, replace. They have no `updated_at` and cannot be found by reference."""

from flask import Blueprint

from local.fake_rillet import listing
from local.fake_rillet.context import body, organisation, state
from local.fake_rillet.document_rules import check_references
from local.fake_rillet.invoice_lines import REVENUE_PATTERNS
from local.fake_rillet.store import Json, Record
from local.fake_rillet.validation import Fields, read_references
from local.fake_rillet.wire import Money

PRICE_TYPES = ("FIXED_RECURRING", "ONE_TIME", "USAGE")
BILLING_TYPES = ("PER_UNIT", "TIERED")
TIER_MODES = ("GRADUATED", "METERED")
_MOST_MONTHS = 12
PRODUCT_STATUSES = ("ACTIVE", "INACTIVE")
_LONGEST_NAME = 250

blueprint = Blueprint("products", __name__, url_prefix="/products")


def read_price(price: Fields) -> Json:
    """Read a product's price; which fields it needs depends on its `type`."""
    kind = price.require("type", lambda name: price.choice(name, PRICE_TYPES), "ONE_TIME")
    read: Json = {"type": kind}
    if kind in ("FIXED_RECURRING", "USAGE"):
        read["interval_months"] = price.require(
            "interval_months", lambda name: price.integer(name, 1, _MOST_MONTHS), 1
        )
    if kind in ("FIXED_RECURRING", "ONE_TIME"):
        read["amount"] = _price_amount(price, "amount", required=True)
    if kind == "USAGE":
        read["billing_scheme"] = _billing_scheme(price.required_object("billing_scheme"))
    return read


def price_currencies(price: Json) -> set[str]:
    """Return the currencies that occur in a stored price."""
    found = {price["currency"]} if "currency" in price else set()
    for value in price.values():
        for nested in value if isinstance(value, list) else [value]:
            if isinstance(nested, dict):
                found |= price_currencies(nested)
    return found


def _billing_scheme(scheme: Fields) -> Json:
    kind = scheme.require("type", lambda name: scheme.choice(name, BILLING_TYPES), "PER_UNIT")
    if kind == "PER_UNIT":
        return {
            "type": kind,
            "amount": _price_amount(scheme, "amount", required=True),
            "units": scheme.require("units", lambda name: scheme.integer(name, 1), 1),
        }
    tiers = scheme.required_objects("tiers")
    return {
        "type": kind,
        "mode": scheme.require("mode", lambda name: scheme.choice(name, TIER_MODES), "GRADUATED"),
        "tiers": [_tier(tier) for tier in tiers],
    }


def _tier(tier: Fields) -> Json:
    if "flat_price" not in tier and "per_unit_price" not in tier:
        tier.wrong("flat_price", "or per_unit_price must be provided")
    read = {
        "up_to": tier.require("up_to", lambda name: tier.integer(name, 1), 1),
        "flat_price": _price_amount(tier, "flat_price"),
        "per_unit_price": _price_amount(tier, "per_unit_price"),
    }
    return {name: value for name, value in read.items() if value is not None}


def _price_amount(fields: Fields, name: str, *, required: bool = False) -> Json | None:
    """Read a price and keep its scale as sent: product prices need not be rounded."""
    money: Money | None = fields.unrounded_money(name)
    if money is None:
        if required:
            fields.wrong(name, "must not be null")
        return None
    return {"amount": f"{money.amount:f}", "currency": money.currency}


@blueprint.get("")
def list_products() -> Json:
    """List products, newest first."""
    status = listing.choice("status", PRODUCT_STATUSES)
    currency = listing.text("currency")

    def passes(product: Record) -> bool:
        priced = currency is None or currency in price_currencies(product.document["price"])
        return priced and status in (None, product.document["status"])

    return listing.page("products", filter(passes, organisation().products), state(), organisation().id)


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
    fields = body()
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
    fields.checks.finish()
    check_references(organisation(), product["external_references"])
    return product
