"""Customers in a reconciliation: those that were edited in the period have the same data on both sides."""

import pytest

from local.system import LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.reconcile.support import Books, file_of
from tests.support.arrange import answer_lost, edit
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
def edited(default: Books) -> Books:
    """The customer was renamed to "One" in Solvimon, and the edit is in Rillet."""
    default.edit_and_settle(**named("One"))
    return default


def test_an_edited_customer_that_is_the_same_on_both_sides_is_no_difference(edited: Books) -> None:
    answer = edited.reconcile()

    assert about_customers(answer) == []
    assert customer_lists(edited.system) == 1, "a hundred customers a call"


def test_an_erased_customer_is_no_difference_and_nothing_of_it_goes_to_rillet(edited: Books) -> None:
    edited.platform.forget_customer(DEMO_CUSTOMER)
    edited.settle()
    before = rillet_customer(edited)

    answers = [edited.reconcile() for _ in range(2)]
    edited.settle()

    assert [about_customers(one) for one in answers] == [[], []]
    assert rillet_customer(edited) == before


def test_without_an_edit_in_the_period_rillets_customers_are_not_read(default: Books) -> None:
    default.reconcile()

    assert customer_lists(default.system) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "By hand"}, "name"),
        ({"address": {"line1": "x", "city": "x", "state": "x", "zip_code": "x", "country": "NL"}}, "address"),
        ({"emails": [{"email": "x@customer.example", "type": "MAIN_SENDER"}]}, "emails"),
    ],
)
def test_a_customer_that_was_edited_in_rillet_is_a_difference_that_no_redrive_undoes(
    edited: Books, change: Json, field: str
) -> None:
    edited.system.advance(1)
    edited.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, **change)

    answer = edited.reconcile(redrive=True)
    edited.settle()

    [finding] = about_customers(answer)
    assert not answer["tied_out"]
    assert finding["solvimon_id"] == DEMO_CUSTOMER
    assert finding["rillet_ids"] == [DEMO_CUSTOMER_IN_RILLET]
    assert field in finding["cause"]
    assert "import_customers" in finding["remedy"]
    assert rillet_customer(edited)[field] == change[field]
    page, table = (file_of(edited.system, answer["report"][name]) for name in ("html", "findings"))
    assert "Customer with other data in Rillet" in page
    assert "1 customer" in page
    assert DEMO_CUSTOMER in table


def test_a_difference_that_was_corrected_in_rillet_is_gone(edited: Books) -> None:
    edited.system.advance(1)
    edited.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, name="By hand")
    before = about_customers(edited.reconcile())
    edited.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, name="One")

    assert len(before) == 1
    assert about_customers(edited.reconcile()) == []


def test_an_edit_that_is_not_in_rillet_yet_is_a_difference_and_is_synchronised(edited: Books) -> None:
    edited.system.solvimon.state.webhooks_on = False
    edited.platform.edit_customer(DEMO_CUSTOMER, email="new@customer.example")

    answer = edited.reconcile(redrive=True)
    edited.settle()

    [finding] = about_customers(answer)
    assert "not in Rillet yet" in finding["cause"]
    assert "sync_customer" in finding["remedy"]
    assert rillet_customer(edited)["emails"][0]["email"] == "new@customer.example"
    assert about_customers(edited.reconcile()) == []


def test_an_edit_that_rillet_refused_is_a_difference_with_its_cause(edited: Books) -> None:
    edited.system.rillet.state.misbehave("status", "PUT", "/customers", times=1, status=400)
    edited.edit_and_settle(email="new@customer.example")

    [finding] = about_customers(edited.reconcile())

    assert "Rillet refused it (400)" in finding["cause"]


def test_a_put_that_arrives_a_day_late_is_found_by_the_reconciliation_and_repaired(edited: Books) -> None:
    edit(edited, **named("Two"))
    edited.system.deliver_webhooks()
    with answer_lost(RilletClient, "replace_customer") as arrive:
        edited.system.deliver("sync_customer")
    edit(edited, **named("Three"))
    edited.settle(after=LEASE_SECONDS + 1)
    edited.settle(after=SETTLE_SECONDS)
    edited.settle(after=25 * 3600)
    arrive()

    found = edited.reconcile(redrive=True)
    edited.settle()
    again = edited.reconcile()

    assert [one["kind"] for one in found["findings"]] == ["customer_outdated"]
    assert not found["tied_out"]
    assert rillet_customer(edited)["name"] == "Three"
    assert [one for one in again["findings"] if one["kind"] == "customer_outdated"] == []


def test_a_customer_whose_creation_arrived_a_day_late_is_reported_as_doubled(default: Books) -> None:
    with answer_lost(RilletClient, "create_customer") as arrive:
        default.sync(UNLINKED)
    default.settle(after=LEASE_SECONDS + 1)
    default.system.advance(SETTLE_SECONDS)
    default.sync(UNLINKED)  # a person's request creates it, an event would not
    before = default.reconcile()
    default.system.advance(25 * 3600)
    arrive()

    answer = default.reconcile()

    assert [one for one in before["findings"] if one["document"] == "customer"] == []
    [finding] = [one for one in answer["findings"] if one["document"] == "customer"]
    assert (finding["kind"], finding["solvimon_id"]) == ("doubled", UNLINKED)
    assert len(set(finding["rillet_ids"])) == 2
    assert not answer["tied_out"]
