"""What the tests of payments share: one small invoice in both systems, and Rillet's events as sent."""

import json
from dataclasses import dataclass
from typing import Any

from local.fake_rillet.organisation import Organisation
from local.fake_rillet.webhook_events import Event
from local.fake_rillet.wire import encode
from local.fake_solvimon.platform import Platform
from local.system import Connection, LocalSystem
from tests.support.arrange import connect_demo, export, load, put_secret
from tests.support.assertions import dead_letters, memos, record, rillet_invoice, waiting
from tests.support.builders import NOTE, ORIGINAL, Json, credit_note, original
from tests.support.webhooks import RILLET_ROUTE

TOKEN = "dG9rZW4gb2YgdGhlIHdlYmhvb2s="
FUNCTION = "mark_invoice_paid"
PAYMENTS = "invoice-payment-updated"
PAID, PARTLY, OPEN = (True, "PAID"), (False, "PARTIALLY_PAID"), (False, "UNPAID")
TOTAL_DIFFERS, DELETED = ("differs", "total_differs"), ("differs", "deleted_in_rillet")


def connected(system: LocalSystem, **settings: Any) -> Connection:
    """A connection with the demo's records whose Rillet webhook is set up on both sides."""
    made = connect_demo(system, **settings)
    put_secret(system, made, "rillet", webhook_token=TOKEN)
    made.organisation.add_webhook(made.webhook_url.replace("/solvimon/", "/rillet/"), TOKEN)
    return made


def settle(system: LocalSystem, connection: Connection) -> list[int | None]:
    """Deliver all webhooks and process all queues.

    Returns:
        The statuses of the answers that Rillet's webhooks got.
    """
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
    """Deliver any body as a signed webhook of Rillet; returns the status of the answer."""
    headers = connection.organisation.webhooks.sign(body, entity, happened, event_id=event_id)
    event = {
        "routeKey": RILLET_ROUTE,
        "pathParameters": {"connection": connection.name},
        "headers": {name.lower(): value for name, value in headers.items()},
        "body": body.decode(),
    }
    status: int = system.invoke("receive_webhook", event)["statusCode"]
    return status


def hold_back(connection: Connection) -> None:
    """Stop the delivery of Rillet's webhooks, so that a test can choose when events arrive."""
    for webhook in connection.organisation.webhooks.webhooks.values():
        webhook.enabled = False


def state(connection: Connection, invoice_id: str = ORIGINAL) -> tuple[bool, str]:
    """The payment fields of an invoice in Solvimon."""
    found = connection.platform.invoice(invoice_id)
    return found.get("paid", False), found.get("payment_status", "UNPAID")


def rillet_calls(system: LocalSystem) -> int:
    """How many calls reached Rillet."""
    return len(system.rillet.state.calls)


def mark(system: LocalSystem, *invoice_ids: str, **more: object) -> list[Json]:
    """Invoke ``mark_invoice_paid`` directly and return its results."""
    asked = {"invoice_ids": list(invoice_ids or (ORIGINAL,)), **more}
    results: list[Json] = system.invoke(FUNCTION, asked)["results"]
    return results


