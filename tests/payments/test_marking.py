"""A payment confirmed in Rillet marks the Solvimon invoice; one undone there opens it again."""

import pytest

from local.stack import Connection, LocalStack
from tests.credit_memos.support import ORIGINAL, SECOND, document, load
from tests.export.support import booked_by_hand, configure
from tests.payments.support import (
    FUNCTION,
    OPEN,
    PAID,
    PARTLY,
    document_of,
    events,
    exported,
    hold_back,
    item,
    mark,
    no_trouble,
    patches,
    post,
    rillet_calls,
    send,
    send_document,
    settle,
    state,
    waiting,
)


def test_a_full_payment_marks_the_invoice_paid_with_one_change_and_no_call_to_rillet(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    before, written = rillet_calls(stack), len(patches(stack))

    connection.organisation.pay(rillet_id)
    answers = settle(stack, connection)

    assert answers == [200]
    assert state(connection) == PAID
    assert patches(stack)[written:] == [{"paid": True, "payment_status": "PAID"}]
    assert rillet_calls(stack) == before
    assert item(stack)["payment_status"] == "PAID"
    assert item(stack, "invoice")["open_amount"] == "0.00"
    no_trouble(stack)


def test_parts_of_a_payment_mark_it_partly_paid_once_and_then_paid(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    states = []
    for amount in ("20.00", "0.99", None):
        connection.organisation.pay(rillet_id, amount)
        settle(stack, connection)
        states.append(state(connection))

    assert states == [PARTLY, PARTLY, PAID]
    assert [body["payment_status"] for body in patches(stack)] == ["PARTIALLY_PAID", "PAID"]


def test_an_uncleared_payment_counts_and_its_undoing_opens_the_invoice_again(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    payment = connection.organisation.pay(rillet_id, cleared=False)
    settle(stack, connection)
    before = state(connection)

    connection.organisation.delete_payment(payment["id"])
    settle(stack, connection)

    assert (before, state(connection)) == (PAID, OPEN)
    assert connection.platform.invoice(ORIGINAL)["paid_invoice_amount"]["quantity"] == "0.00"


def test_a_payment_that_fails_does_not_count(stack: LocalStack, connection: Connection) -> None:
    rillet_id = exported(stack, connection)
    part = connection.organisation.pay(rillet_id, "21.00")
    rest = connection.organisation.pay(rillet_id, cleared=False)
    settle(stack, connection)
    seen = [state(connection)]

    for payment in (rest, part):
        connection.organisation.fail_payment(payment["id"])
        settle(stack, connection)
        seen.append(state(connection))

    assert seen == [PAID, PARTLY, OPEN]


def test_clearing_a_payment_changes_nothing_in_solvimon(stack: LocalStack, connection: Connection) -> None:
    payment = connection.organisation.pay(exported(stack, connection), cleared=False)
    settle(stack, connection)
    written = len(patches(stack))

    connection.organisation.clear_payment(payment["id"])
    settle(stack, connection)

    assert state(connection) == PAID
    assert len(patches(stack)) == written


def test_an_update_of_the_invoice_says_the_same_as_an_update_of_its_payment(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    hold_back(connection)
    connection.organisation.pay(rillet_id, "1.00")

    send_document(stack, connection, document_of(connection, rillet_id), happened="UPDATED")

    assert state(connection) == PARTLY


@pytest.mark.parametrize(("entity", "happened"), [("invoice", "payment-updated"), (" Invoice ", "updated")])
def test_names_are_read_in_any_spelling(
    stack: LocalStack, connection: Connection, entity: str, happened: str
) -> None:
    rillet_id = exported(stack, connection)
    hold_back(connection)
    connection.organisation.pay(rillet_id)
    shown = document_of(connection, rillet_id)

    assert send_document(stack, connection, shown, entity=entity, happened=happened) == 200

    assert state(connection) == PAID


def test_an_overpaid_invoice_is_paid(stack: LocalStack, connection: Connection) -> None:
    connection.organisation.switches.set(overpayment="accept")
    rillet_id = exported(stack, connection)

    connection.organisation.pay(rillet_id, "500.00")
    settle(stack, connection)

    assert state(connection) == PAID


def test_an_older_update_never_overwrites_a_newer_one(stack: LocalStack, connection: Connection) -> None:
    rillet_id = exported(stack, connection)
    hold_back(connection)
    payment = connection.organisation.pay(rillet_id)
    connection.organisation.delete_payment(payment["id"])
    older, newer = events(connection)

    send(stack, connection, newer, older, older, newer)

    assert state(connection) == OPEN
    assert patches(stack) == []
    no_trouble(stack)


def test_times_in_different_forms_are_compared_as_moments(stack: LocalStack, connection: Connection) -> None:
    rillet_id = exported(stack, connection)
    hold_back(connection)
    paid = {"status": "PAID", "amount_due": {"amount": "0.00", "currency": "EUR"}}
    unpaid = document_of(connection, rillet_id, updated_at="2026-11-03T12:00:00+02:00")
    newer = document_of(connection, rillet_id, updated_at="2026-11-03T10:30:00Z", **paid)
    unreadable = document_of(connection, rillet_id, updated_at="yesterday")

    for shown in (newer, unpaid, unreadable, document_of(connection, rillet_id, updated_at="2026-11-03")):
        send_document(stack, connection, shown)

    assert state(connection) == PAID
    no_trouble(stack)


def test_an_invoice_that_is_not_ours_is_ignored(stack: LocalStack, connection: Connection) -> None:
    ours = exported(stack, connection)
    template = document_of(connection, ours)
    body = next(
        c.request_body for c in stack.rillet.state.calls if (c.method, c.path) == ("POST", "/invoices")
    )
    theirs = booked_by_hand(stack, connection, {**body, "external_references": []})
    ledger, calls = stack.ledger(), rillet_calls(stack)

    connection.organisation.pay(theirs["id"])
    answers = settle(stack, connection)
    stranger = {**template, "id": "0b9c6f0e-5f0c-4c36-8d4c-4f2f6f2a7c11", "external_references": []}
    send_document(stack, connection, stranger)

    assert set(answers) == {200}
    assert patches(stack) == []
    assert rillet_calls(stack) == calls
    assert stack.ledger() == ledger
    no_trouble(stack)


def test_an_invoice_that_only_claims_to_be_ours_is_ignored(stack: LocalStack, connection: Connection) -> None:
    """Its reference names our invoice, but another Rillet invoice belongs to that."""
    ours = exported(stack, connection)
    shown = document_of(
        connection, ours, id="0b9c6f0e-5f0c-4c36-8d4c-4f2f6f2a7c11", status="PAID", updated_at="2030-01-01"
    )

    send_document(stack, connection, shown)

    assert state(connection) == OPEN
    assert patches(stack) == []


def test_the_id_is_found_by_the_references_where_the_link_is_lost(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    table = stack.deployment.outputs["LedgerTableName"]
    key = {"pk": {"S": f"default#link-rillet-invoice#{rillet_id}"}, "sk": {"S": "RECORD"}}
    stack.aws.dynamodb.delete_item(TableName=table, Key=key)

    connection.organisation.pay(rillet_id)
    settle(stack, connection)

    assert state(connection) == PAID


def test_the_id_is_found_by_the_ledger_where_somebody_took_the_references_away(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    connection.organisation.edit_invoice_by_hand(rillet_id, external_references=[])

    connection.organisation.pay(rillet_id)
    settle(stack, connection)

    assert state(connection) == PAID


def test_a_body_in_the_shape_of_a_payment_asks_rillet_once(stack: LocalStack, connection: Connection) -> None:
    rillet_id = exported(stack, connection)
    hold_back(connection)
    payment = connection.organisation.pay(rillet_id, "1.00")
    before = rillet_calls(stack)

    status = send_document(stack, connection, payment)

    assert status == 200
    assert state(connection) == PARTLY
    assert rillet_calls(stack) - before == 1


def test_the_echo_of_our_own_change_does_nothing(stack: LocalStack, connection: Connection) -> None:
    connection.organisation.pay(exported(stack, connection))
    connection.organisation.deliver_webhooks()
    stack.deliver(FUNCTION)
    calls, written, ledger = rillet_calls(stack), len(patches(stack)), stack.ledger()

    echoes = stack.settle()

    assert {each.status for each in connection.platform.deliver_webhooks()} == set()
    assert state(connection) == PAID
    assert rillet_calls(stack) == calls
    assert len(patches(stack)) == written
    assert stack.ledger() == ledger
    assert all(delivery.error is None for delivery in echoes)


def test_two_invoices_are_marked_each_by_its_own(stack: LocalStack, connection: Connection) -> None:
    first = exported(stack, connection)
    load(connection, document(SECOND, "50.00", "10.50"))
    stack.settle()

    connection.organisation.pay(first, "1.00")
    connection.organisation.pay(item(stack, "invoice", SECOND)["rillet_id"])
    settle(stack, connection)

    assert (state(connection), state(connection, SECOND)) == (PARTLY, PAID)


def test_a_payment_that_comes_before_the_export_is_finished_waits_for_it(
    stack: LocalStack, connection: Connection
) -> None:
    stack.rillet.state.misbehave("commit_then_drop")
    load(connection, document(ORIGINAL, "100.00", "21.00"))
    stack.settle()
    [shown] = connection.organisation.invoices.documents()
    connection.organisation.pay(shown["id"])

    settle(stack, connection)
    meanwhile = (item(stack, "invoice")["state"], state(connection), waiting(stack))
    for _ in range(4):
        stack.advance(120)
        settle(stack, connection)

    assert meanwhile == ("sending", OPEN, meanwhile[2])
    assert meanwhile[2] >= 1
    assert item(stack, "invoice")["state"] == "exported"
    assert state(connection) == PAID
    no_trouble(stack)


def test_the_workflow_can_be_switched_off(stack: LocalStack, connection: Connection) -> None:
    rillet_id = exported(stack, connection)
    configure(stack, connection, workflows={"mark_invoice_paid": False})

    connection.organisation.pay(rillet_id)
    settle(stack, connection)
    off = (state(connection), patches(stack), item(stack))
    configure(stack, connection)
    on = mark(stack)

    assert off[:2] == (OPEN, [])
    assert off[2]["state"] == "skipped"
    assert "switched off" in off[2]["reason"]
    assert on[0]["outcome"] == "marked"
    assert state(connection) == PAID
    assert "reason" not in item(stack)


def test_an_event_whose_id_is_no_id_is_acknowledged_and_holds_nothing_up(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    connection.organisation.pay(rillet_id)

    status = post(stack, connection, b'{"id": "../../etc"}')
    settle(stack, connection)

    assert status == 200
    assert state(connection) == PAID
    no_trouble(stack)
