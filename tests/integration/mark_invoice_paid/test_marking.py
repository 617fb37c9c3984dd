"""A payment confirmed in Rillet marks the Solvimon invoice; one deleted or failed there opens it again."""

from collections.abc import Callable

import pytest

from tests.integration.mark_invoice_paid.support import FUNCTION, OPEN, PAID, PARTLY, Invoice, state
from tests.support.arrange import booked_by_hand, configure, ledger_table, load
from tests.support.assertions import invoice_posts
from tests.support.builders import ORIGINAL, SECOND, document


def test_a_full_payment_marks_the_invoice_paid_with_one_change_and_no_rillet_call(invoice: Invoice) -> None:
    before, written = invoice.rillet_calls, len(invoice.patches)

    invoice.pay(deliver=False)
    answers = invoice.settle()

    assert answers == [200]
    assert invoice.state == PAID
    assert invoice.patches[written:] == [{"paid": True, "payment_status": "PAID"}]
    assert invoice.rillet_calls == before
    assert invoice.record()["payment_status"] == "PAID"
    assert invoice.record("invoice")["open_amount"] == "0.00"
    invoice.no_trouble()


def test_parts_of_a_payment_mark_it_partly_paid_once_and_then_paid(invoice: Invoice) -> None:
    states = []
    for amount in ("20.00", "0.99", None):
        invoice.pay(amount)
        states.append(invoice.state)

    assert states == [PARTLY, PARTLY, PAID]
    assert [body["payment_status"] for body in invoice.patches] == ["PARTIALLY_PAID", "PAID"]


def test_an_uncleared_payment_counts_and_its_deletion_opens_the_invoice_again(invoice: Invoice) -> None:
    payment = invoice.pay(cleared=False)
    before = invoice.state

    invoice.change_payment(payment["id"])

    assert (before, invoice.state) == (PAID, OPEN)
    assert invoice.platform.invoice(ORIGINAL)["paid_invoice_amount"]["quantity"] == "0.00"


def test_a_payment_that_fails_does_not_count(invoice: Invoice) -> None:
    part = invoice.pay("21.00", deliver=False)
    rest = invoice.pay(cleared=False)
    seen = [invoice.state]

    for payment in (rest, part):
        invoice.change_payment(payment["id"], "fail_payment")
        seen.append(invoice.state)

    assert seen == [PAID, PARTLY, OPEN]


def test_clearing_a_payment_changes_nothing_in_solvimon(invoice: Invoice) -> None:
    payment = invoice.pay(cleared=False)
    written = len(invoice.patches)

    invoice.change_payment(payment["id"], "clear_payment")

    assert invoice.state == PAID
    assert len(invoice.patches) == written


def test_an_update_of_the_invoice_counts_like_an_update_of_its_payment(invoice: Invoice) -> None:
    invoice.hold_back()
    invoice.pay("1.00", deliver=False)

    invoice.send_document(invoice.shown(), happened="UPDATED")

    assert invoice.state == PARTLY


@pytest.mark.parametrize(("entity", "happened"), [("invoice", "payment-updated"), (" Invoice ", "updated")])
def test_names_are_read_in_any_spelling(invoice: Invoice, entity: str, happened: str) -> None:
    invoice.hold_back()
    invoice.pay(deliver=False)
    shown = invoice.shown()

    assert invoice.send_document(shown, entity=entity, happened=happened) == 200

    assert invoice.state == PAID


def test_an_older_update_never_overwrites_a_newer_one(invoice: Invoice) -> None:
    older, newer = invoice.pay_and_undo()

    invoice.send(newer, older, older, newer)

    assert invoice.state == OPEN
    assert invoice.patches == []
    invoice.no_trouble()


def test_times_in_different_forms_are_compared_as_moments(invoice: Invoice) -> None:
    invoice.hold_back()
    paid = {"status": "PAID", "amount_due": {"amount": "0.00", "currency": "EUR"}}
    unpaid = invoice.shown(updated_at="2099-11-03T12:00:00+02:00")
    newer = invoice.shown(updated_at="2099-11-03T10:30:00Z", **paid)
    unreadable = invoice.shown(updated_at="yesterday")

    for shown in (newer, unpaid, unreadable, invoice.shown(updated_at="2099-11-03")):
        invoice.send_document(shown)

    assert invoice.state == PAID
    invoice.no_trouble()


