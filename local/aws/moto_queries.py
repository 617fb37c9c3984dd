"""A query of moto's table looks at the items of its key, and not at all items in order.

moto sorts the whole table for each query, and sorts what it found again. Importing this module is enough.
"""

from collections.abc import Callable
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

_query: Callable[..., Any] = Table.query
_all_items: Callable[[Table], list[Item]] = Table.all_items
_WANTED = "_wanted_by_query"


def _narrow_query(self: Table, hash_key: DynamoType | None, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as it is
    conditions = more.get("hash_key_conditions") or ()
    self.__dict__[_WANTED] = [*conditions] or [(self.hash_key_attr, hash_key)]
    try:
        return _query(self, hash_key, *arguments, **more)
    finally:
        del self.__dict__[_WANTED]


def _wanted_items(self: Table) -> list[Item]:
    wanted = self.__dict__.get(_WANTED)
    if wanted is None or not self.range_key_attr:
        return _all_items(self)
    [(name, value), *_] = wanted
    if name == self.hash_key_attr:
        return list(self.items.get(value, {}).values())
    text = value.value
    return [
        item
        for of_key in self.items.values()
        for item in of_key.values()
        if (found := item.attrs.get(name)) is not None and found.value == text
    ]


setattr(Table, "query", _narrow_query)  # noqa: B010 - moto is not typed
setattr(Table, "all_items", _wanted_items)  # noqa: B010
