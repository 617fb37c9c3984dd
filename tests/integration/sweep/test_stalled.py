"""A document that stalled, as its message is lost, is finished by the sweep."""

import pytest

from local.system import LocalSystem
from tests.integration.mark_invoice_paid.support import PAID
from tests.integration.sweep.support import Silent, silent
from tests.support.arrange import edit
from tests.support.assertions import memos, rillet_customer
from tests.support.builders import DEMO_CUSTOMER, Json, named

HOUR = 3600
WORKFLOWS = {
    "invoice": "export_invoice",
    "credit_memo": "export_credit_memo",
    "customer": "sync_customer",
    "payment": "mark_invoice_paid",
}


@pytest.mark.parametrize(("fault", "method"), [("commit_then_drop", "POST"), ("drop", "PUT")])
def test_an_answer_or_a_mark_and_a_message_that_are_lost_leave_one_marked_invoice(
    connection: Silent, fault: str, method: str
) -> None:
    connection.finalise("invo_a")
    connection.system.rillet.state.misbehave(fault, method)
    connection.sweep()
    connection.system.settle()
    connection.lose_messages()
    before = connection.state_of()
    connection.system.advance(HOUR + 1)

    found = connection.swept()

    assert (before, connection.state_of()) == ("sending", "exported")
    assert found == {"invoices": 1}
    [booked] = connection.rillet_invoices()
    assert booked["status"] == "UNPAID"
    assert connection.same_totals("invo_a")


def test_a_stalled_invoice_is_found_however_long_ago_it_is_dated(connection: Silent) -> None:
    connection.finalise("invo_a", back=100)
    connection.change("invo_a", state="claimed")
    connection.system.advance(HOUR)

    assert connection.swept() == {"stuck": 1}
    assert connection.state_of() == "exported"


def test_what_changed_within_the_hour_is_left_alone(connection: Silent) -> None:
    connection.finalise("invo_a")
    connection.change("invo_a", state="sending")
    connection.system.advance(HOUR - 60)

    assert connection.swept() == {}


def test_what_is_under_a_live_lease_is_left_alone(connection: Silent) -> None:
    connection.finalise("invo_a")
    connection.system.advance(2 * HOUR)
    now = int(connection.system.clock.now())
    lease: Json = {"lease_owner": "w", "lease_until": now + 60}
    connection.change("invo_a", state="sending", updated_at=now - HOUR - 1, **lease)

    assert connection.swept() == {}
    connection.system.advance(61)
    assert connection.swept() == {"invoices": 1}


def test_a_credit_memo_between_its_two_steps_is_finished(connection: Silent) -> None:
    connection.finalise("invo_original")
    connection.swept()
    connection.credit()
    connection.system.rillet.state.misbehave("drop", "POST", "/credit-memos/")
    connection.sweep()
    connection.system.settle()
    connection.lose_messages()
    assert connection.state_of("invo_note", "credit_memo") == "sending"
    connection.system.advance(HOUR + 1)

    assert connection.swept()["credit_notes"] == 1

    [memo] = memos(connection)
    assert memo["applied_amount"]["amount"] == "121.00"
    assert connection.state_of("invo_note", "credit_memo") == "exported"


def test_a_stalled_edit_of_a_customer_is_finished(system: LocalSystem) -> None:
    connection = silent(system, sweep={"customers_per_run": 0})
    edit(connection, DEMO_CUSTOMER, **named("Stalled B.V."))
    connection.change(DEMO_CUSTOMER, "customer", state="claimed")
    system.advance(HOUR)

    assert connection.swept() == {"stuck": 1}
    assert rillet_customer(connection)["name"] == "Stalled B.V."


def test_a_stalled_payment_is_marked_by_rillets_current_state(exported: Silent) -> None:
    exported.system.advance(HOUR)
    exported.swept()
    exported.pay()
    exported.sweep()
    exported.lose_messages()
    exported.change("invo_a", "payment", state="sending", payment_status="UNKNOWN")
    exported.system.advance(900)
    waiting = exported.swept()
    exported.system.advance(HOUR)

    found = exported.swept()

    assert (waiting, found) == ({}, {"stuck": 1})
    assert exported.payment_state() == PAID
    assert exported.state_of("invo_a", "payment") == "marked"


@pytest.mark.parametrize(("kind", "workflow"), WORKFLOWS.items())
def test_after_a_day_an_error_names_the_document(connection: Silent, kind: str, workflow: str) -> None:
    connection.change("some_id", kind, state="claimed")
    connection.system.advance(26 * HOUR + 60)

    findings = connection.sweep()

    assert findings["found"] == {}
    [error] = findings["errors"]
    assert "some_id" in error
    assert f"Invoke {workflow}" in error


def test_a_stalled_document_costs_no_call_while_its_workflow_is_off(system: LocalSystem) -> None:
    connection = silent(system, workflows=dict.fromkeys(WORKFLOWS.values(), False))
    for kind in WORKFLOWS:
        connection.change("some_id", kind, state="claimed")
    system.advance(2 * HOUR)

    assert connection.swept() == {}
    assert connection.rillet_calls() == []
