"""One real invocation of each function in the demo's world: its answer, and whether it did its work."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local import sample_data
from local.sample_data.identity import rillet_id
from local.system import Connection, LocalSystem

Json = dict[str, Any]
INVOICE = "first"
EDITED = "maasvlakte-quay"
EMAIL = "payables@maasvlakte-quay.example"
_TOKEN = "dG9rZW4gb2YgdGhlIHdlYmhvb2s="


@dataclass(frozen=True)
class Visit:
    """A function that was invoked.

    Attributes:
        function: its name.
        answer: what it answered last.
        as_expected: it did its work, by what both vendors and the ledger have now.
    """

    function: str
    answer: Any
    as_expected: bool


def prepared(system: LocalSystem) -> Connection:
    """The connection `default` in the demo's world, with Rillet's webhook set up on both sides."""
    connection = system.connect(
        settings={"fallback_products": sample_data.fallback_products()},
        solvimon=sample_data.solvimon_seed(),
        rillet=sample_data.rillet_seed(),
    )
    secret = {"auth": "api_key", "api_key": connection.rillet_api_key, "webhook_token": _TOKEN}
    system.put_secret(connection.name, "rillet", secret)
    connection.organisation.add_webhook(connection.webhook_url.replace("/solvimon/", "/rillet/"), _TOKEN)
    return connection


class Tour:
    """A day in the life of the system.

    Args:
        system: the local system.
        connection: as `prepared`.
        last: the last answer of a function, however it was invoked.
    """

    def __init__(self, system: LocalSystem, connection: Connection, last: Callable[[str], Any]) -> None:
        self._system = system
        self._platform, self._organisation = connection.platform, connection.organisation
        self._last = last
        self._invoice = sample_data.invoice_id(INVOICE)

    def visits(self) -> Iterator[Visit]:
        """Invoke all functions, one after the other."""
        yield self.connect_rillet()
        yield from map(self.import_all, ("customers", "products", "subsidiaries"))
        yield from self.export_invoice()
        yield self.export_credit_memo()
        yield self.sync_customer()
        yield self.mark_invoice_paid()
        yield self.sweep()
        yield self.reconcile()
        yield self.sync_status()

    def _visited(self, function: str, event: Json, expected: Callable[[Json], bool]) -> Visit:
        answer = self._system.invoke(function, event)
        return Visit(function, answer, expected(answer))

    def connect_rillet(self) -> Visit:
        """Ask how the connection stands."""
        return self._visited(
            "connect_rillet",
            {"action": "status"},
            lambda answer: answer["organisation"]["id"] == self._organisation.id,
        )

    def import_all(self, what: str) -> Visit:
        """Import from Rillet, as a durable execution."""

        def complete(answer: Json) -> bool:
            return answer["summary"].startswith("seen ") and not answer["failures"]

        return self._visited(f"import_{what}", {"connection": "default"}, complete)

    def export_invoice(self) -> Iterator[Visit]:
        """Finalised in Solvimon: its webhook, the bus, the queue, and the invoice in Rillet."""
        self._platform.finalise(self._invoice)
        self._system.settle()
        told = [event["detail"]["id"] for event in self._system.bus_events()]
        hook, batch = self._last("receive_webhook"), self._last("export_invoice")
        yield Visit("receive_webhook", hook, hook["statusCode"] == 200 and self._invoice in told)
        once = len(self._organisation.invoices.documents()) == 1
        yield Visit("export_invoice", batch, batch == {"batchItemFailures": []} and once)

    def export_credit_memo(self) -> Visit:
        """Credit a part of the invoice: a memo in Rillet."""
        self._platform.credit(self._invoice, "1.00")
        self._system.settle()
        once = len(self._organisation.credit_memos.documents()) == 1
        return self._worked_off("export_credit_memo", once)

    def sync_customer(self) -> Visit:
        """Edit a customer in Solvimon: Rillet's follows."""
        self._platform.edit_customer(EDITED, email=EMAIL)
        self._system.settle()
        customer = self._organisation.customers.get(rillet_id("customer", EDITED)).document
        return self._worked_off("sync_customer", EMAIL in str(customer["emails"]))

    def mark_invoice_paid(self) -> Visit:
        """Pay in Rillet: Solvimon's invoice is paid."""
        [invoice] = self._organisation.invoices.documents()
        self._organisation.pay(invoice["id"])
        while self._organisation.deliver_webhooks():
            self._system.settle()
        return self._worked_off("mark_invoice_paid", self._platform.invoice(self._invoice)["paid"])

    def _worked_off(self, function: str, done: bool) -> Visit:
        answer = self._last(function)
        return Visit(function, answer, done and answer == {"batchItemFailures": []})

    def sweep(self) -> Visit:
        """Look for what no webhook told of: nothing."""
        nothing = {"connections": 1, "found": 0, "errors": 0}
        return self._visited("sweep", {}, lambda answer: answer["summary"] == nothing)

    def reconcile(self) -> Visit:
        """Compare the month on both sides: it ties out."""
        day = str(self._platform.invoice(self._invoice)["invoice_date"])[:7]
        period = {"connection": "default", "from": f"{day}-01", "to": f"{day}-28"}
        return self._visited("reconcile", period, lambda answer: answer["tied_out"] is True)

    def sync_status(self) -> Visit:
        """Ask for the invoice's story."""
        return self._visited(
            "sync_status",
            {"invoice_id": self._invoice},
            lambda answer: answer.get("state") == "exported",
        )
