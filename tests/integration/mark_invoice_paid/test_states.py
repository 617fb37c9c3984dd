"""The payment state that follows from what Rillet says, for every status and amount."""

from decimal import Decimal

import pytest

from solvimon_rillet.mapping.payments import (
    PAID,
    PARTIALLY_PAID,
    UNPAID,
    PaymentState,
    RilletBalance,
    to_solvimon_payment_state,
)

STATUSES = ("UNPAID", "PAID", "PARTIALLY_PAID", "UNBILLED", "CREDITED", "PARTIALLY_CREDITED", "", "LATER")
CREDITS = ("CREDITED", "PARTIALLY_CREDITED")


def of(status: str, due: str, received: str | None = None, total: str = "121.00") -> PaymentState:
    """The state of an invoice of 121.00 with so much due."""
    paid = None if received is None else Decimal(received)
    return to_solvimon_payment_state(RilletBalance(status, Decimal(total), Decimal(due), paid))


@pytest.mark.parametrize("status", [s for s in STATUSES if s not in CREDITS])
@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("121.00", UNPAID),
        ("120.99", PARTIALLY_PAID),
        ("0.01", PARTIALLY_PAID),
        ("0.00", PAID),
        ("-0.01", PAID),
        ("-121.00", PAID),
        ("121.01", UNPAID),
    ],
)
def test_the_amount_due_decides_whatever_the_status_is(status: str, due: str, expected: PaymentState) -> None:
    assert of(status, due) == expected


@pytest.mark.parametrize("status", CREDITS)
@pytest.mark.parametrize("due", ["121.00", "60.00", "0.00", "-1.00"])
def test_a_credit_without_a_known_payment_is_not_a_payment(status: str, due: str) -> None:
    assert of(status, due) == of(status, due, "0") == UNPAID


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    ("due", "received", "expected"),
    [
        ("0.00", "0", UNPAID),
        ("0.00", "0.01", PAID),
        ("0.00", "121.00", PAID),
        ("50.00", "21.00", PARTIALLY_PAID),
        ("50.00", "0", UNPAID),
        ("-9.00", "130.00", PAID),
    ],
)
def test_known_payments_decide_together_with_what_is_due(
    status: str, due: str, received: str, expected: PaymentState
) -> None:
    assert of(status, due, received) == expected


@pytest.mark.parametrize(
    ("status", "expected"), [("PAID", PAID), ("UNPAID", UNPAID), ("UNBILLED", UNPAID), ("CREDITED", UNPAID)]
)
def test_an_invoice_of_nothing_is_paid_if_rillet_says_so(status: str, expected: PaymentState) -> None:
    assert of(status, "0.00", total="0.00") == expected


@pytest.mark.parametrize(
    ("payment_state", "paid", "status"),
    [(UNPAID, False, "UNPAID"), (PARTIALLY_PAID, False, "PARTIALLY_PAID"), (PAID, True, "PAID")],
)
def test_a_state_is_both_fields_of_solvimon(payment_state: PaymentState, paid: bool, status: str) -> None:
    assert payment_state.as_payload() == {"paid": paid, "payment_status": status}
