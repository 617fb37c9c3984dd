"""Values as Rillet writes them: money in decimals, points in time, JSON."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from zoneinfo import ZoneInfo

from flask.json.provider import DefaultJSONProvider

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
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


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


def to_micros(seconds: float) -> int:
    """Convert Unix seconds to whole microseconds, the resolution in which the fake keeps time."""
    return round(seconds * 1_000_000)


def write_timestamp(micros: int) -> str:
    """Write microseconds since the epoch as a UTC timestamp."""
    moment = _EPOCH + timedelta(microseconds=micros)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_timestamp(text: str) -> int:
    """Read an RFC 3339 timestamp.

    Returns:
        Microseconds since the epoch.

    Raises:
        ValueError: the text is not an RFC 3339 timestamp with a zone.
    """
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f"{text!r} is not an RFC 3339 timestamp")
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def read_date(text: str) -> date:
    """Read a date written as YYYY-MM-DD.

    Raises:
        ValueError: the text is anything else.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(f"{text!r} is not a date")
    return date.fromisoformat(text)


def day_in_zone(seconds: float, timezone: str) -> date:
    """Return the calendar day at a moment in an IANA time zone."""
    return datetime.fromtimestamp(seconds, ZoneInfo(timezone)).date()


def plain(value: object) -> object:
    """Turn what JSON does not know into what it does know; quantities are the only Decimals."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return DefaultJSONProvider.default(value)


def encode(document: object) -> bytes:
    """Write a document as the bytes of a webhook's body."""
    return json.dumps(document, default=plain, separators=(",", ":")).encode()
