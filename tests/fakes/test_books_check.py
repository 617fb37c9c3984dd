"""The auditor finds what is planted in the fakes' memory, and knows nothing of the product."""

import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.books_check.audit import Audit, audit, system_problems
from local.books_check.checks import Expected
from local.books_check.checks import FindingType as Type
from local.fake_rillet import FakeRillet
from local.fake_solvimon import FakeSolvimon
from local.sample_data.identity import rillet_id, solvimon_id
from local.system import ROOT, Connection, LocalSystem
from tests.fakes.support import Json
from tests.fault_injection.setups import FIRST, LINKED, NOTE, credit_note, invoice, rillet_seed, solvimon_seed

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


Change = Callable[[Any], object]
HOLDER = solvimon_id("cust", LINKED)
CLOSED = Expected(closed_up_to="2040-01-31", open_from="2040-02-01")


@pytest.fixture
def sides() -> Sides:
    return two_connections()


def test_equal_books_have_no_finding(sides: Sides) -> None:
    found = sides.audit()

    assert found.problems == ()
    assert (len(found.invoices), len(found.credit_notes), found.difference) == (1, 1, Decimal(0))
    assert list(system_problems(sides.system)) == []


Plant = Callable[[Any, Json], object]


def _changed(**fields: object) -> Plant:
    return lambda _, document: document.update(fields)


def _more(**cents: str) -> Plant:
    def change(_: object, document: Json) -> None:
        for name, more in cents.items():
            document[name] = euros(str(Decimal(document[name]["amount"]) + Decimal(more)))

    return change


def _again(**fields: object) -> Plant:
    return lambda books, document: books.add({**deepcopy(document), "id": None, **fields})


_USD = {"total": {"amount": "1.00", "currency": "USD"}}
_LATER = {"invoice_date": "2040-02-02", "credit_memo_date": "2040-02-02"}
PLANTS: dict[str, tuple[Plant, Type, str, str]] = {
    "a cent more": (_more(total="0.01"), Type.AMOUNT, "0.01", "EUR in Rillet's"),
    "net and tax shifted": (
        _more(net_amount="0.01", taxed_amount="-0.01"),
        Type.AMOUNT,
        "0.00",
        "EUR in Rillet's",
    ),
    "another currency": (_changed(**_USD), Type.AMOUNT, "all", "USD in Rillet's"),
    "booked again": (_again(), Type.DUPLICATE, "0.00", "is in Rillet twice: as"),
    "booked again without a reference": (
        _again(external_references=[]),
        Type.DUPLICATE,
        "0.00",
        "belongs to no document of Solvimon.",
    ),
    "gone": (
        lambda books, document: books.remove(document["id"]),
        *(Type.LOST, "all", "did not reach Rillet: it is exported."),
    ),
    "another customer": (_changed(customer_id="x"), Type.MISPLACED, "0.00", "another customer, x."),
    "another subsidiary": (_changed(subsidiary_id="x"), Type.MISPLACED, "0.00", "subsidiary, x."),
    "another day": (_changed(**_LATER), Type.DATE, "0.00", "is booked on 2040-02-02."),
}


@pytest.mark.parametrize("collection", ["invoices", "credit_memos"])
@pytest.mark.parametrize("plant", PLANTS)
def test_what_is_planted_in_a_document_is_found(sides: Sides, collection: str, plant: str) -> None:
    act, kind, difference, words = PLANTS[plant]
    books = getattr(sides.default.organisation, collection)
    [document] = books.documents()

    act(books, document)
    found = sides.audit()

    [text] = [finding.text for finding in found.findings if finding.type is kind]
    assert words in text
    assert {f.type for f in found.findings} & {Type.DUPLICATE, Type.LOST} <= {kind}
    gross = {"invoices": "121.00", "credit_memos": "60.50"}[collection]
    assert str(found.difference) == (gross if difference == "all" else difference)


def _in_the_other_organisation(name: str) -> Change:
    def add(sides: Sides) -> None:
        copy = {**deepcopy(sides.rillet_has(name)), "id": None}
        if name == "customers":
            copy["external_references"] = [{"type": "solvimon_customer_id", "id": HOLDER}]
        getattr(sides.other.organisation, name).add(copy)

    return add


def _customer_twice(sides: Sides) -> None:
    mark = [{"type": "solvimon_customer_id", "id": HOLDER}]
    for name in ("One", "Two"):
        sides.customers.add({"id": None, "name": name, "external_references": mark})


def _linked_twice(sides: Sides) -> None:
    products = sides.default.platform.records["products"]
    products["again"] = {**next(iter(products.values())), "id": "again"}


def _rillet_says(collection: str, **fields: object) -> Change:
    return lambda sides: sides.rillet_has(collection).update(fields)


def _applied(**fields: object) -> Change:
    return lambda sides: sides.rillet_has("credit_memos")["applications"][0].update(fields)


def _city_edited(sides: Sides) -> None:
    sides.rillet_has("customers")["address"]["city"] = "X"