@dataclass
class Invoice:
    """An invoice of 121.00 EUR that is exported: the acts of the tests, and what they read afterwards.

    Acts in Rillet deliver their webhooks and process the queues, unless ``deliver`` is false.
    """

    system: LocalSystem
    connection: Connection
    rillet_id: str

    @property
    def organisation(self) -> Organisation:
        """The organisation in Rillet."""
        return self.connection.organisation

    @property
    def platform(self) -> Platform:
        """The platform in Solvimon."""
        return self.connection.platform

    @property
    def document(self) -> Json:
        """The invoice in Rillet."""
        return self.organisation.invoices.get(self.rillet_id).document

    def shown(self, **changes: object) -> Json:
        """The invoice as Rillet shows it now, with some fields changed; ``None`` takes one away."""
        return {name: value for name, value in (self.document | changes).items() if value is not None}

    def pay(self, amount: str | None = None, *, deliver: bool = True, **more: Any) -> Json:
        """Pay all that is due, or a part of it."""
        payment = self.organisation.pay(self.rillet_id, amount, **more)
        self._settle_if(deliver)
        return payment

    def change_payment(self, payment_id: str, how: str = "delete_payment", *, deliver: bool = True) -> None:
        """Delete, fail, clear or unclear a payment."""
        getattr(self.organisation, how)(payment_id)
        self._settle_if(deliver)

    def pay_and_undo(self) -> list[Event]:
        """Pay all that is due and delete the payment, while webhooks are held back; returns both events."""
        self.hold_back()
        payment = self.pay(deliver=False)
        self.change_payment(payment["id"], deliver=False)
        return self.events()

    def edit(self, *, deliver: bool = True, **changes: Any) -> None:
        """Edit the invoice in Rillet by hand; ``amount_by`` changes its total."""
        self.organisation.edit_invoice(self.rillet_id, **changes)
        self._settle_if(deliver)

    def credit(self, net: str = "-50.00", tax: str = "-10.50", *of: str, **more: Any) -> None:
        """Credit the invoice in Solvimon; the credit memo follows in Rillet."""
        load(self.connection, credit_note(NOTE, net, tax, *of, **more))
        self.system.settle()
        self.settle()
        assert self.record("credit_memo")["state"] == "exported"

    @property
    def memo(self) -> Json:
        """The only credit memo in Rillet."""
        [memo] = memos(self.connection)
        return memo

    def edit_memo(self, **changes: Any) -> None:
        """Edit the credit memo in Rillet by hand."""
        self.organisation.edit_credit_memo(self.memo["id"], **changes)
        self.settle()

    def delete(self, *, deliver: bool = True) -> None:
        """Delete the invoice in Rillet."""
        self.organisation.delete_invoice(self.rillet_id)
        self._settle_if(deliver)

    def _settle_if(self, deliver: bool) -> None:
        if deliver:
            self.settle()

    def settle(self) -> list[int | None]:
        """Deliver all webhooks and process all queues; returns the statuses of Rillet's webhooks."""
        return settle(self.system, self.connection)

    def settle_slowly(self) -> None:
        """Give a lost answer the time until it is looked up."""
        for _ in range(8):
            self.system.advance(240)
            self.settle()

    def hold_back(self) -> None:
        """Stop the delivery of Rillet's webhooks."""
        hold_back(self.connection)

    def events(self, name: str = PAYMENTS) -> list[Event]:
        """The events that Rillet announced, oldest first."""
        return self.organisation.announced(name)

    def send(self, *events: Event) -> None:
        """Deliver events of Rillet in this order, each processed before the next one."""
        for event in events:
            assert post(self.system, self.connection, event.body, event.entity, event.event, event.id) == 200
            self.system.deliver(FUNCTION)

    def post(self, body: bytes, *names: str) -> int:
        """Deliver any body, signed, under the names of an entity and an event; returns the status."""
        return post(self.system, self.connection, body, *names)

    def send_document(self, document: object, **more: str) -> int:
        """Deliver a document as an event, and process it."""
        status = post(self.system, self.connection, encode(document), **more)
        self.system.deliver(FUNCTION)
        return status

    def mark(self, **more: object) -> Json:
        """Invoke ``mark_invoice_paid`` directly for the invoice and return its result."""
        [result] = mark(self.system, **more)
        return result

    def export(self) -> Json:
        """Invoke ``export_invoice`` directly for the invoice and return its result."""
        [result] = export(self.system, ORIGINAL)
        return result

    @property
    def state(self) -> tuple[bool, str]:
        """The payment fields in Solvimon."""
        return state(self.connection)

    @property
    def patches(self) -> list[Json]:
        """The bodies of the changes that Solvimon was asked for, oldest first, without the export's own."""
        calls = self.system.solvimon.state.calls.find("PATCH", "/v1/invoices/*")
        return [body for call in calls if "custom_fields" not in (body := json.loads(call.body))]

    @property
    def recorded(self) -> list[Json]:
        """The payments in Solvimon, oldest first."""
        return list(self.platform.records["payments"].values())

    @property
    def rillet_calls(self) -> int:
        """How many calls reached Rillet."""
        return rillet_calls(self.system)

    @property
    def waiting(self) -> int:
        """How many messages are on the queue, visible or not."""
        return waiting(self.system, FUNCTION).total

    @property
    def dead(self) -> list[str]:
        """The messages in the dead-letter queue."""
        return dead_letters(self.system, FUNCTION)

    def record(self, kind: str = "payment", document_id: str | None = None) -> Json:
        """The ledger's record of the invoice's payment, of the invoice, or of its credit memo."""
        of = NOTE if "memo" in kind else ORIGINAL
        return record(self.system, document_id or of, kind=kind)

    def verdict(self, kind: str = "invoice") -> tuple[str, str | None]:
        """The state in the ledger, and the error code if there is one."""
        kept = self.record(kind)
        return kept["state"], kept.get("code")

    def no_trouble(self) -> None:
        """Assert that nothing failed or waits, and nobody called ``/pay``, which charges the customer."""
        assert self.system.pollers.errors == []
        assert (self.dead, self.waiting) == ([], 0)
        assert self.system.solvimon.state.charged == []
        assert not self.system.solvimon.state.calls.find("POST", "*/pay")


def exported(system: LocalSystem, connection: Connection) -> Invoice:
    """Put an invoice of 121.00 EUR into both systems."""
    load(connection, original())
    system.settle()
    settle(system, connection)
    return Invoice(system, connection, rillet_invoice(connection)["id"])


def unconfirmed(system: LocalSystem, connection: Connection) -> Invoice:
    """Create an invoice of 121.00 EUR in Rillet whose answer is lost, so that its export is not finished."""
    system.rillet.state.misbehave("commit_then_drop")
    load(connection, original())
    system.settle()
    assert record(system, ORIGINAL)["state"] == "sending"
    return Invoice(system, connection, rillet_invoice(connection)["id"])
