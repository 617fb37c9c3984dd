"""All webhooks of both vendors are lost: after a sweep both sides agree."""

from local.stack import LocalStack
from tests.credit_memos.support import credit_note, load, memos, rillet_invoice
from tests.customers.support import CUSTOMER, edit, in_rillet, named
from tests.payments.support import OPEN, PAID, state
from tests.sweep.support import day, finalised, on_the_bus, rillet_calls, same_totals, silent, swept


def test_after_one_sweep_without_any_webhook_everything_is_in_step(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_paid", "invo_undone", "invo_credited")
    assert swept(stack)["invoices"] == 3
    undone = connection.organisation.pay(rillet_invoice(connection, "invo_undone")["id"])
    stack.advance(900)
    assert swept(stack) == {"payments": 1}
    assert state(connection, "invo_undone") == PAID
    stack.advance(900)

    connection.organisation.delete_payment(undone["id"])
    connection.organisation.pay(rillet_invoice(connection, "invo_paid")["id"])
    finalised(stack, connection, "invo_new")
    load(connection, credit_note(of="invo_credited", invoice_date=day(stack)))
    edit(connection, **named("Quay of Maasvlakte B.V."))
    found = swept(stack)

    assert found == {"invoices": 1, "credit_notes": 1, "customers": 1, "payments": 2}
    assert same_totals(connection, "invo_paid", "invo_undone", "invo_credited", "invo_new")
    [memo] = memos(connection)
    [application] = memo["applications"]
    assert application["invoice_id"] == rillet_invoice(connection, "invo_credited")["id"]
    assert in_rillet(connection)["name"] == "Quay of Maasvlakte B.V."
    assert (state(connection, "invo_paid"), state(connection, "invo_undone")) == (PAID, OPEN)
    assert stack.pollers.errors == []


def test_a_sweep_with_nothing_new_costs_one_rillet_call_and_publishes_nothing(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a", "invo_b")
    swept(stack)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    swept(stack)
    calls, events = len(rillet_calls(stack)), on_the_bus(stack)

    quiet = [swept(stack) for _ in range(3)]

    assert quiet == [{}, {}, {}]
    assert [(c.method, c.path) for c in rillet_calls(stack)[calls:]] == [("GET", "/invoices")] * 3
    assert on_the_bus(stack) == events


def test_what_the_webhooks_told_is_not_told_again(stack: LocalStack) -> None:
    connection = silent(stack)
    stack.solvimon.state.webhooks_on = True
    finalised(stack, connection, "invo_a")
    edit(connection, CUSTOMER, **named("Told by a webhook B.V."))
    stack.settle()
    events = on_the_bus(stack)

    found = swept(stack)

    assert found == {}
    assert on_the_bus(stack) == events


def test_an_invoice_edited_in_rillet_is_noted_and_reported_once(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    connection.organisation.edit_invoice_by_hand(rillet_invoice(connection, "invo_a")["id"], amount_by="0.01")

    first, second = swept(stack), swept(stack)

    assert (first, second) == ({"payments": 1}, {})
    item = stack.ledger_item("default#invoice#invo_a", "RECORD") or {}
    assert (item["state"], item["code"]) == ("differs", "total_differs")


def test_invoices_in_rillet_that_are_not_ours_are_ignored(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    ours = connection.organisation.invoices.get(rillet_invoice(connection, "invo_a")["id"])
    stranger = {**ours.document, "id": None, "updated_at": None, "external_references": []}
    connection.organisation.invoices.add({k: v for k, v in stranger.items() if v is not None})
    stack.advance(900)

    assert swept(stack) == {}


def test_the_overlap_of_two_sweeps_tells_of_nothing_twice(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"], "1.00")
    stack.invoke("sweep", {})  # published, and no worker has come to it yet
    before = on_the_bus(stack)

    stack.invoke("sweep", {})

    assert on_the_bus(stack) == before
    stack.settle()
    assert state(connection, "invo_a") == (False, "PARTIALLY_PAID")
