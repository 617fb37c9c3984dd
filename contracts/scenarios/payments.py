"""Payments that Rillet tells of: partly, wholly, failed, undone; invoices and memos changed there by hand."""

from contracts.scenarios.world import LOOSE, expect
from local.stack import Connection, LocalStack
from tests.credit_memos.support import ORIGINAL, load, original, rillet_invoice
from tests.payments.support import OPEN, PAID, connected, exported, mark, settle, state


def as_a_state(stack: LocalStack) -> None:
    """Write `paid` and `payment_status` only."""
    connection = connected(stack, rillet=LOOSE)
    _pay_and_undo(stack, connection)
    _change_by_hand(stack, connection)


def one_by_one(stack: LocalStack) -> None:
    """Record each payment in Solvimon, and reverse it where it is undone."""
    connection = connected(stack, payments="record_each", rillet=LOOSE)
    _pay_and_undo(stack, connection)
    payments = connection.platform.records["payments"].values()
    expect({each["result"] for each in payments}, {"AUTHORIZED", "CANCELLED"}, "payments in Solvimon")


def _pay_and_undo(stack: LocalStack, connection: Connection) -> None:
    rillet = connection.organisation
    invoice_id = exported(stack, connection)
    first = rillet.pay(invoice_id, "21.00")["id"]
    settle(stack, connection)
    second = rillet.pay(invoice_id, "100.00")["id"]
    settle(stack, connection)
    expect(state(connection), PAID, "an invoice that was paid")
    rillet.fail_payment(second)
    settle(stack, connection)
    rillet.delete_payment(first)
    settle(stack, connection)
    expect(state(connection), OPEN, "an invoice whose payments were undone")
    rillet.pay(invoice_id)
    mark(stack, ORIGINAL, dry_run=True)
    mark(stack, ORIGINAL)
    expect(state(connection), PAID, "an invoice that somebody asked for")
    settle(stack, connection)


def _change_by_hand(stack: LocalStack, connection: Connection) -> None:
    rillet = connection.organisation
    for number, change in enumerate(("edit", "delete")):
        name = f"invo_{change}{number}"
        load(connection, original(name))
        stack.settle()
        invoice_id = rillet_invoice(connection, name)["id"]
        if change == "edit":
            rillet.edit_invoice_by_hand(invoice_id, amount_by="0.01")
        else:
            rillet.delete_invoice(invoice_id)
        settle(stack, connection)
        mark(stack, name)
