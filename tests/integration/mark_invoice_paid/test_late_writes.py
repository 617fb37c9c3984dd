"""A PATCH whose answer was lost arrives after a newer one; and states of the same moment in any order."""

import pytest

from local.fake_rillet.wire import encode
from local.system import LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.mark_invoice_paid.support import FUNCTION, OPEN, PAID, Invoice
from tests.integration.reconcile.support import reconcile
from tests.support.arrange import answer_lost, patched
from tests.support.builders import ORIGINAL

PATCH = (SolvimonClient, "update")


def pass_time(system: LocalSystem, seconds: float) -> None:
    """Let time pass and work go on."""
    system.advance(seconds)
    system.settle()


@pytest.mark.parametrize("ends", ["answer is lost", "process dies"])
def test_a_patch_that_arrives_late_does_not_leave_the_old_payment_state_in_solvimon(
    invoice: Invoice, ends: str
) -> None:
    system = invoice.system
    paid, deleted = invoice.pay_and_undo()
    with answer_lost(*PATCH) as arrive:
        if ends == "process dies":
            with patched(Ledger, "release"):
                invoice.send(paid)
        else:
            invoice.send(paid)
    invoice.send(deleted)

    pass_time(system, LEASE_SECONDS + 1)
    between = invoice.state, invoice.record()["state"], invoice.waiting > 0
    arrive()
    late = invoice.state
    pass_time(system, SETTLE_SECONDS)

    assert between == (OPEN, "sending", True)
    assert late == PAID
    assert invoice.state == OPEN
    assert invoice.record()["payment_status"] == "UNPAID"
    invoice.no_trouble()


def test_a_patch_that_arrives_a_day_late_is_found_by_the_reconciliation_and_repaired(
    invoice: Invoice,
) -> None:
    system = invoice.system
    paid, deleted = invoice.pay_and_undo()
    with answer_lost(*PATCH) as arrive:
        invoice.send(paid)
    invoice.send(deleted)
    pass_time(system, LEASE_SECONDS + 1)
    pass_time(system, SETTLE_SECONDS)
    pass_time(system, 25 * 3600)
    arrive()

    found = reconcile(system, invoice.connection, redrive=True)
    system.settle()

    assert [one["kind"] for one in found["findings"] if one["solvimon_id"] == ORIGINAL] == ["payment_differs"]
    assert invoice.state == OPEN


def test_a_payment_that_solvimon_collected_is_no_late_write_and_stays(invoice: Invoice) -> None:
    system = invoice.system
    invoice.hold_back()
    invoice.pay("21.00", deliver=False)
    with answer_lost(*PATCH):
        invoice.send(*invoice.events())
    pass_time(system, LEASE_SECONDS + 1)
    pass_time(system, SETTLE_SECONDS)
    invoice.platform.records["invoices"][ORIGINAL] |= {"paid": True, "payment_status": "PAID"}

    invoice.send(*invoice.events())

    assert invoice.state == PAID
    invoice.no_trouble()


def test_two_states_of_the_same_moment_in_reverse_order_end_with_rillets(invoice: Invoice) -> None:
    invoice.hold_back()
    invoice.pay("21.00", deliver=False)
    older = invoice.shown()
    invoice.pay(deliver=False)
    newer = invoice.shown(updated_at=older["updated_at"])

    invoice.send_document(newer)
    calls = invoice.rillet_calls
    invoice.send_document(older)

    assert invoice.state == PAID
    assert invoice.rillet_calls == calls + 1, "Rillet was asked"
    invoice.no_trouble()


def test_two_states_of_the_same_moment_in_order_end_with_the_second(invoice: Invoice) -> None:
    invoice.hold_back()
    payment = invoice.pay(deliver=False)
    older = invoice.shown()
    invoice.change_payment(payment["id"], deliver=False)
    newer = invoice.shown(updated_at=older["updated_at"])

    invoice.send_document(older)
    first = invoice.state
    invoice.send_document(newer)

    assert (first, invoice.state) == (PAID, OPEN)


def test_the_same_state_of_the_same_moment_twice_costs_no_call(invoice: Invoice) -> None:
    invoice.hold_back()
    invoice.pay(deliver=False)
    shown = invoice.shown()
    invoice.send_document(shown)
    calls = invoice.rillet_calls

    invoice.send_document(shown)

    assert invoice.rillet_calls == calls
    assert len(invoice.patches) == 1


def test_a_state_whose_moment_cannot_be_read_is_asked_for_instead_of_dropped(invoice: Invoice) -> None:
    invoice.hold_back()
    payment = invoice.pay(deliver=False)
    invoice.send_document(invoice.shown())
    invoice.change_payment(payment["id"], deliver=False)

    invoice.send_document(invoice.shown(updated_at="yesterday"))

    assert invoice.state == OPEN


def test_two_totals_of_a_memo_of_the_same_moment_in_reverse_order_end_with_rillets(invoice: Invoice) -> None:
    invoice.credit()
    invoice.hold_back()
    right = dict(invoice.memo)
    wrong = {**right, "total": {"amount": "70.00", "currency": "EUR"}}
    invoice.post(encode(right), "CREDIT_MEMO", "UPDATED")
    invoice.system.deliver(FUNCTION)

    invoice.post(encode(wrong), "CREDIT_MEMO", "UPDATED")
    invoice.system.deliver(FUNCTION)

    assert invoice.verdict("credit_memo") == ("exported", None)
