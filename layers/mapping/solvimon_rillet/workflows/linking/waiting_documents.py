"""Documents and customers that wait for a link continue when there is one."""

from collections.abc import Collection

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code
from solvimon_rillet.events import (
    SOLVIMON,
    BusEvent,
)
from solvimon_rillet.ledger.document_types import EVENT_TYPES

_WAITING_CODES = {
    Code.CUSTOMER_NOT_LINKED,
    Code.CUSTOMER_MERGED,
    Code.PRODUCT_NOT_LINKED,
    Code.SUBSIDIARY_NOT_LINKED,
    Code.RILLET_RECORD_MISSING,
}


def publish_waiting(connection: Connection, bus: Bus, solvimon_ids: Collection[str]) -> int:
    """Publish what was rejected because one of these records had no link.

    Returns:
        The number of events.

    Raises:
        RetryLater: the ledger or the bus does not answer.
    """
    codes = {code.value for code in _WAITING_CODES}
    events = [
        BusEvent(SOLVIMON, detail_type, connection.name, document.id, "", "", bulk=True)
        for kind, detail_type in EVENT_TYPES.items()
        for document, item in connection.ledger.in_state(connection.name, kind, "rejected")
        if item.get("code") in codes
        and (document.id in solvimon_ids or any(each in str(item.get("message")) for each in solvimon_ids))
    ]
    bus.publish(*events)
    return len(events)
