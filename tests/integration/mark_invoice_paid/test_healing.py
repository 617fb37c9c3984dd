"""What was corrected in Rillet is as it was before; what is worse than another total is not."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.rillet.client import RilletClient
from tests.integration.mark_invoice_paid.support import (
    document_of,
    events,
    exported,
    hold_back,
    item,
    mark,
    no_trouble,
    send,
    send_document,
    settle,
)
from tests.support.arrange import credit, export, load
from tests.support.assertions import application_posts, applied, memos, rillet_invoice
from tests.support.builders import NOTE, ORIGINAL, credit_note

pytestmark = pytest.mark.slow

WHY = {"code", "message", "remedy"}


def edited(system: LocalSystem, connection: Connection, rillet_id: str, *by: str) -> None:
    """Change an invoice's total by hand, once for each amount, and deliver what Rillet says."""
    for amount in by:
        connection.organisation.edit_invoice(rillet_id, amount_by=amount)
        settle(system, connection)


def memo_edited(system: LocalSystem, connection: Connection, *by: str) -> None:
    [memo] = memos(connection)
    for amount in by:
        connection.organisation.edit_credit_memo(memo["id"], amount_by=amount)
        settle(system, connection)


@pytest.mark.parametrize("told_by", ["webhook", "person"])
def test_an_invoice_whose_total_is_corrected_is_exported_again(
    system: LocalSystem, connection: Connection, told_by: str
) -> None:
    rillet_id = exported(system, connection)
    edited(system, connection, rillet_id, "0.01")
    noted = item(system, "invoice")

    if told_by == "person":
        hold_back(connection)
    edited(system, connection, rillet_id, "-0.01")
    if told_by == "person":
        [result] = mark(system)
        assert result["outcome"] == "unchanged"

    kept = item(system, "invoice")
    assert (noted["state"], noted["code"]) == ("differs", "total_differs")
    assert kept["state"] == "exported"
    assert not WHY & kept.keys()
    assert export(system, ORIGINAL)[0]["outcome"] == "already_exported"
    no_trouble(system)


def test_an_older_event_with_the_right_total_heals_nothing(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    old = document_of(connection, rillet_id)
    edited(system, connection, rillet_id, "0.01")

    send_document(system, connection, old, happened="UPDATED")

    assert item(system, "invoice")["code"] == "total_differs"


def test_an_older_event_with_a_wrong_total_does_not_undo_the_correction(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    connection.organisation.edit_invoice(rillet_id, amount_by="0.01")
    wrong = document_of(connection, rillet_id)
    settle(system, connection)
    edited(system, connection, rillet_id, "-0.01")

    send_document(system, connection, wrong, happened="UPDATED")

    assert item(system, "invoice")["state"] == "exported"


def test_a_right_total_with_another_tax_in_it_is_no_correction(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    edited(system, connection, rillet_id, "0.01")
    shown = connection.organisation.invoices.get(rillet_id).document
    total, tax = (
        {**shown[name], "amount": amount} for name, amount in (("total", "121.00"), ("taxed_amount", "20.99"))
    )

    connection.organisation.edit_invoice(rillet_id, total=total, taxed_amount=tax)
    settle(system, connection)

    kept = item(system, "invoice")
    assert (kept["state"], kept["code"]) == ("differs", "total_differs")


@pytest.mark.parametrize("again", [True, False])
def test_a_deleted_invoice_is_not_said_to_differ_by_its_total_afterwards(
    system: LocalSystem, connection: Connection, again: bool
) -> None:
    rillet_id = exported(system, connection)
    changed = document_of(connection, rillet_id, updated_at="2030-01-01T00:00:00Z")
    if again:
        changed["total"] = {"amount": "999.00", "currency": "EUR"}
    connection.organisation.delete_invoice(rillet_id)
    settle(system, connection)

    send_document(system, connection, changed, happened="UPDATED")

    kept = item(system, "invoice")
    assert (kept["state"], kept["code"]) == ("differs", "deleted_in_rillet")


def test_a_memo_whose_total_is_corrected_is_exported_again(
    system: LocalSystem, connection: Connection
) -> None:
    exported(system, connection)
    load(connection, credit_note(NOTE, "-50.00", "-10.50"))
    system.settle()
    settle(system, connection)
    memo_edited(system, connection, "0.01")
    noted = item(system, "credit_memo", NOTE)

    memo_edited(system, connection, "-0.01")

    kept = item(system, "credit_memo", NOTE)
    assert (noted["state"], noted["code"]) == ("differs", "total_differs")
    assert kept["state"] == "exported"
    assert not WHY & kept.keys()
    no_trouble(system)


def test_a_memo_that_was_booked_with_another_total_is_applied_by_a_retry_once_it_is_corrected(
    system: LocalSystem, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported(system, connection)
    real = RilletClient.create_credit_memo

    def wrong(self: RilletClient, *args: object) -> object:
        answer = real(self, *args)  # type: ignore[arg-type]
        memo = connection.organisation.edit_credit_memo(answer.id, amount_by="0.01")
        return answer.model_validate(memo)

    with monkeypatch.context() as patch:
        patch.setattr(RilletClient, "create_credit_memo", wrong)
        load(connection, credit_note(NOTE, "-50.00", "-10.50"))
        [booked] = credit(system)
    settle(system, connection)

    memo_edited(system, connection, "-0.01")
    corrected = item(system, "credit_memo", NOTE)
    [retried] = credit(system)

    assert (booked["outcome"], booked["code"]) == ("differs", "total_differs")
    assert (corrected["state"], corrected["code"]) == ("rejected", "total_differs")
    assert "not applied" in corrected["message"]
    assert "Retry the credit note" in corrected["remedy"]
    assert (retried["outcome"], retried["applied"]) == ("exported", "60.50")
    [memo] = memos(connection)
    assert applied(memo) == {rillet_invoice(connection)["id"]: "60.50"}
    assert len(application_posts(system)) == 1


def memo_events(system: LocalSystem, connection: Connection, *by: str) -> None:
    """Change a memo's total by hand, once for each amount; nothing is delivered."""
    exported(system, connection)
    load(connection, credit_note(NOTE, "-50.00", "-10.50"))
    system.settle()
    settle(system, connection)
    hold_back(connection)
    memo_edited(system, connection, *by)


@pytest.mark.parametrize(("by", "state"), [(("0.01", "-0.01"), "exported"), (("0.01",), "differs")])
def test_an_older_event_of_a_memo_undoes_no_newer_one(
    system: LocalSystem, connection: Connection, by: tuple[str, ...], state: str
) -> None:
    memo_events(system, connection, "5.00", "-5.00", *by)
    happened = events(connection, "credit-memo-updated")

    send(system, connection, happened[-1], *happened[:-1], happened[0])

    assert item(system, "credit_memo", NOTE)["state"] == state
    assert item(system, "memo", NOTE)["seen_at"] == memos(connection)[0]["updated_at"]
    no_trouble(system)


def test_a_memo_that_a_look_finds_deleted_is_noted(system: LocalSystem, connection: Connection) -> None:
    memo_events(system, connection)
    [memo] = memos(connection)
    connection.organisation.credit_memos.remove(memo["id"])

    send_document(system, connection, {"id": memo["id"]}, entity="CREDIT_MEMO", happened="UPDATED")

    kept = item(system, "credit_memo", NOTE)
    assert (kept["state"], kept["code"]) == ("differs", "deleted_in_rillet")
