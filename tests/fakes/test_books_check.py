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

from local.books_check.audit import Audit, audit
from local.books_check.checks import Expected, FindingType
from local.books_check.system import system_problems
from local.fake_rillet import FakeRillet
from local.fake_solvimon import FakeSolvimon
from local.sample_data.identity import rillet_id, solvimon_id
from local.system import ROOT, Connection, LocalSystem
from tests.fault_injection.documents import FIRST, NOTE, credit_note, invoice
from tests.fault_injection.setups import LINKED, rillet_seed, solvimon_seed

Json = dict[str, Any]
CUSTOMER, HOLDER = rillet_id("customer", LINKED), solvimon_id("cust", LINKED)
CLOSED = Expected(closed_up_to="2040-01-31", open_from="2040-02-01")


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
        queues = SimpleNamespace(queues={}, dead_letters={})
        both = {each.name: each for each in (self.default, self.other)}
        return cast(
            LocalSystem,
            SimpleNamespace(
                connections=both,
                ledger=lambda: self.ledger,
                pollers=queues,
                solvimon=self.solvimon,
                clock=SimpleNamespace(now=lambda: 2e9),
            ),
        )

    @property
    def booked(self) -> Json:
        """Rillet's invoice."""
        return self.default.organisation.invoices.documents()[0]

    @property
    def memo(self) -> Json:
        """Rillet's credit memo."""
        return self.default.organisation.credit_memos.documents()[0]

    @property
    def customer(self) -> Json:
        """Rillet's customer."""
        return self.default.organisation.customers.get(CUSTOMER).document

    def audit(self) -> Audit:
        """Audit both connections."""
        return audit(self.system, self.expected)


