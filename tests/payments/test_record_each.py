"""With ``record_each`` every successful payment of Rillet is in Solvimon once, with amount and date."""

import re
from datetime import UTC, datetime

import pytest

from local.stack import Connection, LocalStack
from solvimon_rillet.ledger import Ledger
from tests.credit_memos.support import ORIGINAL
from tests.export.support import Killed, configure, die
from tests.payments.support import (
    FUNCTION,
    PAID,
    PARTLY,
    connected,
    exported,
    item,
    mark,
    no_trouble,
    recorded,
    settle,
    state,
)


@pytest.fixture
def connection(stack: LocalStack) -> Connection:
    """A connection that records each payment."""
    return connected(stack, payments="record_each")


def references(connection: Connection) -> list[str]:
    """The references of the payments in Solvimon, oldest first."""
    return [payment["external_reference"] for payment in recorded(connection)]


def test_a_payment_is_recorded_with_its_amount_date_and_a_reference_of_letters_and_digits(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)

    payment = connection.organisation.pay(rillet_id, "21.50", date="2026-02-14")
    settle(stack, connection)

    [made] = recorded(connection)
    assert re.fullmatch("[a-zA-Z0-9]+", made["external_reference"])
    assert made["external_reference"] == payment["id"].replace("-", "")
    assert made["amount"] == {"quantity": "21.50", "currency": "EUR"}
    assert made["timestamp"] == "2026-02-14T00:00:00Z"
    assert (made["invoice_id"], made["result"]) == (ORIGINAL, "AUTHORIZED")
    assert state(connection) == PARTLY
    no_trouble(stack)


def test_each_payment_is_recorded_once_however_often_its_webhook_comes(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    ids = []
    for amount in ("20.00", "20.00", None):
        ids.append(connection.organisation.pay(rillet_id, amount)["id"].replace("-", ""))
        for event in connection.organisation.announced("invoice-payment-updated"):
            connection.organisation.webhooks.send(event)
        settle(stack, connection)
    mark(stack)

    assert references(connection) == ids
    assert item(stack)["recorded"] == ids
    assert state(connection) == PAID


def test_neither_uncleared_nor_failed_payments_are_recorded_until_they_succeed(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    failed = connection.organisation.pay(rillet_id, "20.00")
    connection.organisation.fail_payment(failed["id"])
    uncleared = connection.organisation.pay(rillet_id, "30.00", cleared=False)
    settle(stack, connection)
    before = references(connection)

    connection.organisation.clear_payment(uncleared["id"])
    settle(stack, connection)

    assert before == []
    assert references(connection) == [uncleared["id"].replace("-", "")]


@pytest.mark.parametrize("fault", ["commit_then_drop", "status_after", "malformed", "drop"])
@pytest.mark.parametrize("unique", [True, False])
def test_a_lost_answer_does_not_record_a_payment_twice(
    stack: LocalStack, connection: Connection, fault: str, unique: bool
) -> None:
    connection.platform.payment_references_unique = unique
    rillet_id = exported(stack, connection)
    stack.solvimon.state.misbehave(fault, method="POST", path="/payments", times=1)  # type: ignore[arg-type]

    connection.organisation.pay(rillet_id)
    settle(stack, connection)
    stack.advance(60)
    stack.settle()

    assert len(references(connection)) == 1
    assert len(item(stack)["recorded"]) == 1
    no_trouble(stack)


def test_a_function_that_dies_after_recording_does_not_record_again(
    stack: LocalStack, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rillet_id = exported(stack, connection)
    connection.organisation.pay(rillet_id)
    connection.organisation.deliver_webhooks()
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "finish", die)
        deaths = stack.deliver(FUNCTION)
    stack.pollers.errors.clear()

    stack.advance(400)
    stack.settle()

    assert Killed in [type(death.error) for death in deaths]
    assert len(references(connection)) == 1
    assert item(stack)["payment_status"] == "PAID"


def test_a_payment_that_solvimon_has_already_is_not_recorded(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    payment = connection.organisation.pay(rillet_id)
    reference = payment["id"].replace("-", "")
    connection.platform.create_payment({"external_reference": reference, "result": "AUTHORIZED"})

    settle(stack, connection)

    assert references(connection) == [reference]
    assert state(connection) == PAID


def test_a_payment_without_a_date_is_of_today(stack: LocalStack, connection: Connection) -> None:
    rillet_id = exported(stack, connection)
    payment = connection.organisation.pay(rillet_id)
    connection.organisation.payments.get(payment["id"]).document.pop("date")
    stack.advance(40 * 24 * 3600)
    stack.runtime.reset()

    mark(stack)

    today = datetime.fromtimestamp(stack.clock.now(), UTC).date()
    assert recorded(connection)[0]["timestamp"] == f"{today}T00:00:00Z"


def test_a_refused_payment_is_recorded_with_its_remedy_and_done_on_request(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    stack.solvimon.state.misbehave(
        "status", method="POST", path="/payments", times=1, status=400, code="INVALID_FIELD"
    )

    connection.organisation.pay(rillet_id)
    settle(stack, connection)
    refused = item(stack)
    again = mark(stack)

    assert (refused["state"], refused["code"]) == ("rejected", "refused_by_solvimon")
    assert "record the payment" in refused["message"]
    assert "mark_invoice_paid" in refused["remedy"]
    assert again[0]["outcome"] == "marked"
    assert len(references(connection)) == 1


def test_by_default_only_the_state_is_written(stack: LocalStack, connection: Connection) -> None:
    configure(stack, connection, payments="state")
    rillet_id = exported(stack, connection)

    connection.organisation.pay(rillet_id)
    settle(stack, connection)

    assert state(connection) == PAID
    assert recorded(connection) == []
    assert stack.solvimon.state.calls.find("*", "/v1/payments*") == []
