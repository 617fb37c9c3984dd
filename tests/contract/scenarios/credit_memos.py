"""Credit memos: partly, fully, of several invoices and of none, applied, refused and looked up."""

from local.system import Connection, LocalSystem
from tests.contract.scenarios.exports import SETTINGS
from tests.contract.scenarios.setup import connect_with_demo_data, expect, finalised, outcomes, renew
from tests.support.arrange import load
from tests.support.builders import NOTE, ORIGINAL, SECOND, credit_note, one_off, original

_DAY = 24 * 3600


def credits_of_every_kind(system: LocalSystem) -> None:
    """Credit each of the demo's invoices, then what goes another way."""
    connection = renew(system, **SETTINGS[-1])
    notes = [connection.platform.credit(each)["id"] for each in finalised(connection)]
    finalised(connection)
    found = outcomes(system, "export_credit_memo", {"credit_note_ids": notes})
    expect(set(found), {"exported"}, "credit memos")
    _several_and_none(system)
    _more_than_is_open(system)
    _lost_answers(system)


def _several_and_none(system: LocalSystem) -> None:
    connection = renew(system, invoice_scope="REVENUE_RECOGNITION_ONLY", closed_periods="next_open_day")
    connection.organisation.close_period("2026-01-01", "2026-02-28")
    linked = [{"id": each, "amount": {"quantity": "60.50", "currency": "EUR"}} for each in (ORIGINAL, SECOND)]
    load(connection, original(), original(SECOND), one_off(*linked))
    load(connection, {**one_off(), "id": "invo_alone"})
    expect(_credit(system, NOTE, "invo_alone"), ["exported"] * 2, "one-off credits")


def _more_than_is_open(system: LocalSystem) -> None:
    connection = renew(system)
    load(connection, original(), credit_note())
    outcomes(system, "export_invoice", {"invoice_ids": [ORIGINAL]})
    connection.organisation.pay(_in_rillet(connection), "100.00")
    expect(_credit(system, NOTE), ["exported"], "a credit of more than is open")


def _lost_answers(system: LocalSystem) -> None:
    system.reset()
    connection = connect_with_demo_data(system)
    load(connection, original(), credit_note())
    system.rillet.state.misbehave("commit_then_drop", method="POST", path="/credit-memos", times=1)
    expect(_credit(system, NOTE), ["queued"], "a lost answer")
    system.advance(_DAY + 3600)
    expect(_credit(system, NOTE), ["exported"], "after a lost answer")


def _credit(system: LocalSystem, *note_ids: str) -> list[str]:
    return outcomes(system, "export_credit_memo", {"credit_note_ids": list(note_ids)})


def _in_rillet(connection: Connection) -> str:
    [invoice] = connection.organisation.invoices.documents()
    return str(invoice["id"])
