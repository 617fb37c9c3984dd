"""The links between Solvimon and Rillet records that the ledger stores."""

from collections.abc import Callable, Mapping
from typing import Any

from solvimon_rillet.aws.dynamodb import Item, Table
from solvimon_rillet.ledger.records import SCHEMA, Document

LINK_TTL = 24 * 3600
"""Seconds for which a link that repeats a custom field is taken from the ledger."""


class LinkStore:
    """Links from Solvimon ids to Rillet ids, which may expire.

    Every method may raise ``RetryLater`` when DynamoDB does not answer.

    Args:
        table: the ledger's table.
        clock: unix seconds.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    @property
    def clock(self) -> Callable[[], float]:
        """The clock of leases: unix seconds."""
        return self._clock

    def find_link(self, connection: str, kind: str, solvimon_id: str) -> Item | None:
        """The link of a ``customer``, ``product`` or ``subsidiary``; ``None`` if it is missing or expired."""
        item = self._table.get(Document(connection, f"link-{kind}", solvimon_id).key)
        if item and int(item.get("expires_at", self._clock() + 1)) > self._clock():
            return item
        return None

    def store_link(
        self,
        connection: str,
        kind: str,
        solvimon_id: str,
        facts: Mapping[str, Any],
        seconds: int | None = None,
    ) -> None:
        """Store a link; it expires after ``seconds``, or never."""
        item: Item = {"schema_version": SCHEMA, **facts}
        if seconds is not None:
            item["expires_at"] = int(self._clock()) + seconds
        self._table.put(Document(connection, f"link-{kind}", solvimon_id).key, item)

    def delete_link(self, connection: str, kind: str, solvimon_id: str) -> None:
        """Delete a link, because Rillet does not have its id."""
        self._table.pop(Document(connection, f"link-{kind}", solvimon_id).key)
