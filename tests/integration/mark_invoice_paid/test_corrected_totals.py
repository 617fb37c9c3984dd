"""What was corrected in Rillet is as it was before; what is worse than another total is not."""

from collections.abc import Callable

import pytest

from solvimon_rillet.rillet.client import RilletClient
from tests.integration.mark_invoice_paid.support import DELETED, TOTAL_DIFFERS, Invoice
from tests.support.arrange import credit, load, patched
from tests.support.assertions import application_posts, applied
from tests.support.builders import NOTE, Json, credit_note

pytestmark = pytest.mark.slow

WHY = {"code", "message", "remedy"}


CORRECTIONS: dict[str, tuple[str, Callable[[Invoice, str], None]]] = {
    "an invoice": ("invoice", lambda invoice, by: invoice.edit(amount_by=by)),
    "a memo": ("credit_memo", lambda invoice, by: invoice.edit_memo(amount_by=by)),
}


@pytest.mark.parametrize("document", CORRECTIONS)
def test_a_document_whose_total_is_corrected_is_exported_again(invoice: Invoice, document: str) -> None:
    kind, edit = CORRECTIONS[document]
    if kind == "credit_memo":
        invoice.credit()
    edit(invoice, "0.01")
    wrong = invoice.verdict(kind)

    edit(invoice, "-0.01")

    kept = invoice.record(kind)
    assert (wrong, kept["state"]) == (TOTAL_DIFFERS, "exported")
    assert not WHY & kept.keys()
    assert invoice.export()["outcome"] == "already_exported"
    invoice.no_trouble()


def test_a_request_finds_a_corrected_total_whose_webhook_is_lost(invoice: Invoice) -> None:
    invoice.edit(amount_by="0.01")
    wrong = invoice.verdict()
    invoice.hold_back()
    invoice.edit(amount_by="-0.01")

    result = invoice.mark()

    kept = invoice.record("invoice")
    assert (wrong, result["outcome"], kept["state"]) == (TOTAL_DIFFERS, "unchanged", "exported")
    assert not WHY & kept.keys()
    assert invoice.export()["outcome"] == "already_exported"
    invoice.no_trouble()


def test_an_older_event_with_the_right_total_corrects_nothing(invoice: Invoice) -> None:
    old = invoice.shown()
    invoice.edit(amount_by="0.01")

    invoice.send_document(old, happened="UPDATED")

    assert invoice.verdict() == TOTAL_DIFFERS


def test_an_older_event_with_a_wrong_total_does_not_undo_the_correction(invoice: Invoice) -> None:
    invoice.edit(amount_by="0.01", deliver=False)
    wrong = invoice.shown()
    invoice.settle()
    invoice.edit(amount_by="-0.01")

    invoice.send_document(wrong, happened="UPDATED")

    assert invoice.record("invoice")["state"] == "exported"


def test_a_right_total_with_another_tax_in_it_is_no_correction(invoice: Invoice) -> None:
    invoice.edit(amount_by="0.01")
    amounts = {"total": "121.00", "taxed_amount": "20.99"}

    shown: Json = {name: {**invoice.document[name], "amount": amounts[name]} for name in amounts}
    invoice.edit(**shown)

    assert invoice.verdict() == TOTAL_DIFFERS


@pytest.mark.parametrize("changes", [{}, {"total": {"amount": "999.00", "currency": "EUR"}}])
def test_a_deleted_invoice_keeps_that_code_when_an_edit_arrives_late(invoice: Invoice, changes: Json) -> None:
    late = invoice.shown(updated_at="2030-01-01T00:00:00Z", **changes)
    invoice.delete()

    invoice.send_document(late, happened="UPDATED")

    assert invoice.verdict() == DELETED


def test_a_retry_applies_a_memo_that_is_corrected(invoice: Invoice) -> None:
    real = RilletClient.create_credit_memo

    def wrong(self: RilletClient, *args: object) -> object:
        answer = real(self, *args)  # type: ignore[arg-type]
        memo = invoice.organisation.edit_credit_memo(answer.id, amount_by="0.01")
        return answer.model_validate(memo)

    with patched(RilletClient, "create_credit_memo", wrong):
        load(invoice.connection, credit_note(NOTE, "-50.00", "-10.50"))
        [booked] = credit(invoice.system)
    invoice.settle()

    invoice.edit_memo(amount_by="-0.01")
    corrected = invoice.record("credit_memo")
    [retried] = credit(invoice.system)

    assert (booked["outcome"], booked["code"]) == ("differs", "total_differs")
    assert (corrected["state"], corrected["code"]) == ("rejected", "total_differs")
    assert "not applied" in corrected["message"]
    assert "Retry the credit note" in corrected["remedy"]
    assert (retried["outcome"], retried["applied"]) == ("exported", "60.50")
    assert applied(invoice.memo) == {invoice.rillet_id: "60.50"}
    assert len(application_posts(invoice.system)) == 1


@pytest.mark.parametrize(("by", "state"), [(("0.01", "-0.01"), "exported"), (("0.01",), "differs")])
def test_an_older_event_of_a_memo_reverts_nothing(invoice: Invoice, by: tuple[str, ...], state: str) -> None:
    invoice.credit()
    invoice.hold_back()
    for amount in ("5.00", "-5.00", *by):
        invoice.edit_memo(amount_by=amount)
    happened = invoice.events("credit-memo-updated")

    invoice.send(happened[-1], *happened[:-1], happened[0])

    assert invoice.record("credit_memo")["state"] == state
    assert invoice.record("memo")["seen_at"] == invoice.memo["updated_at"]
    invoice.no_trouble()


def test_a_read_that_finds_a_memo_deleted_records_it(invoice: Invoice) -> None:
    invoice.credit()
    invoice.hold_back()
    memo_id = invoice.memo["id"]
    invoice.organisation.credit_memos.remove(memo_id)

    invoice.send_document({"id": memo_id}, entity="CREDIT_MEMO", happened="UPDATED")

    assert invoice.verdict("credit_memo") == DELETED
