"""A payment confirmed in Rillet marks the Solvimon invoice; one undone there opens it again."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import (
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
from tests.support.arrange import booked_by_hand, configure, load
from tests.support.builders import ORIGINAL, SECOND, document


def test_a_full_payment_marks_the_invoice_paid_with_one_change_and_no_call_to_rillet(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    before, written = rillet_calls(system), len(patches(system))

    connection.organisation.pay(rillet_id)
    answers = settle(system, connection)

    assert answers == [200]
    assert state(connection) == PAID
    assert patches(system)[written:] == [{"paid": True, "payment_status": "PAID"}]
    assert rillet_calls(system) == before
    assert item(system)["payment_status"] == "PAID"
    assert item(system, "invoice")["open_amount"] == "0.00"
    no_trouble(system)


def test_parts_of_a_payment_mark_it_partly_paid_once_and_then_paid(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    states = []
    for amount in ("20.00", "0.99", None):
        connection.organisation.pay(rillet_id, amount)
        settle(system, connection)
        states.append(state(connection))

    assert states == [PARTLY, PARTLY, PAID]
    assert [body["payment_status"] for body in patches(system)] == ["PARTIALLY_PAID", "PAID"]


def test_an_uncleared_payment_counts_and_its_undoing_opens_the_invoice_again(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    payment = connection.organisation.pay(rillet_id, cleared=False)
    settle(system, connection)
    before = state(connection)

    connection.organisation.delete_payment(payment["id"])
    settle(system, connection)

    assert (before, state(connection)) == (PAID, OPEN)
    assert connection.platform.invoice(ORIGINAL)["paid_invoice_amount"]["quantity"] == "0.00"


def test_a_payment_that_fails_does_not_count(system: LocalSystem, connection: Connection) -> None:
    rillet_id = exported(system, connection)
    part = connection.organisation.pay(rillet_id, "21.00")
    rest = connection.organisation.pay(rillet_id, cleared=False)
    settle(system, connection)
    seen = [state(connection)]

    for payment in (rest, part):
        connection.organisation.fail_payment(payment["id"])
        settle(system, connection)
        seen.append(state(connection))

    assert seen == [PAID, PARTLY, OPEN]


def test_clearing_a_payment_changes_nothing_in_solvimon(system: LocalSystem, connection: Connection) -> None:
    payment = connection.organisation.pay(exported(system, connection), cleared=False)
    settle(system, connection)
    written = len(patches(system))

    connection.organisation.clear_payment(payment["id"])
    settle(system, connection)

    assert state(connection) == PAID
    assert len(patches(system)) == written


def test_an_update_of_the_invoice_says_the_same_as_an_update_of_its_payment(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    connection.organisation.pay(rillet_id, "1.00")

    send_document(system, connection, document_of(connection, rillet_id), happened="UPDATED")

    assert state(connection) == PARTLY


@pytest.mark.parametrize(("entity", "happened"), [("invoice", "payment-updated"), (" Invoice ", "updated")])
def test_names_are_read_in_any_spelling(
    system: LocalSystem, connection: Connection, entity: str, happened: str
) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    connection.organisation.pay(rillet_id)
    shown = document_of(connection, rillet_id)

    assert send_document(system, connection, shown, entity=entity, happened=happened) == 200

    assert state(connection) == PAID


def test_an_overpaid_invoice_is_paid(system: LocalSystem, connection: Connection) -> None:
    connection.organisation.switches.set(overpayment="accept")
    rillet_id = exported(system, connection)

    connection.organisation.pay(rillet_id, "500.00")
    settle(system, connection)

    assert state(connection) == PAID


def test_an_older_update_never_overwrites_a_newer_one(system: LocalSystem, connection: Connection) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    payment = connection.organisation.pay(rillet_id)
    connection.organisation.delete_payment(payment["id"])
    older, newer = events(connection)

    send(system, connection, newer, older, older, newer)

    assert state(connection) == OPEN
    assert patches(system) == []
    no_trouble(system)


def test_times_in_different_forms_are_compared_as_moments(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    paid = {"status": "PAID", "amount_due": {"amount": "0.00", "currency": "EUR"}}
    unpaid = document_of(connection, rillet_id, updated_at="2026-11-03T12:00:00+02:00")
    newer = document_of(connection, rillet_id, updated_at="2026-11-03T10:30:00Z", **paid)
    unreadable = document_of(connection, rillet_id, updated_at="yesterday")

    for shown in (newer, unpaid, unreadable, document_of(connection, rillet_id, updated_at="2026-11-03")):
        send_document(system, connection, shown)

    assert state(connection) == PAID
    no_trouble(system)


def test_an_invoice_that_is_not_ours_is_ignored(system: LocalSystem, connection: Connection) -> None:
    ours = exported(system, connection)
    template = document_of(connection, ours)
    body = next(
        c.request_body for c in system.rillet.state.calls if (c.method, c.path) == ("POST", "/invoices")
    )
    theirs = booked_by_hand(system, connection, {**body, "external_references": []})
    ledger, calls = system.ledger(), rillet_calls(system)

    connection.organisation.pay(theirs["id"])
    answers = settle(system, connection)
    stranger = {**template, "id": "0b9c6f0e-5f0c-4c36-8d4c-4f2f6f2a7c11", "external_references": []}
    send_document(system, connection, stranger)

    assert set(answers) == {200}
    assert patches(system) == []
    assert rillet_calls(system) == calls
    assert system.ledger() == ledger
    no_trouble(system)


def test_an_invoice_that_only_claims_to_be_ours_is_ignored(
    system: LocalSystem, connection: Connection
) -> None:
    """Its reference names our invoice, but another Rillet invoice belongs to that."""
    ours = exported(system, connection)
    shown = document_of(
        connection, ours, id="0b9c6f0e-5f0c-4c36-8d4c-4f2f6f2a7c11", status="PAID", updated_at="2030-01-01"
    )

    send_document(system, connection, shown)

    assert state(connection) == OPEN
    assert patches(system) == []


def test_the_id_is_found_by_the_references_where_the_link_is_lost(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    table = system.deployment.outputs["LedgerTableName"]
    key = {"pk": {"S": f"default#link-rillet-invoice#{rillet_id}"}, "sk": {"S": "RECORD"}}
    system.aws.dynamodb.delete_item(TableName=table, Key=key)

    connection.organisation.pay(rillet_id)
    settle(system, connection)

    assert state(connection) == PAID


def test_the_id_is_found_by_the_ledger_where_somebody_took_the_references_away(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    connection.organisation.edit_invoice(rillet_id, external_references=[])

    connection.organisation.pay(rillet_id)
    settle(system, connection)

    assert state(connection) == PAID


def test_a_body_in_the_shape_of_a_payment_asks_rillet_once(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    payment = connection.organisation.pay(rillet_id, "1.00")
    before = rillet_calls(system)

    status = send_document(system, connection, payment)

    assert status == 200
    assert state(connection) == PARTLY
    assert rillet_calls(system) - before == 1


def test_the_echo_of_our_own_change_does_nothing(system: LocalSystem, connection: Connection) -> None:
    connection.organisation.pay(exported(system, connection))
    connection.organisation.deliver_webhooks()
    system.deliver(FUNCTION)
    calls, written, ledger = rillet_calls(system), len(patches(system)), system.ledger()

    echoes = system.settle()

    assert {each.status for each in connection.platform.deliver_webhooks()} == set()
    assert state(connection) == PAID
    assert rillet_calls(system) == calls
    assert len(patches(system)) == written
    assert system.ledger() == ledger
    assert all(delivery.error is None for delivery in echoes)


def test_two_invoices_are_marked_each_by_its_own(system: LocalSystem, connection: Connection) -> None:
    first = exported(system, connection)
    load(connection, document(SECOND, "50.00", "10.50"))
    system.settle()

    connection.organisation.pay(first, "1.00")
    connection.organisation.pay(item(system, "invoice", SECOND)["rillet_id"])
    settle(system, connection)

    assert (state(connection), state(connection, SECOND)) == (PARTLY, PAID)


def test_a_payment_that_comes_before_the_export_is_finished_waits_for_it(
    system: LocalSystem, connection: Connection
) -> None:
    system.rillet.state.misbehave("commit_then_drop")
    load(connection, document(ORIGINAL, "100.00", "21.00"))
    system.settle()
    [shown] = connection.organisation.invoices.documents()
    connection.organisation.pay(shown["id"])

    settle(system, connection)
    meanwhile = (item(system, "invoice")["state"], state(connection), waiting(system))
    for _ in range(4):
        system.advance(120)
        settle(system, connection)

    assert meanwhile == ("sending", OPEN, meanwhile[2])
    assert meanwhile[2] >= 1
    assert item(system, "invoice")["state"] == "exported"
    assert state(connection) == PAID
    no_trouble(system)


def test_the_workflow_can_be_switched_off(system: LocalSystem, connection: Connection) -> None:
    rillet_id = exported(system, connection)
    configure(system, connection, workflows={"mark_invoice_paid": False})

    connection.organisation.pay(rillet_id)
    settle(system, connection)
    off = (state(connection), patches(system), item(system))
    configure(system, connection)
    on = mark(system)

    assert off[:2] == (OPEN, [])
    assert off[2]["state"] == "skipped"
    assert "switched off" in off[2]["reason"]
    assert on[0]["outcome"] == "marked"
    assert state(connection) == PAID
    assert "reason" not in item(system)


def test_an_event_whose_id_is_no_id_is_acknowledged_and_holds_nothing_up(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    connection.organisation.pay(rillet_id)

    status = post(system, connection, b'{"id": "../../etc"}')
    settle(system, connection)

    assert status == 200
    assert state(connection) == PAID
    no_trouble(system)
