"""Checked access to the fields of a request body.

Every accessor notes what is wrong instead of raising, so that the answer names all fields at once; call
`Checks.finish` before using what was read. An explicit null counts as absent, and unknown fields are
dropped silently, as Rillet does.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlsplit

from local.fake_rillet.problems import Violation, invalid
from local.fake_rillet.wire import CURRENCY_DECIMALS, Money, read_date, rounded
from local.fake_vendor.iso_codes import ISO_COUNTRIES

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DECIMAL = re.compile(r"-?\d+(\.\d+)?", re.ASCII)

T = TypeVar("T")


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID in its canonical form."""
    return _UUID.fullmatch(text) is not None


@dataclass
class Checks:
    """What one request got wrong so far, and the currencies it used.

    Attributes:
        strict_scale: rounded amounts must have exactly the currency's own decimals; otherwise fewer are
            accepted ("100" for USD). More decimals than the currency has are always refused.
    """

    strict_scale: bool = True
    violations: list[Violation] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)

    def add(self, name: str, message: str) -> None:
        """Note that a field is wrong."""
        self.violations.append({"field": name, "message": message})

    def finish(self) -> None:
        """Raise a 400 problem if anything was wrong."""
        if self.violations:
            raise invalid(self.violations)

    def finish_in_one_currency(self) -> None:
        """Raise a 400 problem if anything was wrong, or if the items' amounts are in several currencies."""
        if len(self.currencies) > 1:
            self.add("items", f"must be in one currency, not {', '.join(sorted(self.currencies))}")
        self.finish()


