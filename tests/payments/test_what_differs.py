"""What people delete or change in Rillet is noted and reported, and never created again."""

import json

import pytest

from local.stack import Connection, LocalStack
from tests.credit_memos.support import (
    NOTE,
    ORIGINAL,
    application_calls,
    credit,
    credit_note,
    document,
    load,
    memo_calls,
    memos,
)
from tests.export.support import export, sent
from tests.payments.support import (
    OPEN,
    PAID,
    document_of,
    exported,
    hold_back,
    item,
    mark,
    no_trouble,
    patches,
    post,
    rillet_calls,
    send_document,
    settle,
    state,
)

pytestmark = pytest.mark.slow


def with_memo(stack: LocalStack, connection: Connection) -> str:
    """An invoice and a credit memo that is applied to nothing, as nothing names its invoice."""
    exported(stack, connection)
    load(connection, credit_note(NOTE, "-50.00", "-10.50", "", type="ONE_OFF_CREDIT", linked_invoices=[]))
    stack.settle()
    settle(stack, connection)
    [memo] = memos(connection)
    assert item(stack, "credit_memo", NOTE)["state"] == "exported"
    identifier: str = memo["id"]
    return identifier


@pytest.mark.parametrize("times", [1, 2])
def test_an_invoice_deleted_in_rillet_is_noted_and_not_created_again(
    stack: LocalStack, connection: Connection, times: int
) -> None:
    rillet_id = exported(stack, connection)

    connection.organisation.delete_invoice(rillet_id)
    [event] = connection.organisation.announced("invoice-deleted")
    for _ in range(times - 1):
        connection.organisation.webhooks.send(event)
    answers = settle(stack, connection)

    kept = item(stack, "invoice")
    assert json.loads(event.body) == rillet_id
    assert answers == [200] * times
    assert (kept["state"], kept["code"]) == ("differs", "deleted_in_rillet")
    assert rillet_id in kept["message"]
    assert "Solvimon" in kept["remedy"]
    assert export(stack, ORIGINAL)[0]["outcome"] == "differs"
    assert len(sent(stack)) == 1
    assert state(connection) == OPEN
    no_trouble(stack)


def test_a_memo_deleted_in_rillet_is_noted_and_not_created_again(
    stack: LocalStack, connection: Connection
) -> None:
    memo_id = with_memo(stack, connection)

    connection.organisation.delete_credit_memo(memo_id)
    settle(stack, connection)

    kept = item(stack, "credit_memo", NOTE)
    assert (kept["state"], kept["code"]) == ("differs", "deleted_in_rillet")
    assert f"credit memo {memo_id}" in kept["message"]
    assert credit(stack)[0]["outcome"] == "differs"
    assert len(memo_calls(stack)) == 1
    no_trouble(stack)


@pytest.mark.parametrize("by", ["0.01", "-0.01"])
def test_an_invoice_changed_by_a_cent_is_noted_with_both_totals(
    stack: LocalStack, connection: Connection, by: str
) -> None:
    rillet_id = exported(stack, connection)

    connection.organisation.edit_invoice_by_hand(rillet_id, amount_by=by)
    settle(stack, connection)

    kept = item(stack, "invoice")
    total = {"0.01": "121.01", "-0.01": "120.99"}[by]
    assert (kept["state"], kept["code"]) == ("differs", "total_differs")
    assert (
        f"{total} EUR instead of 121 EUR" in kept["message"]
        or f"{total} EUR instead of 121.00 EUR" in kept["message"]
    )
    assert export(stack, ORIGINAL)[0]["outcome"] == "differs"
    assert len(sent(stack)) == 1
    no_trouble(stack)


