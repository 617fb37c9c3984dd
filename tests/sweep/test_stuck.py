"""What was begun and whose message is lost is finished by the sweep."""

import pytest

from local.stack import LocalStack
from tests.credit_memos.support import credit_note, load, memos, rillet_invoice
from tests.customers.support import CUSTOMER, edit, in_rillet, named
from tests.export.support import rillet_invoices
from tests.payments.support import PAID, state
from tests.sweep.support import (
    change,
    day,
    finalised,
    lose_messages,
    rillet_calls,
    same_totals,
    silent,
    state_of,
    sweep,
    swept,
)

HOUR = 3600


def test_an_answer_and_a_message_that_are_lost_leave_one_invoice(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    stack.rillet.state.misbehave("commit_then_drop")
    sweep(stack)
    stack.settle()
    lose_messages(stack)
    before = state_of(stack, "invo_a")
    stack.advance(HOUR + 1)

    found = swept(stack)

    assert (before, state_of(stack, "invo_a")) == ("sending", "exported")
    assert found == {"invoices": 1}
    assert len(rillet_invoices(connection)) == 1
    assert same_totals(connection, "invo_a")


def test_a_stuck_invoice_is_found_however_long_ago_it_is_dated(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a", back=100)
    change(stack, "invo_a", state="claimed")
    stack.advance(HOUR)

    assert swept(stack) == {"stuck": 1}
    assert state_of(stack, "invo_a") == "exported"


def test_what_changed_within_the_hour_is_left_alone(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    change(stack, "invo_a", state="sending")
    stack.advance(HOUR - 60)

    assert swept(stack) == {}


def test_what_is_under_a_live_lease_is_left_alone(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    stack.advance(2 * HOUR)
    now = int(stack.clock.now())
    change(stack, "invo_a", state="sending", updated_at=now - HOUR - 1, lease_owner="w", lease_until=now + 60)

    assert swept(stack) == {}
    stack.advance(61)
    assert swept(stack) == {"invoices": 1}


def test_a_credit_memo_between_its_two_steps_is_finished(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_original")
    swept(stack)
    load(connection, credit_note(invoice_date=day(stack)))
    stack.rillet.state.misbehave("drop", "POST", "/credit-memos/")
    sweep(stack)
    stack.settle()
    lose_messages(stack)
    assert state_of(stack, "invo_note", "credit_memo") == "sending"
    stack.advance(HOUR + 1)

    assert swept(stack)["credit_notes"] == 1

    [memo] = memos(connection)
    assert memo["applied_amount"]["amount"] == "121.00"
    assert state_of(stack, "invo_note", "credit_memo") == "exported"


def test_an_edit_of_a_customer_that_got_stuck_is_finished(stack: LocalStack) -> None:
    connection = silent(stack, sweep={"customers_per_run": 0})
    edit(connection, CUSTOMER, **named("Stuck B.V."))
    change(stack, CUSTOMER, "customer", state="claimed")
    stack.advance(HOUR)

    assert swept(stack) == {"stuck": 1}
    assert in_rillet(connection)["name"] == "Stuck B.V."


def test_a_payment_that_got_stuck_is_marked_as_rillet_says_now(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    stack.advance(HOUR)
    swept(stack)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    sweep(stack)
    lose_messages(stack)
    change(stack, "invo_a", "payment", state="sending", payment_status="UNKNOWN")
    stack.advance(900)
    waiting = swept(stack)
    stack.advance(HOUR)

    found = swept(stack)

    assert (waiting, found) == ({}, {"stuck": 1})
    assert state(connection, "invo_a") == PAID
    assert state_of(stack, "invo_a", "payment") == "marked"


@pytest.mark.parametrize(
    ("kind", "workflow"),
    [
        ("invoice", "export_invoice"),
        ("credit_memo", "export_credit_memo"),
        ("customer", "sync_customer"),
        ("payment", "mark_invoice_paid"),
    ],
)
def test_after_a_day_a_person_is_told_instead(stack: LocalStack, kind: str, workflow: str) -> None:
    silent(stack)
    change(stack, "some_id", kind, state="claimed")
    stack.advance(26 * HOUR + 60)

    swept_ = sweep(stack)

    assert swept_["found"] == {}
    [error] = swept_["errors"]
    assert "some_id" in error
    assert f"Invoke {workflow}" in error


def test_what_is_stuck_costs_no_call_while_its_workflow_is_off(stack: LocalStack) -> None:
    silent(
        stack,
        workflows=dict.fromkeys(
            ("export_invoice", "export_credit_memo", "sync_customer", "mark_invoice_paid"), False
        ),
    )
    for kind in ("invoice", "credit_memo", "customer", "payment"):
        change(stack, "some_id", kind, state="claimed")
    stack.advance(2 * HOUR)

    assert swept(stack) == {}
    assert rillet_calls(stack) == []
