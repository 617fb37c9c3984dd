"""Money as Rillet keeps it: decimals, rounded half up to the currency's own number of places."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from local.fake_vendor.iso_codes import MINOR_UNITS

_FUNDS = frozenset({"BOV", "CHE", "CHW", "COU", "MXV", "USN", "XAD"})
_WITHDRAWN = {"ANG": 2, "BGN": 2}
CURRENCY_DECIMALS = {
    code: decimals for code, decimals in MINOR_UNITS.items() if code not in _FUNDS
} | _WITHDRAWN
"""Decimals of the currencies that the fake accepts.

Rillet's document says "ISO 4217" and lists none. Chosen here: no funds and units of account, which no invoice
is in, and the currencies that left ISO 4217 in 2025 and 2026, which older documents have.
"""

_WIDE = Context(prec=100, rounding=ROUND_HALF_UP)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round an amount half up (away from zero) to the currency's own decimals.

    Rillet does not document how it rounds a line; per line and half up is this fake's choice.
    """
    return amount.quantize(Decimal(1).scaleb(-CURRENCY_DECIMALS[currency]), context=_WIDE)


def to_wire(amount: Decimal, currency: str) -> dict[str, str]:
    """Write an amount as Rillet's `RoundedMonetaryAmount`."""
    value = rounded(amount, currency)
    return {"amount": f"{abs(value) if value == 0 else value:f}", "currency": currency}


@dataclass(frozen=True)
class Money:
    """An amount in major units of an ISO 4217 currency, as a caller sent it."""

    amount: Decimal
    currency: str