def test_an_invoice_that_differs_is_still_marked_paid_and_the_answer_says_both(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    connection.organisation.edit_invoice_by_hand(rillet_id, amount_by="0.01")
    connection.organisation.pay(rillet_id)
    settle(stack, connection)

    [told] = mark(stack)

    assert state(connection) == PAID
    assert (told["outcome"], told["code"], told["paid"]) == ("differs", "total_differs", True)


def test_an_invoice_edited_without_another_total_is_as_it_was(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)

    connection.organisation.edit_invoice_by_hand(rillet_id, due_date="2027-01-01", memo="by hand")
    settle(stack, connection)

    assert item(stack, "invoice")["state"] == "exported"
    assert patches(stack) == []


def test_a_memo_changed_by_a_cent_is_noted_also_when_its_webhook_comes_twice(
    stack: LocalStack, connection: Connection
) -> None:
    memo_id = with_memo(stack, connection)
    connection.organisation.edit_credit_memo_by_hand(memo_id, credit_memo_number="CM-BY-HAND")
    settle(stack, connection)
    before = item(stack, "credit_memo", NOTE)["state"]

    connection.organisation.edit_credit_memo_by_hand(memo_id, amount_by="0.01")
    event = connection.organisation.announced("credit-memo-updated")[-1]
    connection.organisation.webhooks.send(event)
    settle(stack, connection)

    kept = item(stack, "credit_memo", NOTE)
    assert before == "exported"
    assert (kept["state"], kept["code"]) == ("differs", "total_differs")
    assert (len(memo_calls(stack)), len(application_calls(stack))) == (1, 0)
    no_trouble(stack)


@pytest.mark.parametrize(("by", "noted"), [("0.01", "differs"), ("0.00", "exported")])
def test_a_memo_without_amounts_is_compared_by_what_rillet_says(
    stack: LocalStack, connection: Connection, by: str, noted: str
) -> None:
    memo_id = with_memo(stack, connection)
    hold_back(connection)
    connection.organisation.edit_credit_memo_by_hand(memo_id, amount_by=by)

    send_document(stack, connection, {"id": memo_id}, entity="CREDIT_MEMO", happened="UPDATED")

    assert item(stack, "credit_memo", NOTE)["state"] == noted
    no_trouble(stack)


@pytest.mark.parametrize("entity", ["INVOICE", "CREDIT_MEMO"])
def test_the_deletion_of_what_is_not_ours_leaves_a_note_that_ends_by_itself_and_nothing_else(
    stack: LocalStack, connection: Connection, entity: str
) -> None:
    exported(stack, connection)
    before = stack.ledger()

    status = post(stack, connection, b'"0191c2f0-0000-7000-8000-000000000000"', entity, "DELETED")
    stack.settle()

    left = [entry for entry in stack.ledger() if entry not in before]
    assert status == 200
    assert [entry["pk"].split("#")[1] for entry in left] == [f"link-gone-{entity.lower()}"]
    assert "expires_at" in left[0]
    no_trouble(stack)


def test_another_kind_of_document_with_the_same_id_is_not_the_invoice(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)

    post(stack, connection, f'"{rillet_id}"'.encode(), "CREDIT_MEMO", "DELETED")
    stack.settle()

    assert item(stack, "invoice")["state"] == "exported"


def test_a_change_by_hand_before_the_export_is_finished_is_noted_once_it_is(
    stack: LocalStack, connection: Connection
) -> None:
    stack.rillet.state.misbehave("commit_then_drop")
    load(connection, document(ORIGINAL, "100.00", "21.00"))
    stack.settle()
    [shown] = connection.organisation.invoices.documents()
    connection.organisation.edit_invoice_by_hand(shown["id"], amount_by="0.01")

    settle(stack, connection)
    meanwhile = item(stack, "invoice")["state"]
    for _ in range(4):
        stack.advance(120)
        settle(stack, connection)

    assert meanwhile == "sending"
    assert item(stack, "invoice")["state"] == "differs"
    assert len(connection.organisation.invoices.documents()) == 1
    no_trouble(stack)


def test_an_invoice_that_a_look_finds_deleted_is_noted_too(stack: LocalStack, connection: Connection) -> None:
    rillet_id = exported(stack, connection)
    hold_back(connection)
    connection.organisation.delete_invoice(rillet_id)

    asked = mark(stack, dry_run=True), mark(stack)

    assert [result[0]["outcome"] for result in asked] == ["would_reject", "rejected"]
    assert {result[0]["code"] for result in asked} == {"deleted_in_rillet"}
    assert item(stack, "invoice")["state"] == "differs"


def test_an_old_payment_that_comes_after_the_deletion_leaves_the_note(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = exported(stack, connection)
    old = document_of(connection, rillet_id)
    connection.organisation.delete_invoice(rillet_id)
    settle(stack, connection)
    calls = rillet_calls(stack)

    send_document(stack, connection, old)

    assert item(stack, "invoice")["code"] == "deleted_in_rillet"
    assert rillet_calls(stack) == calls
    assert state(connection) == OPEN
