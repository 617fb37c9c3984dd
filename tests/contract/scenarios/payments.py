"""Payments in Rillet: partial, full, failed and undone; invoices changed or deleted there by hand."""

from local.system import Connection, LocalSystem
from tests.contract.scenarios.setup import LOOSE, expect
from tests.integration.mark_invoice_paid.support import OPEN, PAID, connected, exported, mark, settle, state
from tests.support.arrange import load
from tests.support.assertions import rillet_invoice
from tests.support.builders import ORIGINAL, original


def as_a_state(system: LocalSystem) -> None:
    """Write `paid` and `payment_status` only."""
    connection = connected(system, rillet=LOOSE)
    _pay_and_undo(system, connection)
    _change_by_hand(system, connection)


def one_by_one(system: LocalSystem) -> None:
    """Record each payment in Solvimon, and reverse it where it is undone."""
    connection = connected(system, payments="record_each", rillet=LOOSE)
    _pay_and_undo(system, connection)
    payments = connection.platform.records["payments"].values()
    expect({each["result"] for each in payments}, {"AUTHORIZED", "CANCELLED"}, "payments in Solvimon")


def _pay_and_undo(system: LocalSystem, connection: Connection) -> None:
    rillet = connection.organisation
    invoice_id = exported(system, connection).rillet_id
    first = rillet.pay(invoice_id, "21.00")["id"]
    settle(system, connection)
    second = rillet.pay(invoice_id, "100.00")["id"]
    settle(system, connection)
    expect(state(connection), PAID, "an invoice that was paid")
    rillet.fail_payment(second)
    settle(system, connection)
    rillet.delete_payment(first)
    settle(system, connection)
    expect(state(connection), OPEN, "an invoice whose payments were undone")
    rillet.pay(invoice_id)
    mark(system, ORIGINAL, dry_run=True)
    mark(system, ORIGINAL)
    expect(state(connection), PAID, "an invoice that somebody asked for")
    settle(system, connection)


def _change_by_hand(system: LocalSystem, connection: Connection) -> None:
    rillet = connection.organisation
    for number, change in enumerate(("edit", "delete")):
        name = f"invo_{change}{number}"
        load(connection, original(name))
        system.settle()
        invoice_id = rillet_invoice(connection, name)["id"]
        if change == "edit":
            rillet.edit_invoice(invoice_id, amount_by="0.01")
        else:
            rillet.delete_invoice(invoice_id)
        settle(system, connection)
        mark(system, name)
