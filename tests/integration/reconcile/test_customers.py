"""Customers in a reconciliation: those that were edited in the period have the same data on both sides."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.reconcile.support import file_of, reconcile
from tests.support.arrange import answer_lost, edit, sync
from tests.support.assertions import calls_to, rillet_customer
from tests.support.builders import DEMO_CUSTOMER, DEMO_CUSTOMER_IN_RILLET, UNLINKED, Json, named

OUTDATED = "customer_outdated"


def about_customers(answer: Json) -> list[Json]:
    """The findings about customers."""
    return [one for one in answer["findings"] if one["kind"] == OUTDATED]


def customer_lists(system: LocalSystem) -> int:
    """How often Rillet was asked for its customers."""
    return sum(call.path == "/customers" for call in calls_to(system, "GET", "/customers"))


@pytest.fixture
def edited(system: LocalSystem, default: Connection) -> Connection:
    """The customer was renamed to "One" in Solvimon, and the edit is in Rillet."""
    edit(default, **named("One"))
    system.settle()
    return default


def test_an_edited_customer_that_is_the_same_on_both_sides_is_no_difference(
    system: LocalSystem, edited: Connection
) -> None:
    answer = reconcile(system, edited)

    assert about_customers(answer) == []
    assert customer_lists(system) == 1, "a hundred customers a call"


def test_an_erased_customer_is_no_difference_and_nothing_of_it_goes_to_rillet(
    system: LocalSystem, edited: Connection
) -> None:
    edited.platform.forget_customer(DEMO_CUSTOMER)
    system.settle()
    before = rillet_customer(edited)

    answers = [reconcile(system, edited) for _ in range(2)]
    system.settle()

    assert [about_customers(one) for one in answers] == [[], []]
    assert rillet_customer(edited) == before


def test_without_an_edit_in_the_period_rillets_customers_are_not_read(
    system: LocalSystem, default: Connection
) -> None:
    reconcile(system, default)

    assert customer_lists(system) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "By hand"}, "name"),
        ({"address": {"line1": "x", "city": "x", "state": "x", "zip_code": "x", "country": "NL"}}, "address"),
        ({"emails": [{"email": "x@customer.example", "type": "MAIN_SENDER"}]}, "emails"),
    ],
)
def test_a_customer_that_was_edited_in_rillet_is_a_difference_that_no_redrive_undoes(
    system: LocalSystem, edited: Connection, change: Json, field: str
) -> None:
    system.advance(1)
    edited.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, **change)

    answer = reconcile(system, edited, redrive=True)
    system.settle()

    [finding] = about_customers(answer)
    assert not answer["tied_out"]
    assert finding["solvimon_id"] == DEMO_CUSTOMER
    assert finding["rillet_ids"] == [DEMO_CUSTOMER_IN_RILLET]
    assert field in finding["cause"]
    assert "import_customers" in finding["remedy"]
    assert rillet_customer(edited)[field] == change[field]
    page, table = (file_of(system, answer["report"][name]) for name in ("html", "findings"))
    assert "Customer with other data in Rillet" in page
    assert "1 customer" in page
    assert DEMO_CUSTOMER in table


def test_a_difference_that_was_corrected_in_rillet_is_gone(system: LocalSystem, edited: Connection) -> None:
    system.advance(1)
    edited.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, name="By hand")
    before = about_customers(reconcile(system, edited))
    edited.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, name="One")

    assert len(before) == 1
    assert about_customers(reconcile(system, edited)) == []


def test_an_edit_that_is_not_in_rillet_yet_is_a_difference_and_is_synchronised(
    system: LocalSystem, edited: Connection
) -> None:
    system.solvimon.state.webhooks_on = False
    edited.platform.edit_customer(DEMO_CUSTOMER, email="new@customer.example")

    answer = reconcile(system, edited, redrive=True)
    system.settle()

    [finding] = about_customers(answer)
    assert "not in Rillet yet" in finding["cause"]
    assert "sync_customer" in finding["remedy"]
    assert rillet_customer(edited)["emails"][0]["email"] == "new@customer.example"
    assert about_customers(reconcile(system, edited)) == []


def test_an_edit_that_rillet_refused_is_a_difference_with_its_cause(
    system: LocalSystem, edited: Connection
) -> None:
    system.rillet.state.misbehave("status", "PUT", "/customers", times=1, status=400)
    edit(edited, email="new@customer.example")
    system.settle()

    [finding] = about_customers(reconcile(system, edited))

    assert "Rillet refused it (400)" in finding["cause"]


def test_a_put_that_arrives_a_day_late_is_found_by_the_reconciliation_and_repaired(
    system: LocalSystem, edited: Connection
) -> None:
    edit(edited, **named("Two"))
    system.deliver_webhooks()
    with answer_lost(RilletClient, "replace_customer") as arrive:
        system.deliver("sync_customer")
    edit(edited, **named("Three"))
    system.advance(LEASE_SECONDS + 1)
    system.settle()
    system.advance(SETTLE_SECONDS)
    system.settle()
    system.advance(25 * 3600)
    system.settle()
    arrive()

    found = reconcile(system, edited, redrive=True)
    system.settle()
    again = reconcile(system, edited)

    assert [one["kind"] for one in found["findings"]] == ["customer_outdated"]
    assert not found["tied_out"]
    assert rillet_customer(edited)["name"] == "Three"
    assert [one for one in again["findings"] if one["kind"] == "customer_outdated"] == []


def test_a_customer_whose_creation_arrived_a_day_late_is_reported_as_doubled(
    system: LocalSystem, default: Connection
) -> None:
    with answer_lost(RilletClient, "create_customer") as arrive:
        sync(system, UNLINKED)
    system.advance(LEASE_SECONDS + 1)
    system.settle()
    system.advance(SETTLE_SECONDS)
    sync(system, UNLINKED)  # a person's request creates it, an event would not
    before = reconcile(system, default)
    system.advance(25 * 3600)
    arrive()

    answer = reconcile(system, default)

    assert [one for one in before["findings"] if one["document"] == "customer"] == []
    [finding] = [one for one in answer["findings"] if one["document"] == "customer"]
    assert (finding["kind"], finding["solvimon_id"]) == ("doubled", UNLINKED)
    assert len(set(finding["rillet_ids"])) == 2
    assert not answer["tied_out"]
