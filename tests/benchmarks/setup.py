"""What the benchmarks share: the demo's connection, and invoices that are booked before the measurement."""

from collections.abc import Sequence
from typing import Any

from local.system import Connection, LocalSystem
from tests.support.arrange import load
from tests.support.builders import original

NO_LIMIT = {"pacing": {"requests": 1000, "window_seconds": 1, "margin_seconds": 0}}
"""Settings of `rillet` whose request budget never delays a call."""
Json = dict[str, Any]


def connected(system: LocalSystem, **settings: object) -> Connection:
    """Connect the demo's records, with Rillet's webhook set up on both sides."""
    connection = system.connect_demo("default", auth="api_key", **settings)
    system.add_rillet_webhook(connection)
    return connection


def connected_without_limit(system: LocalSystem) -> Connection:
    """Connect the demo's records for a measurement that leaves Rillet's request budget out."""
    system.rillet.state.rate_limit = 1_000_000
    return connected(system, rillet=NO_LIMIT)


def finalise(connection: Connection, *invoice_ids: str) -> None:
    """Put small invoices of one customer into Solvimon and finalise them."""
    load(connection, *map(original, invoice_ids))


def settle(system: LocalSystem) -> None:
    """Deliver the webhooks of both vendors and work off all queues until nothing more is due."""
    while True:
        done: list[Sequence[object]] = [system.settle()]
        done += [connection.organisation.deliver_webhooks() for connection in system.connections.values()]
        if not any(done):
            return


def book(system: LocalSystem, connection: Connection, *invoice_ids: str) -> list[str]:
    """Finalise invoices, wait until they are booked, and return their ids in Rillet."""
    finalise(connection, *invoice_ids)
    settle(system)
    booked = {
        reference["id"]: document["id"]
        for document in connection.organisation.invoices.documents()
        for reference in document.get("external_references", ())
    }
    return [booked[invoice_id] for invoice_id in invoice_ids]
