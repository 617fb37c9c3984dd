"""Money as decimals, rounded to each currency's minor unit."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

# ISO 4217 minor units that are not 2.
_MINOR_UNITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def decimals(currency: str) -> int:
    """Number of decimals of a currency's smallest unit (ISO 4217), 2 for EUR."""
    return _MINOR_UNITS.get(currency.upper(), 2)


@lru_cache(maxsize=256)
def unit(currency: str) -> Decimal:
    """The smallest amount in a currency: 0.01 for EUR, 1 for JPY."""
    return Decimal(1).scaleb(-decimals(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount rounded half up (away from zero) to the currency's own decimals.

    The result has exactly these decimals, as Rillet's ``RoundedMonetaryAmount`` demands.
    """
    result = amount.quantize(unit(currency), rounding=ROUND_HALF_UP)
    return result if result else abs(result)  # never "-0.00"


def format_amount(amount: Decimal, currency: str) -> str:
    """An amount in both vendors' form: plain digits, a point, the currency's decimals."""
    return f"{rounded(amount, currency):f}"


def format_number(number: Decimal) -> str:
    """A number without exponent and without trailing zeros, for messages.

    At most 12 decimals: a share of an amount has endless ones, and no document states more.
    """
    return _without_zeros(f"{number:.12f}")


def exact_number(number: Decimal) -> str:
    """A number with all of its decimals, without exponent and without trailing zeros."""
    return _without_zeros(f"{number:f}")


def _without_zeros(shown: str) -> str:
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def allocate(total: Decimal, exact: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Round parts so that they sum to a rounded total, moving as little as possible.

    Each part is rounded half up. The difference to the total is then placed, one smallest unit at a time, on
    the parts that rounding moved furthest in the other direction (largest remainder method); among equals on
    the largest part.

    Args:
        total: the required sum, already rounded to the currency.
        exact: the unrounded parts, with any number of decimals.
        currency: ISO 4217 code.

    Raises:
        ValueError: there are no parts, and the total is not zero.
    """
    parts = [rounded(part, currency) for part in exact]
    missing = int((total - sum(parts)) / unit(currency))
    if missing and not parts:
        raise ValueError("an amount cannot be allocated to no parts")
    if not missing:
        return parts
    step = unit(currency) if missing > 0 else -unit(currency)
    order = sorted(
        range(len(parts)), key=lambda i: ((exact[i] - parts[i]) / step, abs(exact[i])), reverse=True
    )
    per_part, extra = divmod(abs(missing), len(parts))
    for position, index in enumerate(order):
        parts[index] += step * (per_part + (position < extra))
    return parts


def within_rounding(difference: Decimal, parts: int, currency: str, smallest: Decimal | None = None) -> bool:
    """Whether a difference can come from rounding alone.

    ``parts`` amounts and their total, each rounded by at most half a unit, differ by less than
    ``(parts + 1) / 2`` units; a single part and its total never differ. A difference that reaches
    ``smallest`` (of `smallest_amount`) is none: it may be that amount, lost.
    """
    if not difference:
        return True
    if smallest is not None and abs(difference) >= smallest:
        return False
    return abs(difference) * 2 < (parts + 1) * unit(currency)


def smallest_amount(amounts: Iterable[Decimal], currency: str) -> Decimal | None:
    """The smallest of some amounts, without sign and rounded; not one that rounds to zero."""
    return min((abs(each) for amount in amounts if (each := rounded(amount, currency))), default=None)