def _expected(**fields: Any) -> Change:
    return lambda sides: vars(sides.expected).update(fields)


def _solvimon_says(**fields: object) -> Change:
    return lambda sides: sides.default.platform.records["invoices"][FIRST].update(fields)


_PAID = "is PAID, paid in Solvimon; 21.00 was paid and 39.50 is due"
BESIDE: list[tuple[Change, Type, str]] = [
    (_solvimon_says(paid=True, payment_status="PAID"), Type.PAYMENT, f"{_PAID}, so PARTIALLY_PAID."),
    (_rillet_says("payments", status="FAILED"), Type.PAYMENT, "60.50 is due, so UNPAID."),
    (_rillet_says("payments", amount=euros("61.50")), Type.PAYMENT, "overpaid or credited too much"),
    (
        _rillet_says("invoices", amount_due=euros("40.00")),
        *(Type.PAYMENT, "40.00 is open in Rillet instead of 39.50."),
    ),
    (_rillet_says("invoices", status="UNBILLED"), Type.PAYMENT, "is not marked as sent in Rillet"),
    (_applied(invoice_id="x"), Type.MISPLACED, "is applied to an invoice that it does not credit."),
    (_applied(amount=euros("60.00")), Type.APPLICATION, "60.00 of 60.50 is applied, and INV-1 is open."),
    (lambda s: s.ledger[0].update(state="sending"), Type.LEDGER, "is in Rillet, and sending."),
    (lambda s: s.ledger.append({"pk": f"acme#invoice#{FIRST}", "sk": "R"}), Type.MISPLACED, FIRST),
    (_in_the_other_organisation("invoices"), Type.MISPLACED, FIRST),
    (_in_the_other_organisation("credit_memos"), Type.MISPLACED, NOTE),
    (_in_the_other_organisation("customers"), Type.MISPLACED, HOLDER),
    (_customer_twice, Type.DUPLICATE, "is in Rillet twice."),
    (_linked_twice, Type.DUPLICATE, "is in Solvimon twice, among the products."),
    (lambda s: s.customers.add({"id": None, "name": "New"}), Type.CUSTOMER, "linked to none of Solvimon's."),
    (
        lambda s: s.customers.remove(CUSTOMER),
        Type.CUSTOMER,
        "linked to a customer that Rillet does not have.",
    ),
    (_rillet_says("customers", emails=[]), Type.CUSTOMER, f"The email of {HOLDER} is"),
    (_rillet_says("customers", name="Other"), Type.CUSTOMER, f"The name of {HOLDER} is"),
    (_city_edited, Type.CUSTOMER, f"The city of {HOLDER} is"),
    (_expected(kept={CUSTOMER: {"payment_terms": 7}}), Type.CUSTOMER, "lost its payment_terms, 7."),
    (
        _expected(edits={HOLDER: {"street": "Kade 1"}}),
        *(Type.CUSTOMER, "was edited to Kade 1, and is Amaliahavenweg 12 now."),
    ),
]


@pytest.mark.parametrize(("plant", "kind", "words"), BESIDE)
def test_what_is_planted_beside_a_document_is_found(
    sides: Sides, plant: Change, kind: Type, words: str
) -> None:
    plant(sides)
    found = sides.audit()

    assert any(words in finding.text for finding in found.findings if finding.type is kind), found.problems


def test_a_document_of_the_closed_period_may_be_booked_on_the_first_open_day_only(sides: Sides) -> None:
    sides.expected = CLOSED
    sides.rillet_has("invoices")["invoice_date"] = "2040-02-01"
    moved = sides.audit()
    sides.rillet_has("credit_memos")["credit_memo_date"] = "2040-01-31"

    assert moved.problems == ()
    assert sides.audit().count(Type.DATE) == 1


def test_what_is_held_and_what_the_product_must_never_do_is_named(sides: Sides) -> None:
    sides.solvimon.state.charged.append("invo_1")
    sides.default.organisation.counts.refused += 1
    sides.ledger[0] |= {"state": "sending", "lease_until": 2e9}
    sides.ledger.append({"pk": "default#lock", "sk": "LOCK", "until": 2e9 + 1})

    assert list(system_problems(sides.system)) == [
        f"default#invoice#{FIRST} is sending, with a lease until 2000000000.0",
        "default#lock is held",
        "Customers were charged by Solvimon's /pay: ['invo_1']",
        "Rillet refused 1 calls for their pace",
    ]


def test_the_auditor_imports_nothing_of_the_product() -> None:
    program = (
        "import sys, pkgutil, importlib, local.books_check as package\n"
        "for found in pkgutil.iter_modules(package.__path__):\n"
        "    importlib.import_module(f'local.books_check.{found.name}')\n"
        "print([name for name in sys.modules if name.startswith('solvimon_rillet')])"
    )

    command, environment = [sys.executable, "-c", program], {"PYTHONPATH": "layers/mapping"}
    ended = subprocess.run(  # noqa: S603 - this very interpreter
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )

    assert (ended.stdout, ended.stderr) == ("[]\n", "")
