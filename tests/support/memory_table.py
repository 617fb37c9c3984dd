"""A DynamoDB table in memory, for unit tests of what is written with optimistic locking."""

from collections.abc import Mapping
from typing import Any

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item, Table

_UNCHANGED = "attribute_not_exists(pk) OR version = :read"


class MemoryTable(Table):
    """Gets and puts single items; knows the condition of optimistic locking.

    Attributes:
        items: by key.
        reads: keys in the order in which they were read.
        writes: keys in the order in which they were written.
    """

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.reads: list[str] = []
        self.writes: list[str] = []

    def get(self, key: str) -> Item | None:
        """A record, or ``None``."""
        self.reads.append(key)
        return self.items.get(key)

    def put(
        self,
        key: str,
        facts: Mapping[str, Any],
        condition: str = "",
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Write a record, if the condition holds."""
        before = self.items.get(key)
        if condition:
            assert condition == _UNCHANGED
            assert values is not None
            if before is not None and before["version"] != values[":read"]:
                raise ConditionFailed(before)
        self.writes.append(key)
        self.items[key] = {**facts, "pk": key}
