"""What people delete or change in Rillet is noted and reported, and never created again."""

import json

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import (
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
from tests.support.arrange import credit, export, load
from tests.support.assertions import application_posts, invoice_posts, memo_posts, memos
from tests.support.builders import NOTE, ORIGINAL, credit_note, document

pytestmark = pytest.mark.slow


def with_memo(system: LocalSystem, connection: Connection) -> str:
    """An invoice and a credit memo that is applied to nothing, as nothing names its invoice."""
    exported(system, connection)
    load(connection, credit_note(NOTE, "-50.00", "-10.50", "", type="ONE_OFF_CREDIT", linked_invoices=[]))
    system.settle()
    settle(system, connection)
    [memo] = memos(connection)
    assert item(system, "credit_memo", NOTE)["state"] == "exported"
    identifier: str = memo["id"]
    return identifier


@pytest.mark.parametrize("times", [1, 2])
def test_an_invoice_deleted_in_rillet_is_noted_and_not_created_again(
    system: LocalSystem, connection: Connection, times: int
) -> None:
    rillet_id = exported(system, connection)

    connection.organisation.delete_invoice(rillet_id)
    [event] = connection.organisation.announced("invoice-deleted")
    for _ in range(times - 1):
        connection.organisation.webhooks.send(event)
    answers = settle(system, connection)

    kept = item(system, "invoice")
    assert json.loads(event.body) == rillet_id
    assert answers == [200] * times
    assert (kept["state"], kept["code"]) == ("differs", "deleted_in_rillet")
    assert rillet_id in kept["message"]
    assert "Solvimon" in kept["remedy"]
    assert export(system, ORIGINAL)[0]["outcome"] == "differs"
    assert len(invoice_posts(system)) == 1
    assert state(connection) == OPEN
    no_trouble(system)


def test_a_memo_deleted_in_rillet_is_noted_and_not_created_again(
    system: LocalSystem, connection: Connection
) -> None:
    memo_id = with_memo(system, connection)

    connection.organisation.delete_credit_memo(memo_id)
    settle(system, connection)

    kept = item(system, "credit_memo", NOTE)
    assert (kept["state"], kept["code"]) == ("differs", "deleted_in_rillet")
    assert f"credit memo {memo_id}" in kept["message"]
    assert credit(system)[0]["outcome"] == "differs"
    assert len(memo_posts(system)) == 1
    no_trouble(system)


@pytest.mark.parametrize("by", ["0.01", "-0.01"])
def test_an_invoice_changed_by_a_cent_is_noted_with_both_totals(
    system: LocalSystem, connection: Connection, by: str
) -> None:
    rillet_id = exported(system, connection)

    connection.organisation.edit_invoice(rillet_id, amount_by=by)
    settle(system, connection)

    kept = item(system, "invoice")
    total = {"0.01": "121.01", "-0.01": "120.99"}[by]
    assert (kept["state"], kept["code"]) == ("differs", "total_differs")
    assert (
        f"{total} EUR instead of 121 EUR" in kept["message"]
        or f"{total} EUR instead of 121.00 EUR" in kept["message"]
    )
    assert export(system, ORIGINAL)[0]["outcome"] == "differs"
    assert len(invoice_posts(system)) == 1
    no_trouble(system)


def test_an_invoice_that_differs_is_still_marked_paid_and_the_answer_says_both(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    connection.organisation.edit_invoice(rillet_id, amount_by="0.01")
    connection.organisation.pay(rillet_id)
    settle(system, connection)

    [told] = mark(system)

    assert state(connection) == PAID
    assert (told["outcome"], told["code"], told["paid"]) == ("differs", "total_differs", True)


def test_an_invoice_edited_without_another_total_is_as_it_was(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)

    connection.organisation.edit_invoice(rillet_id, due_date="2027-01-01", memo="by hand")
    settle(system, connection)

    assert item(system, "invoice")["state"] == "exported"
    assert patches(system) == []


def test_a_memo_changed_by_a_cent_is_noted_also_when_its_webhook_comes_twice(
    system: LocalSystem, connection: Connection
) -> None:
    memo_id = with_memo(system, connection)
    connection.organisation.edit_credit_memo(memo_id, credit_memo_number="CM-BY-HAND")
    settle(system, connection)
    before = item(system, "credit_memo", NOTE)["state"]

    connection.organisation.edit_credit_memo(memo_id, amount_by="0.01")
    event = connection.organisation.announced("credit-memo-updated")[-1]
    connection.organisation.webhooks.send(event)
    settle(system, connection)

    kept = item(system, "credit_memo", NOTE)
    assert before == "exported"
    assert (kept["state"], kept["code"]) == ("differs", "total_differs")
    assert (len(memo_posts(system)), len(application_posts(system))) == (1, 0)
    no_trouble(system)


@pytest.mark.parametrize(("by", "noted"), [("0.01", "differs"), ("0.00", "exported")])
def test_a_memo_without_amounts_is_compared_by_what_rillet_says(
    system: LocalSystem, connection: Connection, by: str, noted: str
) -> None:
    memo_id = with_memo(system, connection)
    hold_back(connection)
    connection.organisation.edit_credit_memo(memo_id, amount_by=by)

    send_document(system, connection, {"id": memo_id}, entity="CREDIT_MEMO", happened="UPDATED")

    assert item(system, "credit_memo", NOTE)["state"] == noted
    no_trouble(system)


@pytest.mark.parametrize("entity", ["INVOICE", "CREDIT_MEMO"])
def test_the_deletion_of_what_is_not_ours_leaves_a_note_that_ends_by_itself_and_nothing_else(
    system: LocalSystem, connection: Connection, entity: str
) -> None:
    exported(system, connection)
    before = system.ledger()

    status = post(system, connection, b'"0191c2f0-0000-7000-8000-000000000000"', entity, "DELETED")
    system.settle()

    left = [entry for entry in system.ledger() if entry not in before]
    assert status == 200
    assert [entry["pk"].split("#")[1] for entry in left] == [f"link-gone-{entity.lower()}"]
    assert "expires_at" in left[0]
    no_trouble(system)


def test_another_kind_of_document_with_the_same_id_is_not_the_invoice(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)

    post(system, connection, f'"{rillet_id}"'.encode(), "CREDIT_MEMO", "DELETED")
    system.settle()

    assert item(system, "invoice")["state"] == "exported"


def test_a_change_by_hand_before_the_export_is_finished_is_noted_once_it_is(
    system: LocalSystem, connection: Connection
) -> None:
    system.rillet.state.misbehave("commit_then_drop")
    load(connection, document(ORIGINAL, "100.00", "21.00"))
    system.settle()
    [shown] = connection.organisation.invoices.documents()
    connection.organisation.edit_invoice(shown["id"], amount_by="0.01")

    settle(system, connection)
    meanwhile = item(system, "invoice")["state"]
    for _ in range(4):
        system.advance(120)
        settle(system, connection)

    assert meanwhile == "sending"
    assert item(system, "invoice")["state"] == "differs"
    assert len(connection.organisation.invoices.documents()) == 1
    no_trouble(system)


def test_an_invoice_that_a_look_finds_deleted_is_noted_too(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    connection.organisation.delete_invoice(rillet_id)

    asked = mark(system, dry_run=True), mark(system)

    assert [result[0]["outcome"] for result in asked] == ["would_reject", "rejected"]
    assert {result[0]["code"] for result in asked} == {"deleted_in_rillet"}
    assert item(system, "invoice")["state"] == "differs"


def test_an_old_payment_that_comes_after_the_deletion_leaves_the_note(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    old = document_of(connection, rillet_id)
    connection.organisation.delete_invoice(rillet_id)
    settle(system, connection)
    calls = rillet_calls(system)

    send_document(system, connection, old)

    assert item(system, "invoice")["code"] == "deleted_in_rillet"
    assert rillet_calls(system) == calls
    assert state(connection) == OPEN
