"""The result of a connection's last reconciliation.

::

    {connection}#reconciliation#last    period, end, whether it tied out, differences, the report's key
"""

from collections.abc import Mapping
from typing import Any

from solvimon_rillet.aws.dynamodb import Item, Table
from solvimon_rillet.ledger.records import SCHEMA, Document


class LastReconciliation:
    """Writes and reads the result; raises ``RetryLater`` when DynamoDB does not answer.

    Args:
        connection: name of the connection.
        table: the ledger's table.
    """

    def __init__(self, connection: str, table: Table) -> None:
        self._key = Document(connection, "reconciliation", "last").key
        self._table = table

    def record(self, facts: Mapping[str, Any]) -> None:
        """Remember the result in place of the one before."""
        self._table.put(self._key, {"schema_version": SCHEMA, **facts})

    def read(self) -> Item | None:
        """The result; ``None`` if there was no reconciliation yet."""
        return self._table.get(self._key)
