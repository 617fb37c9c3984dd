"""What the tests of payments share: one small invoice in both systems, and Rillet's events as sent."""

import json
from typing import Any

from local import sample_data
from local.fake_rillet.json_encoding import encode
from local.fake_rillet.webhook_events import Event
from local.system import Connection, LocalSystem
from tests.support.arrange import load
from tests.support.assertions import rillet_invoice
from tests.support.builders import ORIGINAL, original
from tests.support.webhooks import RILLET_ROUTE

Json = dict[str, Any]

TOKEN = "dG9rZW4gb2YgdGhlIHdlYmhvb2s="
FUNCTION = "mark_invoice_paid"
TOTAL = "121.00"
PAYMENTS = "invoice-payment-updated"


def put_token(system: LocalSystem, connection: Connection) -> None:
    """Give the connection the token of its Rillet webhook, and let every function read it anew."""
    secret = {"api_key": connection.rillet_api_key, "webhook_token": TOKEN}
    system.put_secret(connection.name, "rillet", secret)
    system.runtime.reset()


def connected(system: LocalSystem, **settings: object) -> Connection:
    """A connection in the demo's world whose Rillet webhook is set up on both sides."""
    made = system.connect(
        settings={"fallback_products": sample_data.fallback_products(), **settings},
        solvimon=sample_data.solvimon_seed(),
        rillet=sample_data.rillet_seed(),
    )
    put_token(system, made)
    made.organisation.add_webhook(made.webhook_url.replace("/solvimon/", "/rillet/"), TOKEN)
    return made


def exported(system: LocalSystem, connection: Connection, **more: object) -> str:
    """Put an invoice of 121.00 EUR into both systems; the answer is Rillet's id."""
    load(connection, original(**more))  # type: ignore[arg-type]
    system.settle()
    settle(system, connection)
    identifier: str = rillet_invoice(connection)["id"]
    return identifier


def settle(system: LocalSystem, connection: Connection) -> list[int | None]:
    """Deliver all webhooks and work off all queues; the answer is what Rillet was answered."""
    answers: list[int | None] = []
    while attempts := connection.organisation.deliver_webhooks():
        answers += [attempt.status for attempt in attempts]
        system.settle()
    system.settle()
    return answers


def post(
    system: LocalSystem,
    connection: Connection,
    body: bytes,
    entity: str = "INVOICE",
    happened: str = "PAYMENT_UPDATED",
    event_id: str | None = None,
) -> int:
    """Let Rillet send any body, signed; the answer is the status."""
    headers = connection.organisation.sign(body, entity, happened, event_id=event_id)
    event = {
        "routeKey": RILLET_ROUTE,
        "pathParameters": {"connection": connection.name},
        "headers": {name.lower(): value for name, value in headers.items()},
        "body": body.decode(),
    }
    status: int = system.invoke("receive_webhook", event)["statusCode"]
    return status


def send(system: LocalSystem, connection: Connection, *events: Event) -> None:
    """Deliver events of Rillet in this order, each worked off before the next one."""
    for event in events:
        assert post(system, connection, event.body, event.entity, event.event, event.id) == 200
        system.deliver(FUNCTION)


def send_document(system: LocalSystem, connection: Connection, document: object, **more: str) -> int:
    """Deliver a document as an event, and work it off."""
    status = post(system, connection, encode(document), **more)
    system.deliver(FUNCTION)
    return status


def events(connection: Connection, name: str = PAYMENTS) -> list[Event]:
    """What Rillet announced, oldest first."""
    return connection.organisation.announced(name)


def hold_back(connection: Connection) -> None:
    """Let the webhook deliver nothing by itself, so that a test can choose when events arrive."""
    for webhook in connection.organisation.webhooks.webhooks.values():
        webhook.enabled = False


def state(connection: Connection, invoice_id: str = ORIGINAL) -> tuple[bool, str]:
    """What Solvimon says of an invoice's payment."""
    found = connection.platform.invoice(invoice_id)
    return found.get("paid", False), found.get("payment_status", "UNPAID")


PAID, PARTLY, OPEN = (True, "PAID"), (False, "PARTIALLY_PAID"), (False, "UNPAID")


def patches(system: LocalSystem) -> list[Json]:
    """The bodies of the changes that Solvimon was asked for, oldest first."""
    return [json.loads(call.body) for call in system.solvimon.state.calls.find("PATCH", "/v1/invoices/*")]


def rillet_calls(system: LocalSystem) -> int:
    """How many calls reached Rillet."""
    return len(system.rillet.state.calls)


def mark(system: LocalSystem, *invoice_ids: str, **more: object) -> list[Json]:
    """Invoke ``mark_invoice_paid`` directly and return its results."""
    asked = {"invoice_ids": list(invoice_ids or (ORIGINAL,)), **more}
    results: list[Json] = system.invoke(FUNCTION, asked)["results"]
    return results


def item(system: LocalSystem, kind: str = "payment", document_id: str = ORIGINAL) -> Json:
    """The ledger's record of an invoice's payment, or of another kind of document."""
    found = system.ledger_item(f"default#{kind}#{document_id}", "RECORD")
    assert found is not None, f"the ledger has no {kind} {document_id}"
    return found


def recorded(connection: Connection) -> list[Json]:
    """The payments in Solvimon, oldest first."""
    return list(connection.platform.records["payments"].values())


def dead(system: LocalSystem) -> list[str]:
    """What is in the dead-letter queue of ``mark_invoice_paid``."""
    return system.pollers.dead_letters[FUNCTION].bodies()


def waiting(system: LocalSystem) -> int:
    """How many messages are on the queue of ``mark_invoice_paid``, seen or not."""
    return system.pollers.queues[FUNCTION].depth().total


def nothing_was_charged(system: LocalSystem) -> bool:
    """Whether nobody called ``/pay``, which would take the customer's money."""
    return system.solvimon.state.charged == [] and not system.solvimon.state.calls.find("POST", "*/pay")


def no_trouble(system: LocalSystem) -> None:
    """Nothing failed, nothing waits, nobody was charged."""
    assert system.pollers.errors == []
    assert dead(system) == []
    assert waiting(system) == 0
    assert nothing_was_charged(system)


def document_of(connection: Connection, rillet_id: str, **changes: object) -> Json:
    """An invoice as Rillet shows it now, with some fields changed; ``None`` takes one away."""
    shown = dict(connection.organisation.invoices.get(rillet_id).document) | changes
    return {name: value for name, value in shown.items() if value is not None}
