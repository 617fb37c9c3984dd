"""Amounts as Solvimon writes them: decimal texts in major units, with at least the currency's decimals."""

from collections.abc import Hashable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from local.fake_solvimon.errors import Json
from local.fake_vendor.iso_codes import MINOR_UNITS

_PARTS = {"quantity", "currency"}

Part = TypeVar("Part", bound=Hashable)


def value(amount: Json) -> Decimal:
    """Return the value of an amount."""
    return Decimal(amount["quantity"])


def rounded(number: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's own decimals."""
    return number.quantize(Decimal(1).scaleb(-MINOR_UNITS.get(currency, 2)), ROUND_HALF_UP)


def amount(number: Decimal, currency: str) -> Json:
    """Write an amount with the currency's decimals, or with more where the number has more; never -0."""
    padded = rounded(number, currency)
    shown = padded if padded == number else number
    return {"quantity": f"{abs(shown) if shown == 0 else shown:f}", "currency": currency}


def negated(document: object) -> object:
    """Return a copy of a document with the sign of every amount in it turned round."""
    if isinstance(document, list):
        return [negated(part) for part in document]
    if not isinstance(document, dict):
        return document
    if document.keys() == _PARTS:
        return amount(-value(document), document["currency"])
    return {name: negated(part) for name, part in document.items()}


def spread(total: Decimal, over: Mapping[Part, Decimal], currency: str) -> dict[Part, Decimal]:
    """Spread a total in proportion; each share is rounded and the largest takes what is left over.

    A total that is the whole gives every part back as it is, with all its decimals.

    Raises:
        ZeroDivisionError: the parts add up to nothing.
    """
    whole = sum(over.values(), Decimal(0))
    if total == whole:
        return dict(over)
    shares = {key: rounded(part * total / whole, currency) for key, part in over.items()}
    largest = max(over, key=lambda key: abs(over[key]))
    shares[largest] += total - sum(shares.values(), Decimal(0))
    return shares