class Fields:
    """The fields of one JSON object.

    Attributes:
        checks: what the whole request got wrong so far.
    """

    def __init__(self, document: Mapping[str, object], checks: Checks, path: str = "") -> None:
        self._document = document
        self.checks = checks
        self._path = path

    def __contains__(self, name: str) -> bool:
        return self._document.get(name) is not None

    def wrong(self, name: str, message: str) -> None:
        """Note that a field of this object is wrong."""
        self.checks.add(f"{self._path}{name}", message)

    def require(self, name: str, read: Callable[[str], T | None], default: T) -> T:
        """Read a field that must be there.

        Args:
            name: the field.
            read: the accessor to read it with.
            default: a harmless stand-in; it never leaves the request, because `finish` raises.
        """
        if name not in self:
            self.wrong(name, "must not be null")
            return default
        value = read(name)
        return default if value is None else value

    def text(self, name: str) -> str | None:
        """Read a string."""
        return self._typed(name, str, "must be a string")

    def filled_text(self, name: str) -> str | None:
        """Read a string that must not be blank."""
        return self._fitting(name, str.strip, "must not be blank")

    def uuid(self, name: str) -> str | None:
        """Read a UUID; Rillet refuses a malformed one as a parse error."""
        value = self.text(name)
        if value is not None and not is_uuid(value):
            self.wrong(name, f'"{value}" is not a UUID: JSON parse error')
            return None
        return value.lower() if value else value

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """Read one of several words."""
        return self._fitting(name, lambda value: value in choices, f"must be one of {', '.join(choices)}")

    def boolean(self, name: str) -> bool | None:
        """Read true or false."""
        return self._typed(name, bool, "must be a boolean")

    def number(
        self, name: str, minimum: Decimal | None = None, maximum: Decimal | None = None
    ) -> Decimal | None:
        """Read a JSON number (a quantity or a percentage, never an amount)."""
        value = self._document.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.wrong(name, "must be a number")
            return None
        if minimum is not None and value < minimum:
            self.wrong(name, f"must be greater than or equal to {minimum}")
        if maximum is not None and value > maximum:
            self.wrong(name, f"must be less than or equal to {maximum}")
        return Decimal(value)

    def integer(self, name: str, minimum: int, maximum: int = 2**31 - 1) -> int | None:
        """Read a whole number."""
        value = self.number(name, Decimal(minimum), Decimal(maximum))
        if value is not None and value != value.to_integral_value():
            self.wrong(name, "must be an integer")
            return None
        return None if value is None else int(value)

    def date(self, name: str) -> date | None:
        """Read a date written as YYYY-MM-DD."""
        value = self.text(name)
        try:
            return None if value is None else read_date(value)
        except ValueError:
            self.wrong(name, f'"{value}" is not a date: JSON parse error')
            return None

    def country(self, name: str) -> str | None:
        """Read an ISO 3166-1 alpha-2 country."""
        message = '"{}" is not an ISO 3166-1 alpha-2 country'
        return self._fitting(name, lambda value: value in ISO_COUNTRIES, message)

    def currency(self, name: str) -> str | None:
        """Read an ISO 4217 currency."""
        value = self.text(name)
        if value is not None and value not in CURRENCY_DECIMALS:
            self.wrong(name, f'"{value}" is not an ISO 4217 currency')
            return None
        return value

    def decimal_text(self, name: str) -> Decimal | None:
        """Read a decimal that travels as a string."""
        value = self.text(name)
        if value is not None and not _DECIMAL.fullmatch(value):
            self.wrong(name, f'"{value}" is not a decimal number')
            return None
        return None if value is None else Decimal(value)

    def unrounded_money(self, name: str) -> Money | None:
        """Read a `MonetaryAmount`, whose scale is free."""
        amount = self.object(name)
        if amount is None:
            return None
        value = amount.require("amount", amount.decimal_text, Decimal(0))
        currency = amount.require("currency", amount.currency, "")
        if not currency:
            return None
        self.checks.currencies.add(currency)
        return Money(value, currency)

    def rounded_money(self, name: str) -> Money | None:
        """Read a `RoundedMonetaryAmount`, which has the currency's own number of decimals."""
        money = self.unrounded_money(name)
        if money is None:
            return None
        fits = money.amount == rounded(money.amount, money.currency)
        decimals = CURRENCY_DECIMALS[money.currency]
        if not fits or (self.checks.strict_scale and money.amount.as_tuple().exponent != -decimals):
            self.wrong(name, f"must be rounded to {decimals} decimal places for {money.currency}")
        return money

    def uri(self, name: str) -> str | None:
        """Read an absolute URI."""
        return self._fitting(name, lambda value: urlsplit(value).scheme, "must be a URI")

    def object(self, name: str) -> "Fields | None":
        """Read a nested object."""
        value = self._typed(name, dict, "must be an object")
        return None if value is None else Fields(value, self.checks, f"{self._path}{name}.")

    def required_object(self, name: str) -> "Fields":
        """Read a nested object that must be there; what is wrong inside of a missing one is not noted."""
        return self.require(name, self.object, Fields({}, Checks()))

    def objects(self, name: str, *, minimum: int = 0, unique: bool = False) -> "list[Fields] | None":
        """Read a list of objects."""
        value = self._typed(name, list, "must be an array")
        if value is None:
            return None
        if len(value) < minimum:
            self.wrong(name, f"size must be at least {minimum}")
        if unique and any(item in value[:index] for index, item in enumerate(value)):
            self.wrong(name, "must only contain unique elements")
        nested = []
        for index, item in enumerate(value):
            if isinstance(item, dict):
                nested.append(Fields(item, self.checks, f"{self._path}{name}[{index}]."))
            else:
                self.wrong(f"{name}[{index}]", "must be an object")
        return nested

    def required_objects(self, name: str) -> "list[Fields]":
        """Read a list of objects that must be there and hold at least one."""
        nothing: list[Fields] = []
        return self.require(name, lambda key: self.objects(key, minimum=1), nothing)

    def _typed(self, name: str, kind: type[T], message: str) -> T | None:
        value = self._document.get(name)
        if value is not None and not isinstance(value, kind):
            self.wrong(name, message)
            return None
        return value

    def _fitting(self, name: str, fits: Callable[[str], Any], message: str) -> str | None:
        """Read a string that must fit; `{}` in the message stands for it."""
        value = self.text(name)
        if value is not None and not fits(value):
            self.wrong(name, message.format(value))
        return value


def read_references(fields: Fields) -> list[dict[str, Any]]:
    """Read `external_references` of an object; absent is empty."""
    return [
        {
            "type": reference.require("type", reference.filled_text, ""),
            "id": reference.require("id", reference.filled_text, ""),
        }
        | ({"url": reference.uri("url")} if "url" in reference else {})
        for reference in fields.objects("external_references", unique=True) or []
    ]
