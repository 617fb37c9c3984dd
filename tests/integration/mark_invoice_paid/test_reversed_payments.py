"""With ``record_each`` a payment that is undone in Rillet is reversed in Solvimon, or we say why not."""

import pytest

from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.mark_invoice_paid.support import FUNCTION, OPEN, PAID, PARTLY, Invoice
from tests.support.arrange import configure
from tests.support.builders import Json

pytestmark = pytest.mark.slow

REVERSE = "/v1/payments/*/reverse"
UNDO = ["delete_payment", "fail_payment"]


@pytest.fixture
def settings() -> Json:
    """The connection records each payment."""
    return {"payments": "record_each"}


def paid(invoice: Invoice, *amounts: str) -> list[str]:
    """An invoice with recorded payments; the answer is their Rillet ids."""
    ids = [invoice.pay(amount, deliver=False)["id"] for amount in amounts]
    invoice.settle()
    assert len(invoice.recorded) == len(amounts)
    return ids


def results(invoice: Invoice) -> list[str]:
    """How the payments in Solvimon ended, oldest first."""
    return [payment["result"] for payment in invoice.recorded]


def reversals(invoice: Invoice) -> int:
    return len(invoice.system.solvimon.state.calls.find("POST", REVERSE))


def refuse(invoice: Invoice, status: int, code: str) -> None:
    """Let Solvimon refuse the next reversal."""
    fault = {"status": status, "code": code}
    invoice.system.solvimon.state.misbehave("status", "POST", REVERSE, times=1, **fault)


@pytest.mark.parametrize("how", UNDO)
def test_a_payment_that_is_undone_is_reversed_and_the_state_follows(invoice: Invoice, how: str) -> None:
    first, second = paid(invoice, "21.00", "100.00")
    before = invoice.state

    invoice.change_payment(second, how)

    assert (before, invoice.state) == (PAID, PARTLY)
    ended = {payment["external_reference"]: payment["result"] for payment in invoice.recorded}
    assert ended == {first.replace("-", ""): "AUTHORIZED", second.replace("-", ""): "CANCELLED"}
    assert invoice.record()["recorded"] == [first.replace("-", "")]
    assert invoice.record()["warnings"] == []
    invoice.no_trouble()


@pytest.mark.parametrize("how", UNDO)
@pytest.mark.parametrize("settles", [True, False])
def test_the_last_payment_of_an_invoice_is_reversed(invoice: Invoice, how: str, settles: bool) -> None:
    invoice.platform.payments_settle = settles
    [payment] = paid(invoice, "121.00")

    invoice.change_payment(payment, how)

    assert invoice.state == OPEN
    assert results(invoice) == ["CANCELLED"]
    invoice.no_trouble()


@pytest.mark.parametrize("fault", ["commit_then_drop", "status_after", "malformed", "drop"])
def test_a_lost_answer_reverses_once(invoice: Invoice, fault: str) -> None:
    [payment] = paid(invoice, "121.00")
    invoice.system.solvimon.state.misbehave(fault, "POST", REVERSE, times=1)  # type: ignore[arg-type]

    invoice.change_payment(payment)
    invoice.system.advance(SETTLE_SECONDS)
    invoice.system.settle()

    assert results(invoice) == ["CANCELLED"]
    assert invoice.record()["recorded"] == []
    invoice.no_trouble()


def test_a_refused_reversal_is_a_warning_with_its_remedy_and_is_tried_again(invoice: Invoice) -> None:
    [payment] = paid(invoice, "121.00")
    refuse(invoice, 400, "INVALID_OPERATION")

    invoice.change_payment(payment)
    kept = invoice.record()
    again = invoice.mark()

    assert (kept["state"], kept["recorded"]) == ("marked", [payment.replace("-", "")])
    assert f"The payment {payment.replace('-', '')} is undone in Rillet" in kept["warnings"][0]
    assert "INVALID_OPERATION" in kept["warnings"][0]
    assert "by hand in Solvimon" in kept["warnings"][0]
    assert invoice.state == OPEN
    assert again["outcome"] == "marked"
    assert "warnings" not in again
    assert results(invoice) == ["CANCELLED"]
    invoice.no_trouble()


def test_the_answer_to_a_request_holds_the_warning(invoice: Invoice) -> None:
    [payment] = paid(invoice, "121.00")
    invoice.change_payment(payment, deliver=False)
    refuse(invoice, 400, "INVALID_OPERATION")

    result = invoice.mark()

    assert (result["outcome"], result["payment_status"]) == ("marked", "UNPAID")
    assert "still recorded in Solvimon" in result["warnings"][0]


@pytest.mark.parametrize("status", ["FAILURE", "ACTION_REQUIRED"])
def test_a_reversal_that_does_not_succeed_is_a_warning(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    [payment] = paid(invoice, "121.00")
    monkeypatch.setattr(
        type(invoice.platform), "reverse_payment", lambda *_: {"payment": {}, "status": status}
    )

    invoice.change_payment(payment)

    assert f"ended as {status}" in invoice.record()["warnings"][0]
    assert invoice.state == OPEN


def test_a_payment_that_a_provider_took_is_not_reversed_since_money_would_move(invoice: Invoice) -> None:
    [payment] = paid(invoice, "121.00")
    invoice.recorded[0]["payment_acceptor_id"] = "paca_1"

    invoice.change_payment(payment)

    assert (invoice.state, reversals(invoice)) == (OPEN, 0)
    assert "would move money" in invoice.record()["warnings"][0]


def test_a_payment_that_somebody_reversed_by_hand_is_left_at_that(invoice: Invoice) -> None:
    [payment] = paid(invoice, "121.00")
    invoice.platform.reverse_payment(invoice.recorded[0])

    invoice.change_payment(payment)

    assert reversals(invoice) == 0
    assert (invoice.record()["recorded"], invoice.record()["warnings"]) == ([], [])


@pytest.mark.parametrize("unique", [True, False])
def test_a_failed_payment_that_succeeds_is_recorded_again_if_possible(invoice: Invoice, unique: bool) -> None:
    invoice.platform.payment_references_unique = unique
    [payment] = paid(invoice, "121.00")
    invoice.change_payment(payment, "fail_payment")

    invoice.change_payment(payment, "clear_payment")

    assert results(invoice) == (["CANCELLED"] if unique else ["CANCELLED", "AUTHORIZED"])
    assert invoice.state == PAID
    invoice.no_trouble()


def test_a_payment_that_is_no_longer_cleared_stays_recorded(invoice: Invoice) -> None:
    [payment] = paid(invoice, "121.00")

    invoice.change_payment(payment, "unclear_payment")

    assert results(invoice) == ["AUTHORIZED"]
    assert (invoice.state, reversals(invoice)) == (PAID, 0)


def test_where_only_the_state_is_written_nothing_is_reversed(invoice: Invoice) -> None:
    [payment] = paid(invoice, "121.00")
    configure(invoice.system, invoice.connection, payments="state")

    invoice.change_payment(payment)

    assert (invoice.state, reversals(invoice)) == (OPEN, 0)


def test_a_key_that_may_not_reverse_lets_the_reversal_wait_and_the_state_follows(invoice: Invoice) -> None:
    [payment] = paid(invoice, "121.00")
    refuse(invoice, 403, "FORBIDDEN")

    invoice.change_payment(payment)
    during = invoice.state, results(invoice)
    invoice.system.advance(900)
    invoice.system.deliver(FUNCTION)

    assert during == (OPEN, ["AUTHORIZED"])
    assert results(invoice) == ["CANCELLED"]
    assert invoice.record()["recorded"] == []
