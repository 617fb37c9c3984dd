"""JSON of a vendor, read so that nothing in it can raise another error than ``ValueError``."""

from decimal import Decimal, DecimalException
from typing import Any

import simplejson

_MAX_DEPTH = 100
# No amount, rate or count comes near; a number beyond them becomes a text of a gigabyte.
_MAX_NUMBER = Decimal(10) ** 40
_MAX_DECIMALS = 100


def parse_json(content: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    """The value of a JSON text. Fractions are ``Decimal``; half a surrogate pair becomes a question mark.

    Raises:
        ValueError: the text is no JSON in UTF-8, has a number without end, or is nested too deeply.
    """
    try:
        value = simplejson.loads(content, use_decimal=True)
    except (RecursionError, DecimalException) as error:
        raise ValueError(type(error).__name__) from None
    _check_bounds(value)
    if b"\\ud" in content.lower():
        text = simplejson.dumps(value, use_decimal=True, ensure_ascii=False)
        value = simplejson.loads(text.encode("utf-8", "replace"), use_decimal=True)
    return value


def _check_bounds(value: object) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        below: list[object] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
            elif isinstance(each, int | Decimal):
                _check_number(each)
        if not below:
            return
        level = below
    raise ValueError("nested too deeply")


def _check_number(number: int | Decimal) -> None:
    if not -_MAX_NUMBER < number < _MAX_NUMBER:
        raise ValueError("a number is too large")
    if isinstance(number, Decimal) and int(number.as_tuple().exponent) < -_MAX_DECIMALS:
        raise ValueError("a number has too many decimals")
