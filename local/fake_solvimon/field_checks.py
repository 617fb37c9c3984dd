"""Checks of single values, which `resources.definitions` combines into resources."""

import re
from collections.abc import Callable
from datetime import datetime

from local.fake_solvimon.errors import invalid_field
from local.fake_vendor import iso_codes

Check = Callable[[object, str], None]
"""Raises `ApiProblem` INVALID_FIELD for the dotted path when the value breaks the rule."""

COUNTRIES = sorted(iso_codes.ISO_COUNTRIES - {"UM"})
"""ISO 3166-1 as Solvimon's OpenAPI document has it (`AddressCountry`)."""

_NOT_YET = {"BOV", "CHE", "CHW", "COU", "UYW", "VED", "XAD", "XCG", "ZWG"}
_WITHDRAWN = {"ANG", "BGN", "CUC", "HRK", "MRO", "VEF", "ZWL"}
CURRENCIES = sorted(iso_codes.ISO_CURRENCIES - _NOT_YET | _WITHDRAWN)
"""ISO 4217 as Solvimon's OpenAPI document has it (`AmountCurrency`): an older edition, and fewer funds."""

REFERENCE_PATTERN = r"\S+"
ONE_LINE_PATTERN = r".*"
EMAIL_PATTERN = r"\S*@\S*\..*"
QUANTITY_PATTERN = r"-?[0-9]+(\.[0-9]+)?"

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(Z|[+-]\d\d:\d\d)")


def text(pattern: str | None = None, *, least: int = 0, most: int | None = None) -> Check:
    """Accept a string whose whole matches the pattern (the SDK's patterns, read as a full match)."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise invalid_field(path, "must be a string")
        if len(value) < least or (most is not None and len(value) > most):
            raise invalid_field(path, f"size must be between {least} and {most}")
        if pattern is not None and re.fullmatch(pattern, value) is None:
            raise invalid_field(path, f'must match "^{pattern}$"')

    return check


def choice(*allowed: str) -> Check:
    """Accept one of an enum's values."""

    def check(value: object, path: str) -> None:
        if value not in allowed:
            raise invalid_field(path, f"must be one of {', '.join(allowed)}")

    return check


def list_of(item: Check) -> Check:
    """Accept a list and hold every element to the item's rule."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, list):
            raise invalid_field(path, "must be a list")
        for index, element in enumerate(value):
            item(element, f"{path}.{index}")

    return check


def record(**fields: Check) -> Check:
    """Accept an object with these fields; an unknown one is refused, a null clears. A body has no path."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise invalid_field(path, "must be an object")
        for name, inner in value.items():
            rule, here = fields.get(name), f"{path}.{name}" if path else name
            if rule is None:
                raise invalid_field(here, "unknown field")
            if inner is not None:
                rule(inner, here)

    return check


def flag(value: object, path: str) -> None:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise invalid_field(path, "must be true or false")


def whole_number(value: object, path: str) -> None:
    """Accept an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid_field(path, "must be an integer")


def anything(value: object, path: str) -> None:
    """Accept every value: for parts of the API that the fake keeps unchecked."""


def timestamp(value: object, path: str) -> None:
    """Accept ISO 8601 with `Z` or an offset, without fractions of a second (Solvimon, standardisation)."""
    if not isinstance(value, str) or (match := _TIMESTAMP.fullmatch(value)) is None:
        raise invalid_field(path, "must be an ISO 8601 timestamp with Z or an offset")
    if match["fraction"] is not None:
        raise invalid_field(path, "milliseconds are not supported")
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise invalid_field(path, "is not a date that exists") from None


REFERENCE = text(REFERENCE_PATTERN, most=256)
ONE_LINE = text(ONE_LINE_PATTERN, most=256)
EMAIL = text(EMAIL_PATTERN, most=256)
FREE_TEXT = text()
COUNTRY = choice(*COUNTRIES)
CURRENCY = choice(*CURRENCIES)
AMOUNT = record(quantity=text(QUANTITY_PATTERN, most=256), currency=CURRENCY)
