"""Shortcuts in moto, for runs with thousands of calls. Importing this module is enough.

* DynamoDB's attribute values are written as they are. moto walks through each attribute of each item with
  AWS's model of the service to find out how it is written, though its own values are in that form already;
  the walk takes most of the time of a read. Binary attributes would need it; no table of ours has any.
* Texts are compared as texts. A query of moto's sorts the whole table and looks at each item, by comparisons
  that first ask each value for its type in six ways.
* moto's own folders are listed once, and not for each request.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from moto import backends
from moto.core.serialize import JSONSerializer
from moto.dynamodb.models.dynamo_type import DynamoType

_ATTRIBUTE, _TEXT = "AttributeValue", "S"


def _structure(
    self: JSONSerializer,
    serialized: dict[str, Any],
    value: Any,  # noqa: ANN401 - whatever moto answers
    shape: Any,  # noqa: ANN401 - moto's model of it
    key: str,
) -> None:
    if shape.name == _ATTRIBUTE and type(value) is dict:
        serialized[key] = value
        return
    super(JSONSerializer, self)._serialize_type_structure(serialized, value, shape, key)


def _quick(name: str) -> Callable[[DynamoType, DynamoType], Any]:
    """A comparison with a shortcut for two texts."""
    slow, of_texts = getattr(DynamoType, name), getattr(str, name)

    def compare(self: DynamoType, other: DynamoType) -> Any:  # noqa: ANN401 - as Python's comparisons
        if self.type == other.type == _TEXT:
            return of_texts(self.value, other.value)
        return slow(self, other)

    return compare


_folders = backends.list_of_moto_modules


@cache
def _listed_once() -> tuple[str, ...]:
    return tuple(_folders())


for comparison in ("__eq__", "__ne__", "__lt__"):
    setattr(DynamoType, comparison, _quick(comparison))
# setattr: a method that moto's class only inherits, and a function of a module that is not typed.
setattr(JSONSerializer, "_serialize_type_structure", _structure)  # noqa: B010
setattr(backends, "list_of_moto_modules", _listed_once)  # noqa: B010
