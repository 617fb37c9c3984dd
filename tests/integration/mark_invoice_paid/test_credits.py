"""A credit is not a payment, whoever made it and however Rillet names the mixture."""

import pytest
import requests

from tests.integration.mark_invoice_paid.support import OPEN, PAID, PARTLY, Invoice
from tests.support.arrange import booked_by_hand

WHOLE = ("-100.00", "-21.00")


def credit_by_hand(invoice: Invoice, amount: str) -> None:
    """Credit the invoice in Rillet itself."""
    shown, money = invoice.document, {"amount": amount, "currency": "EUR"}
    price = {"product_id": shown["items"][0]["product_id"], "quantity": 1, "amount_per_unit": money}
    body = {
        "customer_id": shown["customer_id"],
        "subsidiary_id": shown["subsidiary_id"],
        "credit_memo_date": "2026-02-02",
        "items": [{"description": "by hand", "price": price}],
    }
    memo = booked_by_hand(invoice.system, invoice.connection, body, "/credit-memos")
    application = {"invoice_id": invoice.rillet_id, "amount": money, "application_date": "2026-02-02"}
    path = f"/credit-memos/{memo['id']}/applications"
    booked_by_hand(invoice.system, invoice.connection, {"applications": [application]}, path)
    invoice.settle()


def test_a_credit_that_empties_the_invoice_is_not_a_payment(invoice: Invoice) -> None:
    invoice.credit(*WHOLE)

    assert invoice.document["status"] == "CREDITED"
    assert invoice.state == OPEN
    assert invoice.patches == []
    invoice.no_trouble()


PAID_FIRST: list[tuple[str, str | None]] = [("pay", "60.50"), ("credit", None)]
ACTS: dict[str, tuple[list[tuple[str, str | None]], list[tuple[bool, str]]]] = {
    "half paid, then half credited by us": (PAID_FIRST, [PARTLY, PAID]),
    "half credited by us, then half paid": (PAID_FIRST[::-1], [OPEN, PAID]),
    "half credited by hand, then paid in two parts": (
        [("credit by hand", "60.50"), ("pay", "10.00"), ("pay", "50.50")],
        [OPEN, PARTLY, PAID],
    ),
}


@pytest.mark.parametrize("mixed", ["payment", "credit"])
@pytest.mark.parametrize("acts", ACTS)
def test_a_credit_and_payments_together_pay_the_invoice(invoice: Invoice, mixed: str, acts: str) -> None:
    invoice.organisation.switches.set(mixed_status=mixed)
    steps, expected = ACTS[acts]
    seen = []
    for step, amount in steps:
        if step == "pay":
            invoice.pay(amount)
        elif step == "credit":
            invoice.credit()
        else:
            credit_by_hand(invoice, str(amount))
        seen.append(invoice.state)

    assert seen == expected
    invoice.no_trouble()


def test_credits_of_ours_and_by_hand_together_are_still_no_payment(invoice: Invoice) -> None:
    invoice.credit()
    credit_by_hand(invoice, "60.50")

    assert invoice.document["amount_due"]["amount"] == "0.00"
    assert invoice.state == OPEN
    assert invoice.patches == []


def test_an_invoice_is_paid_after_its_credit_was_taken_back_in_rillet(invoice: Invoice) -> None:
    invoice.credit(*WHOLE)
    headers = {"Authorization": f"Bearer {invoice.connection.rillet_api_key}", "X-Rillet-API-Version": "4"}
    path = f"/credit-memos/{invoice.memo['id']}/applications"
    assert requests.delete(invoice.system.rillet.url + path, headers=headers, timeout=5).ok
    invoice.settle()

    invoice.pay()

    assert invoice.state == PAID


def test_a_failed_payment_beside_a_credit_does_not_count(invoice: Invoice) -> None:
    invoice.credit()
    payment = invoice.pay()
    paid = invoice.state

    invoice.change_payment(payment["id"], "fail_payment")

    assert (paid, invoice.state) == (PAID, OPEN)


def test_rillet_is_asked_for_payments_only_where_a_credit_plays_a_part(invoice: Invoice) -> None:
    calls = invoice.rillet_calls
    invoice.pay("1.00")
    without = invoice.rillet_calls - calls
    invoice.credit()
    calls = invoice.rillet_calls

    invoice.pay("1.00")

    assert (without, invoice.rillet_calls - calls) == (0, 1)
    assert invoice.state == PARTLY
