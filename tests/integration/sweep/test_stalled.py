"""What was begun and whose message is lost is finished by the sweep."""

import pytest

from local.system import LocalSystem
from tests.integration.mark_invoice_paid.support import PAID, state
from tests.integration.sweep.support import (
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
from tests.support.arrange import edit, load
from tests.support.assertions import memos, rillet_customer, rillet_invoice, rillet_invoices
from tests.support.builders import DEMO_CUSTOMER, credit_note, named

HOUR = 3600


def test_an_answer_and_a_message_that_are_lost_leave_one_invoice(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    system.rillet.state.misbehave("commit_then_drop")
    sweep(system)
    system.settle()
    lose_messages(system)
    before = state_of(system, "invo_a")
    system.advance(HOUR + 1)

    found = swept(system)

    assert (before, state_of(system, "invo_a")) == ("sending", "exported")
    assert found == {"invoices": 1}
    assert len(rillet_invoices(connection)) == 1
    assert same_totals(connection, "invo_a")


def test_a_stuck_invoice_is_found_however_long_ago_it_is_dated(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a", back=100)
    change(system, "invo_a", state="claimed")
    system.advance(HOUR)

    assert swept(system) == {"stuck": 1}
    assert state_of(system, "invo_a") == "exported"


def test_what_changed_within_the_hour_is_left_alone(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    change(system, "invo_a", state="sending")
    system.advance(HOUR - 60)

    assert swept(system) == {}


def test_what_is_under_a_live_lease_is_left_alone(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    system.advance(2 * HOUR)
    now = int(system.clock.now())
    change(
        system, "invo_a", state="sending", updated_at=now - HOUR - 1, lease_owner="w", lease_until=now + 60
    )

    assert swept(system) == {}
    system.advance(61)
    assert swept(system) == {"invoices": 1}


def test_a_credit_memo_between_its_two_steps_is_finished(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_original")
    swept(system)
    load(connection, credit_note(invoice_date=day(system)))
    system.rillet.state.misbehave("drop", "POST", "/credit-memos/")
    sweep(system)
    system.settle()
    lose_messages(system)
    assert state_of(system, "invo_note", "credit_memo") == "sending"
    system.advance(HOUR + 1)

    assert swept(system)["credit_notes"] == 1

    [memo] = memos(connection)
    assert memo["applied_amount"]["amount"] == "121.00"
    assert state_of(system, "invo_note", "credit_memo") == "exported"


def test_an_edit_of_a_customer_that_got_stuck_is_finished(system: LocalSystem) -> None:
    connection = silent(system, sweep={"customers_per_run": 0})
    edit(connection, DEMO_CUSTOMER, **named("Stuck B.V."))
    change(system, DEMO_CUSTOMER, "customer", state="claimed")
    system.advance(HOUR)

    assert swept(system) == {"stuck": 1}
    assert rillet_customer(connection)["name"] == "Stuck B.V."


def test_a_payment_that_got_stuck_is_marked_as_rillet_says_now(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    system.advance(HOUR)
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    sweep(system)
    lose_messages(system)
    change(system, "invo_a", "payment", state="sending", payment_status="UNKNOWN")
    system.advance(900)
    waiting = swept(system)
    system.advance(HOUR)

    found = swept(system)

    assert (waiting, found) == ({}, {"stuck": 1})
    assert state(connection, "invo_a") == PAID
    assert state_of(system, "invo_a", "payment") == "marked"


@pytest.mark.parametrize(
    ("kind", "workflow"),
    [
        ("invoice", "export_invoice"),
        ("credit_memo", "export_credit_memo"),
        ("customer", "sync_customer"),
        ("payment", "mark_invoice_paid"),
    ],
)
def test_after_a_day_a_person_is_told_instead(system: LocalSystem, kind: str, workflow: str) -> None:
    silent(system)
    change(system, "some_id", kind, state="claimed")
    system.advance(26 * HOUR + 60)

    swept_ = sweep(system)

    assert swept_["found"] == {}
    [error] = swept_["errors"]
    assert "some_id" in error
    assert f"Invoke {workflow}" in error


def test_what_is_stuck_costs_no_call_while_its_workflow_is_off(system: LocalSystem) -> None:
    silent(
        system,
        workflows=dict.fromkeys(
            ("export_invoice", "export_credit_memo", "sync_customer", "mark_invoice_paid"), False
        ),
    )
    for kind in ("invoice", "credit_memo", "customer", "payment"):
        change(system, "some_id", kind, state="claimed")
    system.advance(2 * HOUR)

    assert swept(system) == {}
    assert rillet_calls(system) == []
