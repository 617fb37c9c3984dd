"""After a sweep both sides agree: all webhooks are lost, or they arrive beside it."""

import pytest

from tests.integration.mark_invoice_paid.support import OPEN, PAID
from tests.integration.sweep.support import Silent
from tests.support.arrange import at_once, edit, until
from tests.support.assertions import memos, rillet_customer, rillet_invoice
from tests.support.builders import DEMO_CUSTOMER, Json, named


def test_one_sweep_without_any_webhook_synchronises_everything(connection: Silent) -> None:
    connection.finalise("invo_paid", "invo_deleted", "invo_credited")
    assert connection.swept()["invoices"] == 3
    deleted = connection.pay("invo_deleted")
    connection.system.advance(900)
    assert connection.swept() == {"payments": 1}
    assert connection.payment_state("invo_deleted") == PAID
    connection.system.advance(900)

    connection.organisation.delete_payment(deleted["id"])
    connection.pay("invo_paid")
    connection.finalise("invo_new")
    connection.credit("invo_credited")
    edit(connection, **named("Quay of Maasvlakte B.V."))
    found = connection.swept()

    assert found == {"invoices": 1, "credit_notes": 1, "customers": 1, "payments": 2}
    assert connection.same_totals("invo_paid", "invo_deleted", "invo_credited", "invo_new")
    [memo] = memos(connection)
    [application] = memo["applications"]
    assert application["invoice_id"] == connection.rillet_id("invo_credited")
    assert rillet_customer(connection)["name"] == "Quay of Maasvlakte B.V."
    assert (connection.payment_state("invo_paid"), connection.payment_state("invo_deleted")) == (PAID, OPEN)
    assert connection.system.pollers.errors == []


def test_a_sweep_with_nothing_new_costs_one_rillet_call_and_publishes_nothing(connection: Silent) -> None:
    connection.finalise("invo_a", "invo_b")
    connection.swept()
    connection.pay()
    connection.swept()
    calls, events = len(connection.rillet_calls()), connection.on_the_bus()

    quiet = [connection.swept() for _ in range(3)]

    assert quiet == [{}, {}, {}]
    assert [(c.method, c.path) for c in connection.rillet_calls()[calls:]] == [("GET", "/invoices")] * 3
    assert connection.on_the_bus() == events


def test_what_webhooks_published_is_not_published_again(connection: Silent) -> None:
    connection.system.solvimon.state.webhooks_on = True
    connection.finalise("invo_a")
    edit(connection, DEMO_CUSTOMER, **named("Edited B.V."))
    connection.system.settle()
    events = connection.on_the_bus()

    found = connection.swept()

    assert found == {}
    assert connection.on_the_bus() == events


def test_an_invoice_edited_in_rillet_is_recorded_and_published_once(exported: Silent) -> None:
    exported.organisation.edit_invoice(exported.rillet_id(), amount_by="0.01")

    first, second = exported.swept(), exported.swept()

    assert (first, second) == ({"payments": 1}, {})
    item = exported.record()
    assert (item["state"], item["code"]) == ("differs", "total_differs")


def test_invoices_in_rillet_that_are_not_ours_are_ignored(exported: Silent) -> None:
    ours = exported.organisation.invoices.get(exported.rillet_id())
    foreign = {**ours.document, "id": None, "updated_at": None, "external_references": []}
    exported.organisation.invoices.add({k: v for k, v in foreign.items() if v is not None})
    exported.system.advance(900)

    assert exported.swept() == {}


def test_the_overlap_of_two_sweeps_publishes_nothing_twice(exported: Silent) -> None:
    exported.pay("invo_a", "1.00")
    exported.system.invoke("sweep", {"connection": "default"})  # published, and not processed yet
    before = exported.on_the_bus()

    exported.system.invoke("sweep", {"connection": "default"})

    assert exported.on_the_bus() == before
    exported.system.settle()
    assert exported.payment_state() == (False, "PARTIALLY_PAID")


IDS = [f"invo_{number:02}" for number in range(20)]


@pytest.mark.slow
def test_a_sweep_beside_live_traffic_creates_nothing_twice(connection: Silent) -> None:
    connection.system.solvimon.state.webhooks_on = True
    connection.finalise(*IDS)
    connection.credit(IDS[0])
    connection.sweep()  # before any webhook has arrived
    connection.system.deliver_webhooks()
    connection.system.start_workers(4)
    connection.sweep()
    connection.system.stop_workers()

    connection.system.settle()
    until(connection.system, lambda: len(memos(connection)) == 1)

    assert connection.on_the_bus()[IDS[0]] >= 2
    assert len(connection.rillet_invoices()) == len(IDS)
    assert all(len(connection.rillet_invoices(each)) == 1 for each in IDS)
    assert len(memos(connection)) == 1
    assert connection.swept() == {"payments": 1}  # the credit that Rillet's webhook would have published
    assert connection.swept() == {}
    assert connection.system.pollers.errors == []


@pytest.mark.slow
def test_sweeps_at_the_same_moment_do_no_harm(connection: Silent) -> None:
    connection.finalise(*IDS)
    connection.swept()
    connection.organisation.pay(rillet_invoice(connection, IDS[0])["id"])
    connection.finalise("invo_new")
    answers: list[Json] = []

    at_once(4, lambda: answers.append(connection.found()))
    connection.system.settle()

    assert len(answers) == 4
    assert len(connection.rillet_invoices()) == len(IDS) + 1
    assert connection.payment_state(IDS[0]) == PAID
    assert connection.swept() == {}
