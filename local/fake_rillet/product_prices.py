"""The price of a product in its three kinds."""

from local.fake_rillet.money import Money
from local.fake_rillet.store import Json
from local.fake_rillet.validation import Fields

PRICE_TYPES = ("FIXED_RECURRING", "ONE_TIME", "USAGE")
BILLING_TYPES = ("PER_UNIT", "TIERED")
TIER_MODES = ("GRADUATED", "METERED")
_MOST_MONTHS = 12


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
