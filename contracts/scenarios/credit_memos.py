"""Credit memos: partly, fully, of several invoices and of none, applied, refused and looked up."""

from contracts.scenarios.exports import SETTINGS
from contracts.scenarios.world import connected, expect, finalised, outcomes, renew
from local.stack import Connection, LocalStack
from tests.credit_memos.support import NOTE, ORIGINAL, SECOND, credit_note, load, one_off, original

_DAY = 24 * 3600


def credits_of_every_kind(stack: LocalStack) -> None:
    """Credit each of the demo's invoices, then what goes another way."""
    connection = renew(stack, **SETTINGS[-1])
    notes = [connection.platform.credit(each)["id"] for each in finalised(connection)]
    finalised(connection)
    found = outcomes(stack, "export_credit_memo", {"credit_note_ids": notes})
    expect(set(found), {"exported"}, "credit memos")
    _several_and_none(stack)
    _more_than_is_open(stack)
    _lost_answers(stack)


def _several_and_none(stack: LocalStack) -> None:
    connection = renew(stack, invoice_scope="REVENUE_RECOGNITION_ONLY", closed_periods="next_open_day")
    connection.organisation.close_period("2026-01-01", "2026-02-28")
    linked = [{"id": each, "amount": {"quantity": "60.50", "currency": "EUR"}} for each in (ORIGINAL, SECOND)]
    load(connection, original(), original(SECOND), one_off(*linked))
    load(connection, {**one_off(), "id": "invo_alone"})
    expect(_credit(stack, NOTE, "invo_alone"), ["exported"] * 2, "one-off credits")


def _more_than_is_open(stack: LocalStack) -> None:
    connection = renew(stack)
    load(connection, original(), credit_note())
    outcomes(stack, "export_invoice", {"invoice_ids": [ORIGINAL]})
    connection.organisation.pay(_in_rillet(connection), "100.00")
    expect(_credit(stack, NOTE), ["exported"], "a credit of more than is open")


def _lost_answers(stack: LocalStack) -> None:
    stack.reset()
    connection = connected(stack)
    load(connection, original(), credit_note())
    stack.rillet.state.misbehave("commit_then_drop", method="POST", path="/credit-memos", times=1)
    expect(_credit(stack, NOTE), ["queued"], "a lost answer")
    stack.advance(_DAY + 3600)
    expect(_credit(stack, NOTE), ["exported"], "after a lost answer")


def _credit(stack: LocalStack, *note_ids: str) -> list[str]:
    return outcomes(stack, "export_credit_memo", {"credit_note_ids": list(note_ids)})


def _in_rillet(connection: Connection) -> str:
    [invoice] = connection.organisation.invoices.documents()
    return str(invoice["id"])
