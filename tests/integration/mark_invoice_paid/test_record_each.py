"""With ``record_each`` every successful payment of Rillet is in Solvimon once, with amount and date."""

import re
from datetime import UTC, datetime

import pytest

from local.aws.runtime import Killed
from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import Ledger
from tests.integration.mark_invoice_paid.support import (
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
from tests.support.arrange import configure, die
from tests.support.builders import ORIGINAL


@pytest.fixture
def connection(system: LocalSystem) -> Connection:
    """A connection that records each payment."""
    return connected(system, payments="record_each")


def references(connection: Connection) -> list[str]:
    """The references of the payments in Solvimon, oldest first."""
    return [payment["external_reference"] for payment in recorded(connection)]


def test_a_payment_is_recorded_with_its_amount_date_and_a_reference_of_letters_and_digits(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)

    payment = connection.organisation.pay(rillet_id, "21.50", date="2026-02-14")
    settle(system, connection)

    [made] = recorded(connection)
    assert re.fullmatch("[a-zA-Z0-9]+", made["external_reference"])
    assert made["external_reference"] == payment["id"].replace("-", "")
    assert made["amount"] == {"quantity": "21.50", "currency": "EUR"}
    assert made["timestamp"] == "2026-02-14T00:00:00Z"
    assert (made["invoice_id"], made["result"]) == (ORIGINAL, "AUTHORIZED")
    assert state(connection) == PARTLY
    no_trouble(system)


def test_each_payment_is_recorded_once_however_often_its_webhook_comes(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    ids = []
    for amount in ("20.00", "20.00", None):
        ids.append(connection.organisation.pay(rillet_id, amount)["id"].replace("-", ""))
        for event in connection.organisation.announced("invoice-payment-updated"):
            connection.organisation.webhooks.send(event)
        settle(system, connection)
    mark(system)

    assert references(connection) == ids
    assert item(system)["recorded"] == ids
    assert state(connection) == PAID


def test_neither_uncleared_nor_failed_payments_are_recorded_until_they_succeed(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    failed = connection.organisation.pay(rillet_id, "20.00")
    connection.organisation.fail_payment(failed["id"])
    uncleared = connection.organisation.pay(rillet_id, "30.00", cleared=False)
    settle(system, connection)
    before = references(connection)

    connection.organisation.clear_payment(uncleared["id"])
    settle(system, connection)

    assert before == []
    assert references(connection) == [uncleared["id"].replace("-", "")]


@pytest.mark.parametrize("fault", ["commit_then_drop", "status_after", "malformed", "drop"])
@pytest.mark.parametrize("unique", [True, False])
def test_a_lost_answer_does_not_record_a_payment_twice(
    system: LocalSystem, connection: Connection, fault: str, unique: bool
) -> None:
    connection.platform.payment_references_unique = unique
    rillet_id = exported(system, connection)
    system.solvimon.state.misbehave(fault, method="POST", path="/payments", times=1)  # type: ignore[arg-type]

    connection.organisation.pay(rillet_id)
    settle(system, connection)
    system.advance(60)
    system.settle()

    assert len(references(connection)) == 1
    assert len(item(system)["recorded"]) == 1
    no_trouble(system)


def test_a_function_that_dies_after_recording_does_not_record_again(
    system: LocalSystem, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rillet_id = exported(system, connection)
    connection.organisation.pay(rillet_id)
    connection.organisation.deliver_webhooks()
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "finish", die)
        deaths = system.deliver(FUNCTION)
    system.pollers.errors.clear()

    system.advance(400)
    system.settle()

    assert Killed in [type(death.error) for death in deaths]
    assert len(references(connection)) == 1
    assert item(system)["payment_status"] == "PAID"


def test_a_payment_that_solvimon_has_already_is_not_recorded(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    payment = connection.organisation.pay(rillet_id)
    reference = payment["id"].replace("-", "")
    connection.platform.create_payment({"external_reference": reference, "result": "AUTHORIZED"})

    settle(system, connection)

    assert references(connection) == [reference]
    assert state(connection) == PAID


def test_a_payment_without_a_date_is_of_today(system: LocalSystem, connection: Connection) -> None:
    rillet_id = exported(system, connection)
    payment = connection.organisation.pay(rillet_id)
    connection.organisation.payments.get(payment["id"]).document.pop("date")
    system.advance(40 * 24 * 3600)
    system.runtime.reset()

    mark(system)

    today = datetime.fromtimestamp(system.clock.now(), UTC).date()
    assert recorded(connection)[0]["timestamp"] == f"{today}T00:00:00Z"


def test_a_refused_payment_is_recorded_with_its_remedy_and_done_on_request(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    system.solvimon.state.misbehave(
        "status", method="POST", path="/payments", times=1, status=400, code="INVALID_FIELD"
    )

    connection.organisation.pay(rillet_id)
    settle(system, connection)
    refused = item(system)
    again = mark(system)

    assert (refused["state"], refused["code"]) == ("rejected", "refused_by_solvimon")
    assert "record the payment" in refused["message"]
    assert "mark_invoice_paid" in refused["remedy"]
    assert again[0]["outcome"] == "marked"
    assert len(references(connection)) == 1


def test_by_default_only_the_state_is_written(system: LocalSystem, connection: Connection) -> None:
    configure(system, connection, payments="state")
    rillet_id = exported(system, connection)

    connection.organisation.pay(rillet_id)
    settle(system, connection)

    assert state(connection) == PAID
    assert recorded(connection) == []
    assert system.solvimon.state.calls.find("*", "/v1/payments*") == []