def test_an_invoice_that_is_not_ours_is_ignored(invoice: Invoice) -> None:
    template = invoice.shown()
    [call] = invoice_posts(invoice.system)
    body = {**call.request_body, "external_references": []}
    theirs = booked_by_hand(invoice.system, invoice.connection, body)
    ledger, calls = invoice.system.ledger(), invoice.rillet_calls

    invoice.organisation.pay(theirs["id"])
    answers = invoice.settle()
    theirs_shown = {**template, "id": "0b9c6f0e-5f0c-4c36-8d4c-4f2f6f2a7c11", "external_references": []}
    invoice.send_document(theirs_shown)

    assert set(answers) == {200}
    assert invoice.patches == []
    assert invoice.rillet_calls == calls
    assert invoice.system.ledger() == ledger
    invoice.no_trouble()


def test_an_invoice_that_only_claims_to_be_ours_is_ignored(invoice: Invoice) -> None:
    """Its reference names our invoice, but another Rillet invoice belongs to that."""
    shown = invoice.shown(id="0b9c6f0e-5f0c-4c36-8d4c-4f2f6f2a7c11", status="PAID", updated_at="2030-01-01")

    invoice.send_document(shown)

    assert invoice.state == OPEN
    assert invoice.patches == []


def lose_link(invoice: Invoice) -> None:
    ledger_table(invoice.system).pop(f"default#link-rillet-invoice#{invoice.rillet_id}")


OBSTACLES: dict[str, tuple[Callable[[Invoice], object], str]] = {
    "it is overpaid": (lambda invoice: invoice.organisation.switches.set(overpayment="accept"), "500.00"),
    "the ledger's link is lost": (lose_link, "121.00"),
    "its references are removed": (
        lambda invoice: invoice.edit(external_references=[], deliver=False),
        "121.00",
    ),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_a_payment_marks_the_invoice_paid_even_if(invoice: Invoice, obstacle: str) -> None:
    arrange, amount = OBSTACLES[obstacle]
    arrange(invoice)

    invoice.pay(amount)

    assert invoice.state == PAID


def test_a_body_in_the_shape_of_a_payment_asks_rillet_once(invoice: Invoice) -> None:
    invoice.hold_back()
    payment = invoice.pay("1.00", deliver=False)
    before = invoice.rillet_calls

    status = invoice.send_document(payment)

    assert status == 200
    assert invoice.state == PARTLY
    assert invoice.rillet_calls - before == 1


def test_the_echo_of_our_own_change_does_nothing(invoice: Invoice) -> None:
    invoice.pay(deliver=False)
    invoice.organisation.deliver_webhooks()
    invoice.system.deliver(FUNCTION)
    calls, written, ledger = invoice.rillet_calls, len(invoice.patches), invoice.system.ledger()

    echoes = invoice.system.settle()

    assert {each.status for each in invoice.platform.deliver_webhooks()} == set()
    assert invoice.state == PAID
    assert invoice.rillet_calls == calls
    assert len(invoice.patches) == written
    assert invoice.system.ledger() == ledger
    assert all(delivery.error is None for delivery in echoes)


def test_two_invoices_are_marked_each_by_its_own(invoice: Invoice) -> None:
    load(invoice.connection, document(SECOND, "50.00", "10.50"))
    invoice.system.settle()

    invoice.pay("1.00", deliver=False)
    invoice.organisation.pay(invoice.record("invoice", SECOND)["rillet_id"])
    invoice.settle()

    assert (invoice.state, state(invoice.connection, SECOND)) == (PARTLY, PAID)


def test_a_payment_that_comes_before_the_export_is_finished_waits_for_it(unconfirmed: Invoice) -> None:
    unconfirmed.pay()
    meanwhile = unconfirmed.record("invoice")["state"], unconfirmed.state
    waiting = unconfirmed.waiting

    unconfirmed.settle_slowly()

    assert meanwhile == ("sending", OPEN)
    assert waiting >= 1
    assert unconfirmed.record("invoice")["state"] == "exported"
    assert unconfirmed.state == PAID
    unconfirmed.no_trouble()


def test_the_workflow_can_be_switched_off(invoice: Invoice) -> None:
    configure(invoice.system, invoice.connection, workflows={"mark_invoice_paid": False})

    invoice.pay()
    off = (invoice.state, invoice.patches, invoice.record())
    configure(invoice.system, invoice.connection)
    on = invoice.mark()

    assert off[:2] == (OPEN, [])
    assert off[2]["state"] == "skipped"
    assert "switched off" in off[2]["reason"]
    assert on["outcome"] == "marked"
    assert invoice.state == PAID
    assert "reason" not in invoice.record()


def test_an_event_whose_id_is_no_id_is_acknowledged_and_holds_nothing_up(invoice: Invoice) -> None:
    invoice.pay(deliver=False)

    status = invoice.post(b'{"id": "../../etc"}')
    invoice.settle()

    assert status == 200
    assert invoice.state == PAID
    invoice.no_trouble()
