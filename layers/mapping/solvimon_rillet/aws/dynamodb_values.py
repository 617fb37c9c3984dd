"""DynamoDB's values in plain Python types."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def to_dynamodb(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as DynamoDB stores them."""
    return {name: _serialize(value) for name, value in values.items()}


def from_dynamodb(item: Mapping[str, Any]) -> dict[str, Any]:
    """A stored item in plain Python types; whole numbers are integers."""
    return {name: _with_integers(_deserialize(value)) for name, value in item.items()}


def _with_integers(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if isinstance(value, dict):
        return {name: _with_integers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_integers(part) for part in value]
    return value
