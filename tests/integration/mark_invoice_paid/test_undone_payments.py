"""With ``record_each`` a payment that is undone in Rillet is reversed in Solvimon, or we say why not."""

from typing import Any

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import (
    FUNCTION,
    OPEN,
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
from tests.support.arrange import configure
from tests.support.builders import ORIGINAL

pytestmark = pytest.mark.slow

UNDO = ["delete_payment", "fail_payment"]


@pytest.fixture
def connection(system: LocalSystem) -> Connection:
    """A connection that records each payment."""
    return connected(system, payments="record_each")


def paid(system: LocalSystem, connection: Connection, *amounts: str) -> list[str]:
    """An invoice with recorded payments; the answer is their Rillet ids."""
    rillet_id = exported(system, connection)
    ids = [connection.organisation.pay(rillet_id, amount)["id"] for amount in amounts]
    settle(system, connection)
    assert len(recorded(connection)) == len(amounts)
    return ids


def undo(system: LocalSystem, connection: Connection, payment_id: str, how: str = "delete_payment") -> None:
    getattr(connection.organisation, how)(payment_id)
    settle(system, connection)


def results(connection: Connection) -> dict[str, str]:
    """How the payments in Solvimon ended, by reference."""
    return {payment["external_reference"]: payment["result"] for payment in recorded(connection)}


def reversals(system: LocalSystem) -> int:
    return len(system.solvimon.state.calls.find("POST", "/v1/payments/*/reverse"))


def refuse(system: LocalSystem, **more: Any) -> None:
    """Let Solvimon refuse the next reversal."""
    system.solvimon.state.misbehave("status", method="POST", path="/payments/*/reverse", times=1, **more)


@pytest.mark.parametrize("how", UNDO)
def test_a_payment_that_is_undone_is_reversed_and_the_state_follows(
    system: LocalSystem, connection: Connection, how: str
) -> None:
    first, second = paid(system, connection, "21.00", "100.00")
    before = state(connection)

    undo(system, connection, second, how)

    assert (before, state(connection)) == (PAID, PARTLY)
    assert results(connection) == {
        first.replace("-", ""): "AUTHORIZED",
        second.replace("-", ""): "CANCELLED",
    }
    assert item(system)["recorded"] == [first.replace("-", "")]
    assert item(system)["warnings"] == []
    no_trouble(system)


@pytest.mark.parametrize("how", UNDO)
@pytest.mark.parametrize("settles", [True, False])
def test_the_last_payment_is_reversed_too_whether_or_not_solvimon_reckons_by_itself(
    system: LocalSystem, connection: Connection, how: str, settles: bool
) -> None:
    connection.platform.payments_settle = settles
    [payment] = paid(system, connection, "121.00")

    undo(system, connection, payment, how)

    assert state(connection) == OPEN
    assert list(results(connection).values()) == ["CANCELLED"]
    no_trouble(system)


@pytest.mark.parametrize("fault", ["commit_then_drop", "status_after", "malformed", "drop"])
def test_a_lost_answer_reverses_once(system: LocalSystem, connection: Connection, fault: str) -> None:
    [payment] = paid(system, connection, "121.00")
    system.solvimon.state.misbehave(fault, method="POST", path="/payments/*/reverse", times=1)  # type: ignore[arg-type]

    undo(system, connection, payment)
    system.advance(60)
    system.settle()

    assert list(results(connection).values()) == ["CANCELLED"]
    assert item(system)["recorded"] == []
    no_trouble(system)


def test_a_refused_reversal_is_a_warning_with_its_remedy_and_is_tried_again(
    system: LocalSystem, connection: Connection
) -> None:
    [payment] = paid(system, connection, "121.00")
    refuse(system, status=400, code="INVALID_OPERATION")

    undo(system, connection, payment)
    kept = item(system)
    [again] = mark(system)

    assert (kept["state"], kept["recorded"]) == ("marked", [payment.replace("-", "")])
    assert f"The payment {payment.replace('-', '')} is undone in Rillet" in kept["warnings"][0]
    assert "INVALID_OPERATION" in kept["warnings"][0]
    assert "by hand in Solvimon" in kept["warnings"][0]
    assert state(connection) == OPEN
    assert again["outcome"] == "marked"
    assert "warnings" not in again
    assert list(results(connection).values()) == ["CANCELLED"]
    no_trouble(system)


def test_a_person_who_asks_reads_the_warning(system: LocalSystem, connection: Connection) -> None:
    [payment] = paid(system, connection, "121.00")
    connection.organisation.delete_payment(payment)
    refuse(system, status=400, code="INVALID_OPERATION")

    [result] = mark(system)

    assert (result["outcome"], result["payment_status"]) == ("marked", "UNPAID")
    assert "still recorded in Solvimon" in result["warnings"][0]


@pytest.mark.parametrize("status", ["FAILURE", "ACTION_REQUIRED"])
def test_a_reversal_that_does_not_succeed_is_a_warning(
    system: LocalSystem, connection: Connection, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    [payment] = paid(system, connection, "121.00")
    monkeypatch.setattr(
        type(connection.platform), "reverse_payment", lambda *_: {"payment": {}, "status": status}
    )

    undo(system, connection, payment)

    assert f"ended as {status}" in item(system)["warnings"][0]
    assert state(connection) == OPEN


def test_a_payment_that_a_provider_took_is_not_reversed_since_money_would_move(
    system: LocalSystem, connection: Connection
) -> None:
    [payment] = paid(system, connection, "121.00")
    next(iter(connection.platform.records["payments"].values()))["payment_acceptor_id"] = "paca_1"

    undo(system, connection, payment)

    assert reversals(system) == 0
    assert "would move money" in item(system)["warnings"][0]
    assert state(connection) == OPEN


def test_a_payment_that_somebody_reversed_by_hand_is_left_at_that(
    system: LocalSystem, connection: Connection
) -> None:
    [payment] = paid(system, connection, "121.00")
    platform = connection.platform
    platform.reverse_payment(next(iter(platform.records["payments"].values())))

    undo(system, connection, payment)

    assert reversals(system) == 0
    assert (item(system)["recorded"], item(system)["warnings"]) == ([], [])


@pytest.mark.parametrize("unique", [True, False])
def test_a_payment_that_failed_and_succeeds_after_all_is_recorded_again_where_solvimon_lets_it(
    system: LocalSystem, connection: Connection, unique: bool
) -> None:
    connection.platform.payment_references_unique = unique
    [payment] = paid(system, connection, "121.00")
    undo(system, connection, payment, "fail_payment")

    connection.organisation.clear_payment(payment)
    settle(system, connection)

    ended = [one["result"] for one in recorded(connection)]
    assert ended == (["CANCELLED"] if unique else ["CANCELLED", "AUTHORIZED"])
    assert state(connection) == PAID
    no_trouble(system)


def test_a_payment_that_is_no_longer_cleared_stays_recorded(
    system: LocalSystem, connection: Connection
) -> None:
    [payment] = paid(system, connection, "121.00")

    connection.organisation.unclear_payment(payment)
    settle(system, connection)

    assert list(results(connection).values()) == ["AUTHORIZED"]
    assert (state(connection), reversals(system)) == (PAID, 0)


def test_where_only_the_state_is_written_nothing_is_reversed(
    system: LocalSystem, connection: Connection
) -> None:
    [payment] = paid(system, connection, "121.00")
    configure(system, connection, payments="state")

    undo(system, connection, payment)

    assert (state(connection), reversals(system)) == (OPEN, 0)


def test_a_key_that_may_not_reverse_lets_the_reversal_wait_and_the_state_follows(
    system: LocalSystem, connection: Connection
) -> None:
    [payment] = paid(system, connection, "121.00")
    refuse(system, status=403, code="FORBIDDEN")

    undo(system, connection, payment)
    during = state(connection), list(results(connection).values())
    system.advance(900)
    system.deliver(FUNCTION)

    assert during == (OPEN, ["AUTHORIZED"])
    assert list(results(connection).values()) == ["CANCELLED"]
    assert item(system, document_id=ORIGINAL)["recorded"] == []