@pytest.fixture
def sides() -> Sides:
    rillet, solvimon = FakeRillet(), FakeSolvimon()
    made = [
        Connection(
            name=name,
            platform=solvimon.state.add_platform(f"key-{name}", seed),
            organisation=rillet.state.load({**books, "organization": {"api_key": f"rillet-{name}"}}),
            solvimon_api_key="",
            rillet_api_key="",
            webhook_secret="",
            webhook_url="",
            settings={},
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
    booked = books.invoices.add(_document(FIRST, "100.00", amount_due=_euros("39.50"), **day)).id
    payment = {"id": None, "invoice_id": booked, "status": "SUCCESSFUL", "amount": _euros("21.00")}
    books.payments.add(payment)
    day = {"credit_memo_number": "CRE-1", "credit_memo_date": "2040-02-01"}
    application = {"invoice_id": booked, "amount": _euros("60.50")}
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
        "net_amount": _euros(net),
        "taxed_amount": _euros(f"{tax:.2f}"),
        "total": _euros(f"{Decimal(net) + tax:.2f}"),
        "external_references": [{"type": "solvimon_invoice_id", "id": solvimon_id}],
        **more,
    }


def _euros(amount: str) -> Json:
    return {"amount": amount, "currency": "EUR"}


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
            document[name] = _euros(str(Decimal(document[name]["amount"]) + Decimal(more)))

    return change


def _again(**fields: object) -> Plant:
    return lambda books, document: books.add({**deepcopy(document), "id": None, **fields})


_USD = {"total": {"amount": "1.00", "currency": "USD"}}
_LATER = {"invoice_date": "2040-02-02", "credit_memo_date": "2040-02-02"}
PLANTS: dict[str, tuple[Plant, FindingType, str, str]] = {
    "a cent more": (_more(total="0.01"), FindingType.AMOUNT, "0.01", "EUR in Rillet's"),
    "net and tax shifted": (
        _more(net_amount="0.01", taxed_amount="-0.01"),
        *(FindingType.AMOUNT, "0.00", "EUR in Rillet's"),
    ),
    "another currency": (_changed(**_USD), FindingType.AMOUNT, "all", "USD in Rillet's"),
    "booked again": (_again(), FindingType.DUPLICATE, "0.00", "is in Rillet twice: as"),
    "booked again without a reference": (
        _again(external_references=[]),
        *(FindingType.DUPLICATE, "0.00", "belongs to no document of Solvimon."),
    ),
    "gone": (
        lambda books, document: books.remove(document["id"]),
        *(FindingType.LOST, "all", "did not reach Rillet: it is exported."),
    ),
    "another customer": (_changed(customer_id="x"), FindingType.MISPLACED, "0.00", "another customer, x."),
    "another subsidiary": (_changed(subsidiary_id="x"), FindingType.MISPLACED, "0.00", "subsidiary, x."),
    "another day": (_changed(**_LATER), FindingType.DATE, "0.00", "is booked on 2040-02-02."),
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
    assert {f.type for f in found.findings} & {FindingType.DUPLICATE, FindingType.LOST} <= {kind}
    gross = {"invoices": "121.00", "credit_memos": "60.50"}[collection]
    assert str(found.difference) == (gross if difference == "all" else difference)


def _in_the_other_organisation(name: str) -> Callable[[Sides], object]:
    def add(sides: Sides) -> None:
        copy = {**deepcopy(getattr(sides.default.organisation, name).documents()[0]), "id": None}
        if name == "customers":
            copy["external_references"] = [{"type": "solvimon_customer_id", "id": HOLDER}]
        getattr(sides.other.organisation, name).add(copy)

    return add


def _customer_twice(sides: Sides) -> None:
    mark = [{"type": "solvimon_customer_id", "id": HOLDER}]
    for name in ("One", "Two"):
        sides.default.organisation.customers.add({"id": None, "name": name, "external_references": mark})


def _linked_twice(sides: Sides) -> None:
    products = sides.default.platform.records["products"]
    products["again"] = {**next(iter(products.values())), "id": "again"}


def _solvimon_says(sides: Sides, **fields: object) -> None:
    sides.default.platform.records["invoices"][FIRST].update(fields)


def _payment(sides: Sides) -> Json:
    return sides.default.organisation.payments.documents()[0]


BESIDE: list[tuple[Callable[[Sides], object], FindingType, str]] = [
    (
        lambda s: _solvimon_says(s, paid=True, payment_status="PAID"),
        *(
            FindingType.PAYMENT,
            "is PAID, paid in Solvimon; 21.00 was paid and 39.50 is due, so PARTIALLY_PAID.",
        ),
    ),
    (lambda s: _payment(s).update(status="FAILED"), FindingType.PAYMENT, "60.50 is due, so UNPAID."),
    (
        lambda s: _payment(s).update(amount=_euros("61.50")),
        FindingType.PAYMENT,
        "overpaid or credited too much",
    ),
    (
        lambda s: s.booked.update(amount_due=_euros("40.00")),
        *(FindingType.PAYMENT, "40.00 is open in Rillet instead of 39.50."),
    ),
    (
        lambda s: s.memo["applications"][0].update(invoice_id="x"),
        *(FindingType.MISPLACED, "is applied to an invoice that it does not credit."),
    ),
    (
        lambda s: s.memo["applications"][0].update(amount=_euros("60.00")),
        *(FindingType.APPLICATION, "60.00 of 60.50 is applied, and INV-1 is open."),
    ),
    (lambda s: s.ledger[0].update(state="sending"), FindingType.LEDGER, "is in Rillet, and sending."),
    (lambda s: s.ledger.append({"pk": f"acme#invoice#{FIRST}", "sk": "R"}), FindingType.MISPLACED, FIRST),
    (_in_the_other_organisation("invoices"), FindingType.MISPLACED, FIRST),
    (_in_the_other_organisation("credit_memos"), FindingType.MISPLACED, NOTE),
    (_in_the_other_organisation("customers"), FindingType.MISPLACED, HOLDER),
    (_customer_twice, FindingType.DUPLICATE, "is in Rillet twice."),
    (_linked_twice, FindingType.DUPLICATE, "is in Solvimon twice, among the products."),
    (
        lambda s: s.default.organisation.customers.add({"id": None, "name": "New"}),
        *(FindingType.CUSTOMER, "is linked to none of Solvimon's."),
    ),
    (
        lambda s: s.default.organisation.customers.remove(CUSTOMER),
        *(FindingType.CUSTOMER, "is linked to a customer that Rillet does not have."),
    ),
    (lambda s: s.customer.update(emails=[]), FindingType.CUSTOMER, f"The email of {HOLDER} is"),
    (lambda s: s.customer.update(name="Other"), FindingType.CUSTOMER, f"The name of {HOLDER} is"),
    (lambda s: s.customer["address"].update(city="X"), FindingType.CUSTOMER, f"The city of {HOLDER} is"),
    (
        lambda s: s.expected.kept.update({CUSTOMER: {"payment_terms": 7}}),
        *(FindingType.CUSTOMER, "lost its payment_terms, 7."),
    ),
    (
        lambda s: s.expected.edits.update({HOLDER: {"street": "Kade 1"}}),
        *(FindingType.CUSTOMER, "was edited to Kade 1, and is Amaliahavenweg 12 now."),
    ),
]


@pytest.mark.parametrize(("plant", "kind", "words"), BESIDE)
def test_what_is_planted_beside_a_document_is_found(
    sides: Sides, plant: Callable[[Sides], object], kind: FindingType, words: str
) -> None:
    plant(sides)
    found = sides.audit()

    assert any(words in finding.text for finding in found.findings if finding.type is kind), found.problems


def test_a_document_of_the_closed_period_may_be_booked_on_the_first_open_day_only(sides: Sides) -> None:
    sides.expected = CLOSED
    sides.booked["invoice_date"] = "2040-02-01"
    moved = sides.audit()
    sides.memo["credit_memo_date"] = "2040-01-31"

    assert moved.problems == ()
    assert sides.audit().count(FindingType.DATE) == 1


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

    ended = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": "layers/mapping"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ended.stdout, ended.stderr) == ("[]\n", "")
