"""What the tests of payments share: one small invoice in both systems, and Rillet's events as sent."""

import json
from typing import Any

from local import demo_data
from local.rillet_twin.webhook_events import Event
from local.rillet_twin.wire import encode
from local.stack import Connection, LocalStack
from tests.credit_memos.support import ORIGINAL, load, original, rillet_invoice

Json = dict[str, Any]

TOKEN = "dG9rZW4gb2YgdGhlIHdlYmhvb2s="
FUNCTION = "mark_invoice_paid"
TOTAL = "121.00"
PAYMENTS = "invoice-payment-updated"


def put_token(stack: LocalStack, connection: Connection) -> None:
    """Give the connection the token of its Rillet webhook, and let every function read it anew."""
    secret = {"api_key": connection.rillet_api_key, "webhook_token": TOKEN}
    stack.put_secret(connection.name, "rillet", secret)
    stack.runtime.reset()


def connected(stack: LocalStack, **settings: object) -> Connection:
    """A connection in the demo's world whose Rillet webhook is set up on both sides."""
    made = stack.connect(
        settings={"fallback_products": demo_data.fallback_products(), **settings},
        solvimon=demo_data.solvimon_seed(),
        rillet=demo_data.rillet_seed(),
    )
    put_token(stack, made)
    made.organisation.add_webhook(made.webhook_url.replace("/solvimon/", "/rillet/"), TOKEN)
    return made


def exported(stack: LocalStack, connection: Connection, **more: object) -> str:
    """Put an invoice of 121.00 EUR into both systems; the answer is Rillet's id."""
    load(connection, original(**more))  # type: ignore[arg-type]
    stack.settle()
    settle(stack, connection)
    identifier: str = rillet_invoice(connection)["id"]
    return identifier


def settle(stack: LocalStack, connection: Connection) -> list[int | None]:
    """Deliver all webhooks and work off all queues; the answer is what Rillet was answered."""
    answers: list[int | None] = []
    while attempts := connection.organisation.deliver_webhooks():
        answers += [attempt.status for attempt in attempts]
        stack.settle()
    stack.settle()
    return answers


def post(
    stack: LocalStack,
    connection: Connection,
    body: bytes,
    entity: str = "INVOICE",
    happened: str = "PAYMENT_UPDATED",
    event_id: str | None = None,
) -> int:
    """Let Rillet send any body, signed; the answer is the status."""
    headers = connection.organisation.sign(body, entity, happened, event_id=event_id)
    event = {
        "rawPath": f"/webhooks/rillet/{connection.name}",
        "pathParameters": {"connection": connection.name},
        "headers": {name.lower(): value for name, value in headers.items()},
        "body": body.decode(),
    }
    status: int = stack.invoke("receive_webhook", event)["statusCode"]
    return status


def send(stack: LocalStack, connection: Connection, *events: Event) -> None:
    """Deliver events of Rillet in this order, each worked off before the next one."""
    for event in events:
        assert post(stack, connection, event.body, event.entity, event.event, event.id) == 200
        stack.deliver(FUNCTION)


def send_document(stack: LocalStack, connection: Connection, document: object, **more: str) -> int:
    """Deliver a document as an event, and work it off."""
    status = post(stack, connection, encode(document), **more)
    stack.deliver(FUNCTION)
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


def patches(stack: LocalStack) -> list[Json]:
    """The bodies of the changes that Solvimon was asked for, oldest first."""
    return [json.loads(call.body) for call in stack.solvimon.state.calls.find("PATCH", "/v1/invoices/*")]


def rillet_calls(stack: LocalStack) -> int:
    """How many calls reached Rillet."""
    return len(stack.rillet.state.calls)


def mark(stack: LocalStack, *invoice_ids: str, **more: object) -> list[Json]:
    """Invoke ``mark_invoice_paid`` directly and return its results."""
    asked = {"invoice_ids": list(invoice_ids or (ORIGINAL,)), **more}
    results: list[Json] = stack.invoke(FUNCTION, asked)["results"]
    return results


def item(stack: LocalStack, kind: str = "payment", document_id: str = ORIGINAL) -> Json:
    """The ledger's record of an invoice's payment, or of another kind of document."""
    found = stack.ledger_item(f"default#{kind}#{document_id}", "RECORD")
    assert found is not None, f"the ledger has no {kind} {document_id}"
    return found


def recorded(connection: Connection) -> list[Json]:
    """The payments in Solvimon, oldest first."""
    return list(connection.platform.records["payments"].values())


def dead(stack: LocalStack) -> list[str]:
    """What is in the dead-letter queue of ``mark_invoice_paid``."""
    return stack.pollers.dead_letters[FUNCTION].bodies()


def waiting(stack: LocalStack) -> int:
    """How many messages are on the queue of ``mark_invoice_paid``, seen or not."""
    return stack.pollers.queues[FUNCTION].depth().total


def nothing_was_charged(stack: LocalStack) -> bool:
    """Whether nobody called ``/pay``, which would take the customer's money."""
    return stack.solvimon.state.charged == [] and not stack.solvimon.state.calls.find("POST", "*/pay")


def no_trouble(stack: LocalStack) -> None:
    """Nothing failed, nothing waits, nobody was charged."""
    assert stack.pollers.errors == []
    assert dead(stack) == []
    assert waiting(stack) == 0
    assert nothing_was_charged(stack)


def document_of(connection: Connection, rillet_id: str, **changes: object) -> Json:
    """An invoice as Rillet shows it now, with some fields changed; ``None`` takes one away."""
    shown = dict(connection.organisation.invoices.get(rillet_id).document) | changes
    return {name: value for name, value in shown.items() if value is not None}
