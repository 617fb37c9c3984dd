"""JSON on the wire, with exact decimals."""

import json
from decimal import Decimal

from flask.json.provider import DefaultJSONProvider


def plain(value: object) -> object:
    """Turn what JSON does not know into what it does know; quantities are the only Decimals."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return DefaultJSONProvider.default(value)


def encode(document: object) -> bytes:
    """Write a document as the bytes of a webhook's body."""
    return json.dumps(document, default=plain, separators=(",", ":")).encode()
