"""What the tests of the sweep share: a connection whose webhooks are lost, and reads of both sides."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.fake_rillet.calls import Call
from local.fake_rillet.store import Record
from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import state
from tests.support.arrange import configure, connect_demo, ledger_table, load
from tests.support.assertions import rillet_invoice, rillet_invoices
from tests.support.builders import Json, credit_note, document


def day(system: LocalSystem, back: float = 0) -> str:
    """A moment so many days ago, as Solvimon writes it."""
    moment = datetime.fromtimestamp(system.clock.now(), UTC) - timedelta(days=back)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def sweep(system: LocalSystem, connection: str = "default") -> Json:
    """Invoke the sweep for one connection and return its result."""
    answer: Json = system.invoke("sweep", {"connection": connection})
    [result] = answer["connections"]
    found: Json = result
    return found


def swept(system: LocalSystem) -> Json:
    """Sweep without an error, process what was published, and return the counts of what was found."""
    findings = sweep(system)
    assert (findings["stopped"], findings["errors"]) == ([], []), findings
    system.settle()
    found: Json = findings["found"]
    return found


def finalised(
    system: LocalSystem, connection: Connection, *ids: str, back: float = 0, **more: object
) -> None:
    """Finalise small invoices in Solvimon, dated so many days ago."""
    days = {"invoice_date": day(system, back), "due_date": day(system, back)}
    load(connection, *(document(each, "100.00", "21.00", **days, **more) for each in ids))


@dataclass(frozen=True)
class Silent(Connection):
    """A connection whose webhooks are lost on both sides: the acts of the tests, and what they read."""

    system: LocalSystem

    def finalise(self, *ids: str, back: float = 0, **more: object) -> None:
        """Finalise small invoices in Solvimon, dated so many days ago."""
        finalised(self.system, self, *ids, back=back, **more)

    def credit(self, of: str = "invo_original") -> None:
        """Finalise a credit note of today."""
        load(self, credit_note(of=of, invoice_date=day(self.system)))

    def pay(self, invoice_id: str = "invo_a", amount: str | None = None) -> Json:
        """Pay an invoice in Rillet."""
        return self.organisation.pay(self.rillet_id(invoice_id), amount)

    def configure(self, **settings: object) -> None:
        configure(self.system, self, **settings)

    def sweep(self, connection: str = "default") -> Json:
        return sweep(self.system, connection)

    def found(self) -> Json:
        """Sweep, and return the counts of what was found; nothing is processed."""
        found: Json = self.sweep()["found"]
        return found

    def swept(self) -> Json:
        return swept(self.system)

    def lose_messages(self) -> None:
        """Delete every message that is on a queue."""
        for queue in self.system.pollers.queues.values():
            queue.clear()

    def change(self, document_id: str, kind: str = "invoice", **facts: object) -> None:
        """Change a record of the ledger past all rules, as a crash would have left it."""
        now = int(self.system.clock.now())
        key = {"pk": f"default#{kind}#{document_id}", "sk": "RECORD"}
        item = self.system.ledger_item(*key.values()) or {**key, "updated_at": now, "created_at": now}
        item = {name: value for name, value in (item | facts).items() if value is not None}
        self.put({**item, "listed": f"default#{kind}#{item['state']}"})

    def put(self, item: Json) -> None:
        """Write an item of the table."""
        ledger_table(self.system).put(item["pk"], item)

    def rillet_id(self, invoice_id: str = "invo_a") -> str:
        """The id of an invoice in Rillet."""
        identifier: str = rillet_invoice(self, invoice_id)["id"]
        return identifier

    def in_rillet(self, invoice_id: str = "invo_a") -> Record:
        """An invoice as the Rillet fake keeps it."""
        return self.organisation.invoices.get(self.rillet_id(invoice_id))

    def rillet_invoices(self, invoice_id: str | None = None) -> list[Json]:
        return rillet_invoices(self, invoice_id)

    def same_totals(self, *ids: str) -> bool:
        """Whether Rillet has each of these invoices once, with Solvimon's total."""
        return all(
            rillet_invoice(self, each)["total"]["amount"]
            == self.platform.invoice(each)["invoice_amount_including_tax"]["quantity"]
            for each in ids
        )

    def on_the_bus(self) -> Counter[str]:
        """How often each document was published."""
        return Counter(event["detail"]["id"] for event in self.system.bus_events())

    def rillet_calls(self) -> list[Call]:
        """The calls that reached Rillet."""
        return list(self.system.rillet.state.calls)

    def record(self, document_id: str = "invo_a", kind: str = "invoice") -> Json:
        """A record of the ledger, empty if there is none."""
        return self.system.ledger_item(f"{self.name}#{kind}#{document_id}", "RECORD") or {}

    def state_of(self, document_id: str = "invo_a", kind: str = "invoice") -> str:
        """The state of a document in the ledger, or an empty text."""
        return str(self.record(document_id, kind).get("state", ""))

    def payment_state(self, invoice_id: str = "invo_a") -> tuple[bool, str]:
        """The payment fields of an invoice in Solvimon."""
        return state(self, invoice_id)

    @property
    def watermark(self) -> int | None:
        """The watermark of the changes in Rillet."""
        return self.progress.get("payments")

    @property
    def progress(self) -> Json:
        """How far the parts of the sweep are."""
        return self.system.ledger_item(f"{self.name}#sweep#progress", "RECORD") or {}


def silent(system: LocalSystem, name: str = "default", **settings: Any) -> Silent:
    """A connection with the demo's records whose webhooks are all lost, on both sides."""
    made = connect_demo(system, name, **settings)
    system.solvimon.state.webhooks_on = system.rillet.state.webhooks_on = False
    return Silent(**vars(made), system=system)
