"""One real invocation of each function with the demo's records: its answer, and whether it did its work."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local import sample_data
from local.sample_data.identity import rillet_id
from local.system import Connection, LocalSystem

Json = dict[str, Any]
EDITED = "maasvlakte-quay"
EMAIL = "payables@maasvlakte-quay.example"


@dataclass(frozen=True)
class Invocation:
    """A function that was invoked.

    Attributes:
        function: its name.
        answer: its last answer.
        as_expected: whether both vendors and the ledger show its work.
    """

    function: str
    answer: Any
    as_expected: bool


def connect_by_oauth(system: LocalSystem) -> Connection:
    """Set up the connection `default` with the demo's records, and with tokens in place of a key."""
    connection = system.connect_demo(auth="oauth")
    system.authorise()
    return connection


class Scenario:
    """An invocation of each function, on the connection `default` with the demo's records.

    Args:
        system: the local system.
        last_answer: the last answer of a function, invoked directly or by an event.
    """

    def __init__(self, system: LocalSystem, last_answer: Callable[[str], Any]) -> None:
        connection = connect_by_oauth(system)
        system.add_rillet_webhook(connection)
        self._system = system
        self._platform, self._organisation = connection.platform, connection.organisation
        self._last_answer = last_answer
        self._invoice = sample_data.invoice_id("first")

    def invoke_all(self) -> Iterator[Invocation]:
        """Invoke all functions, one after the other."""
        yield self.connect_rillet()
        yield self.configure()
        yield from map(self.import_all, ("customers", "products", "subsidiaries"))
        yield from self.export_invoice()
        yield self.export_credit_memo()
        yield self.sync_customer()
        yield self.mark_invoice_paid()
        yield self.sweep()
        yield self.reconcile()
        yield self.link_records()
        yield self.sync_status()
        yield self.panel()

    def _invoked(self, function: str, event: Json, expected: Callable[[Json], bool]) -> Invocation:
        answer = self._system.invoke(function, event)
        return Invocation(function, answer, expected(answer))

    def connect_rillet(self) -> Invocation:
        """Read the status of the connection."""
        known = self._organisation.id
        return self._invoked(
            "connect_rillet", {"action": "status"}, lambda answer: answer["organisation"]["id"] == known
        )

    def configure(self) -> Invocation:
        """Read the settings of the connection."""
        return self._invoked("configure", {"show": True}, lambda answer: not answer["faults"])

    def import_all(self, resource: str) -> Invocation:
        """Import from Rillet, as a durable execution."""

        def complete(answer: Json) -> bool:
            return answer["summary"].startswith("seen ") and not answer["failures"]

        return self._invoked(f"import_{resource}", {"connection": "default"}, complete)

    def export_invoice(self) -> Iterator[Invocation]:
        """Finalised in Solvimon: its webhook, the bus, the queue, and the invoice in Rillet."""
        self._platform.finalise(self._invoice)
        self._system.settle()
        published = [event["detail"]["id"] for event in self._system.bus_events()]
        hook, batch = self._last_answer("receive_webhook"), self._last_answer("export_invoice")
        yield Invocation("receive_webhook", hook, hook["statusCode"] == 200 and self._invoice in published)
        once = len(self._organisation.invoices.documents()) == 1
        yield Invocation("export_invoice", batch, batch == {"batchItemFailures": []} and once)

    def export_credit_memo(self) -> Invocation:
        """Credit a part of the invoice: a memo in Rillet."""
        self._platform.credit(self._invoice, "1.00")
        self._system.settle()
        once = len(self._organisation.credit_memos.documents()) == 1
        return self._worked_off("export_credit_memo", once)

    def sync_customer(self) -> Invocation:
        """Edit a customer in Solvimon: Rillet's follows."""
        self._platform.edit_customer(EDITED, email=EMAIL)
        self._system.settle()
        customer = self._organisation.customers.get(rillet_id("customer", EDITED)).document
        return self._worked_off("sync_customer", EMAIL in str(customer["emails"]))

    def mark_invoice_paid(self) -> Invocation:
        """Pay in Rillet: Solvimon's invoice is paid."""
        [invoice] = self._organisation.invoices.documents()
        self._organisation.pay(invoice["id"])
        while self._organisation.deliver_webhooks():
            self._system.settle()
        return self._worked_off("mark_invoice_paid", self._platform.invoice(self._invoice)["paid"])

    def _worked_off(self, function: str, done: bool) -> Invocation:
        answer = self._last_answer(function)
        return Invocation(function, answer, done and answer == {"batchItemFailures": []})

    def sweep(self) -> Invocation:
        """Look for events that no webhook delivered: none."""
        none = {"connections": 1, "found": 0, "errors": 0}
        return self._invoked("sweep", {"connection": "default"}, lambda answer: answer["summary"] == none)

    def reconcile(self) -> Invocation:
        """Compare the month on both sides: it ties out."""
        day = str(self._platform.invoice(self._invoice)["invoice_date"])[:7]
        period = {"connection": "default", "from": f"{day}-01", "to": f"{day}-28"}
        return self._invoked("reconcile", period, lambda answer: answer["tied_out"] is True)

    def link_records(self) -> Invocation:
        """List the customers that are linked: all that were imported."""
        request = {"list": "customers", "only": "linked"}
        return self._invoked("link_records", request, lambda answer: bool(answer.get("rows")))

    def sync_status(self) -> Invocation:
        """Read the invoice's history."""
        request = {"invoice_id": self._invoice}
        return self._invoked("sync_status", request, lambda answer: answer.get("state") == "exported")

    def panel(self) -> Invocation:
        """Make a link to sign in, and open it."""
        link = self._system.invoke("panel", {"sign_in": {"as": "ada@example.com", "role": "viewer"}})
        once = link["open"].partition("once=")[2]
        request = {
            "version": "2.0",
            "rawPath": "/panel/enter",
            "headers": {},
            "pathParameters": {"proxy": "enter"},
            "queryStringParameters": {"once": once},
            "requestContext": {"stage": "$default", "http": {"method": "GET", "path": "/panel/enter"}},
        }
        return self._invoked("panel", request, lambda answer: "Sign in as ada@example.com" in answer["body"])
