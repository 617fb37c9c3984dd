"""Both sides' books in the fakes' memory, for the tests of the auditor."""

from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from local.books_check.audit import Audit, audit
from local.books_check.checks import Expected
from local.fake_rillet import FakeRillet
from local.fake_solvimon import FakeSolvimon
from local.sample_data.identity import rillet_id
from local.system import Connection, LocalSystem
from tests.fault_injection.setups import FIRST, LINKED, NOTE, credit_note, invoice, rillet_seed, solvimon_seed

Json = dict[str, Any]
CUSTOMER = rillet_id("customer", LINKED)


@dataclass
class Sides:
    """Two connections; the first has an invoice of 121 euros, half credited and with 21 euros paid."""

    default: Connection
    other: Connection
    rillet: FakeRillet
    solvimon: FakeSolvimon
    ledger: list[Json]
    expected: Expected = field(default_factory=Expected)

    @property
    def system(self) -> LocalSystem:
        """As much of the local system as the auditor looks at."""
        parts = {
            "connections": {each.name: each for each in (self.default, self.other)},
            "ledger": lambda: self.ledger,
            "pollers": SimpleNamespace(queues={}, dead_letters={}),
            "solvimon": self.solvimon,
            "clock": SimpleNamespace(now=lambda: 2e9),
        }
        return cast(LocalSystem, SimpleNamespace(**parts))

    def rillet_has(self, collection: str) -> Json:
        """Rillet's one document of a collection."""
        return cast(Json, getattr(self.default.organisation, collection).documents()[0])

    @property
    def customers(self) -> Any:  # noqa: ANN401 - a collection of the fake
        """Rillet's customers."""
        return self.default.organisation.customers

    def audit(self) -> Audit:
        """Audit both connections."""
        return audit(self.system, self.expected)


def two_connections() -> Sides:
    """Both sides in memory, without AWS."""
    rillet, solvimon = FakeRillet(), FakeSolvimon()
    made = [
        Connection(
            name=name,
            platform=solvimon.state.add_platform(f"key-{name}", seed),
            organisation=rillet.state.load({**books, "organization": {"api_key": f"rillet-{name}"}}),
            settings={},
            **dict.fromkeys(("solvimon_api_key", "rillet_api_key", "webhook_secret", "webhook_url"), ""),
        )
        for name, seed, books in (("default", solvimon_seed(), rillet_seed()), ("acme", {}, {}))
    ]
    default = made[0]
    default.platform.load({"invoices": [invoice(), credit_note("-50.00")]})
    for id_, status in ((FIRST, "PARTIALLY_PAID"), (NOTE, "UNPAID")):
        default.platform.finalise(id_)
        default.platform.records["invoices"][id_]["payment_status"] = status
    books = default.organisation
    day = {"invoice_number": "INV-1", "invoice_date": "2040-01-31"}
    booked = books.invoices.add(_document(FIRST, "100.00", amount_due=euros("39.50"), **day)).id
    payment = {"invoice_id": booked, "status": "SUCCESSFUL", "amount": euros("21.00")}
    books.payments.add({"id": None, **payment})
    day = {"credit_memo_number": "CRE-1", "credit_memo_date": "2040-02-01"}
    application = {"invoice_id": booked, "amount": euros("60.50")}
    books.credit_memos.add(_document(NOTE, "50.00", applications=[application], **day))
    keys = (f"default#invoice#{FIRST}", f"default#credit_memo#{NOTE}")
    ledger: list[Json] = [{"pk": key, "sk": "RECORD", "state": "exported"} for key in keys]
    return Sides(default, made[1], rillet, solvimon, ledger)


def _document(solvimon_id: str, net: str, **more: object) -> Json:
    tax = Decimal(net) * 21 / 100
    return {
        "id": None,
        "customer_id": CUSTOMER,
        "subsidiary_id": rillet_id("subsidiary", "tideway-nl"),
        "net_amount": euros(net),
        "taxed_amount": euros(f"{tax:.2f}"),
        "total": euros(f"{Decimal(net) + tax:.2f}"),
        "external_references": [{"type": "solvimon_invoice_id", "id": solvimon_id}],
        **more,
    }


def euros(amount: str) -> Json:
    """Money as Rillet writes it."""
    return {"amount": amount, "currency": "EUR"}
