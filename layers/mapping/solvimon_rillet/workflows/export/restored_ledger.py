"""Exports wait after the ledger was restored, until a reconciliation has adopted what Rillet has.

::

    {connection}#restore#adopted    the moment of the last restore whose documents were adopted
"""

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.ledger.records import SCHEMA, Document

WAIT_SECONDS = 300


def check_adopted(connection: Connection) -> None:
    """Raise ``RetryLater`` while the ledger may not know what Rillet has.

    Raises:
        RetryLater: the ledger was restored, and nothing has been adopted since.
    """
    restored = connection.settings.ledger_restored_to
    if restored is None:
        return
    item = connection.table.get(_restore_key(connection)) or {}
    if item.get("restored_to") != restored.isoformat():
        raise RetryLater(
            f"The ledger was restored to {restored.isoformat()}; exports wait until a reconciliation with "
            '{"adopt": true, "from": …} has completed.',
            after=WAIT_SECONDS,
            needs_person=True,
        )


def record_adoption(connection: Connection) -> None:
    """Record that what Rillet had after the last restore is in the ledger."""
    if restored := connection.settings.ledger_restored_to:
        facts = {"schema_version": SCHEMA, "restored_to": restored.isoformat()}
        connection.table.put(_restore_key(connection), facts)


def _restore_key(connection: Connection) -> str:
    return Document(connection.name, "restore", "adopted").key
