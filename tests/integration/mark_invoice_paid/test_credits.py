"""A credit is not a payment, whoever made it and however Rillet names the mixture."""

import pytest
import requests

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import (
    OPEN,
    PAID,
    PARTLY,
    exported,
    item,
    no_trouble,
    patches,
    rillet_calls,
    settle,
    state,
)
from tests.support.arrange import booked_by_hand, load
from tests.support.assertions import memos
from tests.support.builders import NOTE, ORIGINAL, credit_note

Amounts = tuple[str, str]
HALF: Amounts = ("-50.00", "-10.50")
WHOLE: Amounts = ("-100.00", "-21.00")


def credit(system: LocalSystem, connection: Connection, amounts: Amounts) -> None:
    """Credit the invoice in Solvimon; our credit memo follows in Rillet."""
    load(connection, credit_note(NOTE, *amounts))
    system.settle()
    settle(system, connection)
    assert item(system, "credit_memo", NOTE)["state"] == "exported"


def credit_by_hand(system: LocalSystem, connection: Connection, rillet_id: str, amount: str) -> str:
    """Credit the invoice in Rillet itself; the answer is the memo's id."""
    shown = connection.organisation.invoices.get(rillet_id).document
    money = {"amount": amount, "currency": "EUR"}
    product_id = shown["items"][0]["product_id"]
    price = {"product_id": product_id, "quantity": 1, "amount_per_unit": money}
    body = {
        "customer_id": shown["customer_id"],
        "subsidiary_id": shown["subsidiary_id"],
        "credit_memo_date": "2026-02-02",
        "items": [{"description": "by hand", "price": price}],
    }
    memo = booked_by_hand(system, connection, body, "/credit-memos")
    application = {"invoice_id": rillet_id, "amount": money, "application_date": "2026-02-02"}
    applications = {"applications": [application]}
    booked_by_hand(system, connection, applications, f"/credit-memos/{memo['id']}/applications")
    settle(system, connection)
    identifier: str = memo["id"]
    return identifier


def test_a_credit_that_empties_the_invoice_is_not_a_payment(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)

    credit(system, connection, WHOLE)

    assert connection.organisation.invoices.get(rillet_id).document["status"] == "CREDITED"
    assert state(connection) == OPEN
    assert patches(system) == []
    no_trouble(system)


@pytest.mark.parametrize("mixed", ["payment", "credit"])
@pytest.mark.parametrize("paid_first", [True, False])
def test_half_credited_by_us_and_half_paid_is_paid(
    system: LocalSystem, connection: Connection, mixed: str, paid_first: bool
) -> None:
    connection.organisation.switches.set(mixed_status=mixed)
    rillet_id = exported(system, connection)
    seen = []
    for step in ("pay", "credit") if paid_first else ("credit", "pay"):
        if step == "pay":
            connection.organisation.pay(rillet_id, "60.50")
            settle(system, connection)
        else:
            credit(system, connection, HALF)
        seen.append(state(connection))

    assert seen == [PARTLY if paid_first else OPEN, PAID]
    no_trouble(system)


@pytest.mark.parametrize("mixed", ["payment", "credit"])
def test_half_credited_by_hand_and_partly_paid_is_partly_paid_and_then_paid(
    system: LocalSystem, connection: Connection, mixed: str
) -> None:
    connection.organisation.switches.set(mixed_status=mixed)
    rillet_id = exported(system, connection)
    credit_by_hand(system, connection, rillet_id, "60.50")
    seen = [state(connection)]
    for amount in ("10.00", "50.50"):
        connection.organisation.pay(rillet_id, amount)
        settle(system, connection)
        seen.append(state(connection))

    assert seen == [OPEN, PARTLY, PAID]


def test_credits_of_ours_and_by_hand_together_are_still_no_payment(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)

    credit(system, connection, HALF)
    credit_by_hand(system, connection, rillet_id, "60.50")

    assert connection.organisation.invoices.get(rillet_id).document["amount_due"]["amount"] == "0.00"
    assert state(connection) == OPEN
    assert patches(system) == []


def test_an_invoice_is_paid_after_its_credit_was_taken_back_in_rillet(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    credit(system, connection, WHOLE)
    [memo] = memos(connection)
    headers = {"Authorization": f"Bearer {connection.rillet_api_key}", "X-Rillet-API-Version": "4"}
    path = f"/credit-memos/{memo['id']}/applications"
    assert requests.delete(system.rillet.url + path, headers=headers, timeout=5).ok
    settle(system, connection)

    connection.organisation.pay(rillet_id)
    settle(system, connection)

    assert state(connection) == PAID


def test_a_failed_payment_beside_a_credit_does_not_count(system: LocalSystem, connection: Connection) -> None:
    rillet_id = exported(system, connection)
    credit(system, connection, HALF)
    payment = connection.organisation.pay(rillet_id)
    settle(system, connection)
    paid = state(connection)

    connection.organisation.fail_payment(payment["id"])
    settle(system, connection)

    assert (paid, state(connection)) == (PAID, OPEN)


def test_rillet_is_asked_for_payments_only_where_a_credit_plays_a_part(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    calls = rillet_calls(system)
    connection.organisation.pay(rillet_id, "1.00")
    settle(system, connection)
    without = rillet_calls(system) - calls
    credit(system, connection, HALF)
    calls = rillet_calls(system)

    connection.organisation.pay(rillet_id, "1.00")
    settle(system, connection)

    assert (without, rillet_calls(system) - calls) == (0, 1)
    assert state(connection, ORIGINAL) == PARTLY
