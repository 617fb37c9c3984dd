"""More paid than was due is a stated result, in Rillet and in Solvimon."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import PAID, exported, mark, settle, state
from tests.support.arrange import solvimon_invoice
from tests.support.assertions import record
from tests.support.builders import ORIGINAL

EXCESS = (
    "379.00 EUR more was paid or credited in Rillet than was due. The invoice counts as paid; match the "
    "excess in Rillet (Match & Adjust), or refund it."
)


@pytest.fixture
def overpaid(system: LocalSystem, connection: Connection) -> Connection:
    """A connection whose invoice of 121.00 was paid with 500.00 in Rillet."""
    connection.organisation.switches.set(overpayment="accept")
    connection.organisation.pay(exported(system, connection).rillet_id, "500.00")
    return connection


def in_solvimon(connection: Connection) -> None:
    """Let Solvimon itself find that its invoice is overpaid."""
    solvimon_invoice(connection, ORIGINAL).update(paid=True, payment_status="OVERPAID")


def test_more_paid_in_rillet_than_was_due_is_paid_with_the_excess_in_the_record(
    system: LocalSystem, overpaid: Connection
) -> None:
    settle(system, overpaid)

    assert state(overpaid) == PAID
    assert record(system, ORIGINAL, kind="payment")["warnings"] == [EXCESS]


def test_a_request_and_its_dry_run_say_the_excess(system: LocalSystem, overpaid: Connection) -> None:
    [would] = mark(system, dry_run=True)
    [did] = mark(system)

    assert would["warnings"] == did["warnings"] == [EXCESS]
    assert (would["outcome"], did["outcome"], did["amount_due"]) == ("would_mark", "marked", "-379")


def test_the_excess_is_not_said_any_more_once_it_is_gone(system: LocalSystem, connection: Connection) -> None:
    connection.organisation.switches.set(overpayment="accept")
    rillet_id = exported(system, connection).rillet_id
    excess = connection.organisation.pay(rillet_id, "379.00")
    connection.organisation.pay(rillet_id, "121.00")
    settle(system, connection)

    connection.organisation.delete_payment(excess["id"])
    settle(system, connection)

    assert state(connection) == PAID
    assert record(system, ORIGINAL, kind="payment")["warnings"] == []


def test_more_paid_in_solvimon_than_was_due_is_not_lowered_by_rillets_paid(
    system: LocalSystem, connection: Connection
) -> None:
    invoice = exported(system, connection)
    in_solvimon(connection)

    connection.organisation.pay(invoice.rillet_id)
    settle(system, connection)

    assert state(connection) == (True, "OVERPAID")
    assert invoice.patches == []
    assert record(system, ORIGINAL, kind="payment")["warnings"] == [
        "Solvimon itself says that more was paid than was due; its OVERPAID stays."
    ]


def test_a_request_leaves_solvimons_overpaid_too(system: LocalSystem, overpaid: Connection) -> None:
    in_solvimon(overpaid)

    [would] = mark(system, dry_run=True)
    [did] = mark(system)

    assert (would["outcome"], did["outcome"]) == ("unchanged", "unchanged")
    assert state(overpaid) == (True, "OVERPAID")
    assert len(did["warnings"]) == 2
