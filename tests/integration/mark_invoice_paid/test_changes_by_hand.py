"""What people delete or change in Rillet is recorded and reported, and never created again."""

import json
import re

import pytest

from tests.integration.mark_invoice_paid.support import DELETED, OPEN, PAID, TOTAL_DIFFERS, Invoice
from tests.support.arrange import credit
from tests.support.assertions import application_posts, invoice_posts, memo_posts
from tests.support.builders import Json

pytestmark = pytest.mark.slow


@pytest.fixture
def memo(invoice: Invoice) -> Json:
    """A credit memo that is applied to nothing, as nothing names its invoice."""
    invoice.credit("-50.00", "-10.50", "", type="ONE_OFF_CREDIT", linked_invoices=[])
    return invoice.memo


@pytest.mark.parametrize("times", [1, 2])
def test_an_invoice_deleted_in_rillet_differs_and_is_not_created_again(invoice: Invoice, times: int) -> None:
    invoice.delete(deliver=False)
    [event] = invoice.events("invoice-deleted")
    for _ in range(times - 1):
        invoice.organisation.webhooks.send(event)
    answers = invoice.settle()

    kept = invoice.record("invoice")
    assert json.loads(event.body) == invoice.rillet_id
    assert answers == [200] * times
    assert invoice.verdict() == DELETED
    assert invoice.rillet_id in kept["message"]
    assert "Solvimon" in kept["remedy"]
    assert invoice.export()["outcome"] == "differs"
    assert len(invoice_posts(invoice.system)) == 1
    assert invoice.state == OPEN
    invoice.no_trouble()


def test_a_memo_deleted_in_rillet_differs_and_is_not_created_again(invoice: Invoice, memo: Json) -> None:
    invoice.organisation.delete_credit_memo(memo["id"])
    invoice.settle()

    kept = invoice.record("credit_memo")
    assert invoice.verdict("credit_memo") == DELETED
    assert f"credit memo {memo['id']}" in kept["message"]
    assert credit(invoice.system)[0]["outcome"] == "differs"
    assert len(memo_posts(invoice.system)) == 1
    invoice.no_trouble()


@pytest.mark.parametrize(("by", "total"), [("0.01", "121.01"), ("-0.01", "120.99")])
def test_an_invoice_changed_by_a_cent_differs_with_both_totals(invoice: Invoice, by: str, total: str) -> None:
    invoice.edit(amount_by=by)

    kept = invoice.record("invoice")
    assert invoice.verdict() == TOTAL_DIFFERS
    assert re.search(rf"{total} EUR instead of 121(\.00)? EUR", kept["message"])
    assert invoice.export()["outcome"] == "differs"
    assert len(invoice_posts(invoice.system)) == 1
    invoice.no_trouble()


def test_an_invoice_that_differs_is_still_marked_paid_and_the_answer_says_both(invoice: Invoice) -> None:
    invoice.edit(amount_by="0.01", deliver=False)
    invoice.pay()

    answer = invoice.mark()

    assert invoice.state == PAID
    assert (answer["outcome"], answer["code"], answer["paid"]) == ("differs", "total_differs", True)


def test_an_invoice_edited_without_another_total_stays_exported(invoice: Invoice) -> None:
    invoice.edit(due_date="2027-01-01", memo="by hand")

    assert invoice.record("invoice")["state"] == "exported"
    assert invoice.patches == []


def test_a_memo_changed_by_a_cent_differs_when_its_webhook_comes_twice(invoice: Invoice, memo: Json) -> None:
    invoice.edit_memo(credit_memo_number="CM-BY-HAND")
    before = invoice.record("credit_memo")["state"]

    invoice.edit_memo(amount_by="0.01")
    event = invoice.events("credit-memo-updated")[-1]
    invoice.organisation.webhooks.send(event)
    invoice.settle()

    assert before == "exported"
    assert invoice.verdict("credit_memo") == TOTAL_DIFFERS
    assert (len(memo_posts(invoice.system)), len(application_posts(invoice.system))) == (1, 0)
    invoice.no_trouble()


@pytest.mark.parametrize(("by", "state"), [("0.01", "differs"), ("0.00", "exported")])
def test_an_event_without_amounts_reads_the_memo(invoice: Invoice, memo: Json, by: str, state: str) -> None:
    invoice.hold_back()
    invoice.edit_memo(amount_by=by)

    invoice.send_document({"id": memo["id"]}, entity="CREDIT_MEMO", happened="UPDATED")

    assert invoice.record("credit_memo")["state"] == state
    invoice.no_trouble()


@pytest.mark.parametrize("entity", ["INVOICE", "CREDIT_MEMO"])
def test_the_deletion_of_a_foreign_document_leaves_a_mark_that_expires(invoice: Invoice, entity: str) -> None:
    before = invoice.system.ledger()

    status = invoice.post(b'"0191c2f0-0000-7000-8000-000000000000"', entity, "DELETED")
    invoice.system.settle()

    left = [entry for entry in invoice.system.ledger() if entry not in before]
    assert status == 200
    assert [entry["pk"].split("#")[1] for entry in left] == [f"link-gone-{entity.lower()}"]
    assert "expires_at" in left[0]
    invoice.no_trouble()


def test_another_kind_of_document_with_the_same_id_is_not_the_invoice(invoice: Invoice) -> None:
    invoice.post(f'"{invoice.rillet_id}"'.encode(), "CREDIT_MEMO", "DELETED")
    invoice.system.settle()

    assert invoice.record("invoice")["state"] == "exported"


def test_a_change_by_hand_before_the_export_is_finished_is_recorded_after_it(unconfirmed: Invoice) -> None:
    unconfirmed.edit(amount_by="0.01")
    meanwhile = unconfirmed.record("invoice")["state"]

    unconfirmed.settle_slowly()

    assert (meanwhile, unconfirmed.record("invoice")["state"]) == ("sending", "differs")
    assert len(unconfirmed.organisation.invoices.documents()) == 1
    unconfirmed.no_trouble()


def test_a_request_that_finds_the_invoice_deleted_records_it(invoice: Invoice) -> None:
    invoice.hold_back()
    invoice.delete(deliver=False)

    asked = invoice.mark(dry_run=True), invoice.mark()

    assert [result["outcome"] for result in asked] == ["would_reject", "rejected"]
    assert {result["code"] for result in asked} == {"deleted_in_rillet"}
    assert invoice.record("invoice")["state"] == "differs"


def test_an_old_payment_that_comes_after_the_deletion_does_not_clear_it(invoice: Invoice) -> None:
    old = invoice.shown()
    invoice.delete()
    calls = invoice.rillet_calls

    invoice.send_document(old)

    assert invoice.record("invoice")["code"] == "deleted_in_rillet"
    assert invoice.rillet_calls == calls
    assert invoice.state == OPEN
