"""All webhooks of both vendors are lost: after a sweep both sides agree."""

from local.system import LocalSystem
from tests.integration.mark_invoice_paid.support import OPEN, PAID, state
from tests.integration.sweep.support import (
    day,
    finalised,
    on_the_bus,
    rillet_calls,
    same_totals,
    silent,
    swept,
)
from tests.support.arrange import edit, load
from tests.support.assertions import memos, rillet_customer, rillet_invoice
from tests.support.builders import DEMO_CUSTOMER, credit_note, named


def test_after_one_sweep_without_any_webhook_everything_is_in_step(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_paid", "invo_undone", "invo_credited")
    assert swept(system)["invoices"] == 3
    undone = connection.organisation.pay(rillet_invoice(connection, "invo_undone")["id"])
    system.advance(900)
    assert swept(system) == {"payments": 1}
    assert state(connection, "invo_undone") == PAID
    system.advance(900)

    connection.organisation.delete_payment(undone["id"])
    connection.organisation.pay(rillet_invoice(connection, "invo_paid")["id"])
    finalised(system, connection, "invo_new")
    load(connection, credit_note(of="invo_credited", invoice_date=day(system)))
    edit(connection, **named("Quay of Maasvlakte B.V."))
    found = swept(system)

    assert found == {"invoices": 1, "credit_notes": 1, "customers": 1, "payments": 2}
    assert same_totals(connection, "invo_paid", "invo_undone", "invo_credited", "invo_new")
    [memo] = memos(connection)
    [application] = memo["applications"]
    assert application["invoice_id"] == rillet_invoice(connection, "invo_credited")["id"]
    assert rillet_customer(connection)["name"] == "Quay of Maasvlakte B.V."
    assert (state(connection, "invo_paid"), state(connection, "invo_undone")) == (PAID, OPEN)
    assert system.pollers.errors == []


def test_a_sweep_with_nothing_new_costs_one_rillet_call_and_publishes_nothing(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a", "invo_b")
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    swept(system)
    calls, events = len(rillet_calls(system)), on_the_bus(system)

    quiet = [swept(system) for _ in range(3)]

    assert quiet == [{}, {}, {}]
    assert [(c.method, c.path) for c in rillet_calls(system)[calls:]] == [("GET", "/invoices")] * 3
    assert on_the_bus(system) == events


def test_what_the_webhooks_told_is_not_told_again(system: LocalSystem) -> None:
    connection = silent(system)
    system.solvimon.state.webhooks_on = True
    finalised(system, connection, "invo_a")
    edit(connection, DEMO_CUSTOMER, **named("Told by a webhook B.V."))
    system.settle()
    events = on_the_bus(system)

    found = swept(system)

    assert found == {}
    assert on_the_bus(system) == events


def test_an_invoice_edited_in_rillet_is_noted_and_reported_once(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    connection.organisation.edit_invoice(rillet_invoice(connection, "invo_a")["id"], amount_by="0.01")

    first, second = swept(system), swept(system)

    assert (first, second) == ({"payments": 1}, {})
    item = system.ledger_item("default#invoice#invo_a", "RECORD") or {}
    assert (item["state"], item["code"]) == ("differs", "total_differs")


def test_invoices_in_rillet_that_are_not_ours_are_ignored(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    ours = connection.organisation.invoices.get(rillet_invoice(connection, "invo_a")["id"])
    stranger = {**ours.document, "id": None, "updated_at": None, "external_references": []}
    connection.organisation.invoices.add({k: v for k, v in stranger.items() if v is not None})
    system.advance(900)

    assert swept(system) == {}


def test_the_overlap_of_two_sweeps_tells_of_nothing_twice(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"], "1.00")
    system.invoke("sweep", {})  # published, and no worker has come to it yet
    before = on_the_bus(system)

    system.invoke("sweep", {})

    assert on_the_bus(system) == before
    system.settle()
    assert state(connection, "invo_a") == (False, "PARTIALLY_PAID")
