"""What became of a document after it was booked, found by a reconciliation on the whole local system."""

from typing import Any

import pytest

from local.fake_solvimon import timestamps
from local.system import LocalSystem
from tests.integration.mark_invoice_paid.support import OPEN, PAID, Invoice, connected, exported, settle
from tests.support.arrange import booked_by_hand, configure, credit, ledger_table, load
from tests.support.assertions import invoice_posts, memos, rillet_invoice, rillet_invoices, waiting
from tests.support.builders import NOTE, ORIGINAL, SECOND, Json, credit_note, original

JANUARY = {"from": "2026-01-01", "to": "2026-02-28"}


@pytest.fixture
def invoice(system: LocalSystem) -> Invoice:
    """An invoice of 121.00 EUR in both systems; no webhook of Rillet arrives."""
    made = exported(system, connected(system))
    made.hold_back()
    return made


def reconcile(invoice: Invoice, **more: object) -> Json:
    event = {"connection": "default", **JANUARY, "redrive": False, **more}
    answer: Json = invoice.system.invoke("reconcile", event)
    assert "error" not in answer, answer
    return answer


def kinds(answer: Json) -> list[str]:
    return [finding["kind"] for finding in answer["findings"]]


def entered_again(invoice: Invoice) -> str:
    """Delete the invoice in Rillet and enter it again with our reference; returns its new id."""
    [sent] = invoice_posts(invoice.system)
    invoice.delete(deliver=False)
    made = booked_by_hand(invoice.system, invoice.connection, sent.request_body)
    return str(made["id"])


def credited(invoice: Invoice) -> Json:
    """Credit all of the invoice; returns the memo in Rillet."""
    invoice.credit("-100.00", "-21.00")
    return invoice.memo


def test_what_solvimon_collected_is_paid_in_solvimon_and_open_in_rillet(invoice: Invoice) -> None:
    invoice.platform.collect(ORIGINAL)
    invoice.pay("117.80", deliver=False)

    answer = reconcile(invoice, redrive=True)
    invoice.system.settle()

    assert kinds(answer) == ["paid_in_solvimon"]
    assert answer["tied_out"] is False
    assert answer["redriven"] == 0
    assert (invoice.state, invoice.patches) == (PAID, [])


def test_an_invoice_entered_again_is_named_with_the_ready_event(invoice: Invoice) -> None:
    new_id = entered_again(invoice)
    invoice.organisation.pay(new_id)

    answer = reconcile(invoice, redrive=True)
    [finding] = answer["findings"]
    before = invoice.state
    event = {"resolve": {"invoice_id": ORIGINAL, "rillet_id": new_id, "note": "Entered again in Rillet"}}
    resolved = invoice.system.invoke("sync_status", {"connection": "default", **event})
    invoice.mark()

    assert finding["kind"] == "entered_again"
    assert finding["rillet_ids"] == [new_id]
    assert f'"rillet_id": "{new_id}"' in finding["remedy"]
    assert before == OPEN
    assert resolved["state"] == "exported"
    assert invoice.state == PAID
    assert reconcile(invoice)["tied_out"] is True


def test_the_setting_lets_the_reconciliation_take_over_what_was_entered_again(invoice: Invoice) -> None:
    configure(invoice.system, invoice.connection, entered_again="adopt")
    new_id = entered_again(invoice)
    invoice.organisation.pay(new_id)

    answer = reconcile(invoice)
    invoice.system.settle()

    assert answer.get("entered_again") == 1, answer
    assert invoice.record("invoice")["rillet_id"] == new_id
    assert invoice.state == PAID


def test_another_total_is_not_taken_over(invoice: Invoice) -> None:
    configure(invoice.system, invoice.connection, entered_again="adopt")
    new_id = entered_again(invoice)
    invoice.organisation.edit_invoice(new_id, amount_by="1.00")

    answer = reconcile(invoice)

    assert sorted(kinds(answer)) == ["amount_differs", "entered_again"]
    assert invoice.record("invoice")["rillet_id"] != new_id


def month_of_lines(invoice: Invoice, month: str) -> None:
    [item] = invoice.document["items"]
    period = {"start": f"{month}-01", "end": f"{month}-28"}
    moved = {**item, "revenue": {**item["revenue"], "period": period}}
    invoice.edit(items=[moved], deliver=False)


MOVES: dict[str, Any] = {
    "its date": lambda invoice: invoice.edit(invoice_date="2025-12-31", deliver=False),
    "the periods of its lines": lambda invoice: month_of_lines(invoice, "2026-02"),
}


@pytest.mark.parametrize("what", MOVES)
def test_a_document_moved_into_another_month_is_a_finding_of_its_own(invoice: Invoice, what: str) -> None:
    MOVES[what](invoice)

    answer = reconcile(invoice)

    assert (kinds(answer), answer["tied_out"]) == (["moved_to_another_month"], False)


def write_off(invoice: Invoice, amount: str = "121.00") -> None:
    """Close the invoice with a memo of Rillet's own."""
    invoice.organisation.write_off(invoice.rillet_id, amount)


def test_an_invoice_closed_by_a_memo_of_rillets_own_is_shown_as_that(invoice: Invoice) -> None:
    write_off(invoice)

    answer = reconcile(invoice)

    assert kinds(answer) == ["credited_in_rillet"]
    [finding] = answer["findings"]
    assert "Closed by a memo of Rillet's own, 121.00 EUR" in finding["cause"]
    assert invoice.state == OPEN


def test_with_the_setting_a_write_off_is_marked_in_solvimon_and_then_a_note(invoice: Invoice) -> None:
    configure(invoice.system, invoice.connection, credits_in_rillet="mark")
    write_off(invoice)

    first = reconcile(invoice, redrive=True)
    invoice.system.settle()
    second = reconcile(invoice)

    assert first["redriven"] == 1
    assert invoice.state == PAID
    assert (second["tied_out"], second["differences"]) == (True, 0)


def test_a_credit_used_for_a_later_invoice_is_named_with_both_invoices(invoice: Invoice) -> None:
    load(invoice.connection, credit_note(), original(SECOND))
    invoice.system.settle()
    later = rillet_invoice(invoice.connection, SECOND)
    [memo] = memos(invoice.connection)
    invoice.organisation.apply_memo(memo["id"], {later["id"]: "121.00"})

    answer = reconcile(invoice)

    assert kinds(answer) == ["credit_used_elsewhere"]
    assert answer["findings"][0]["solvimon_id"] == SECOND


def test_a_corrected_link_is_a_difference_until_a_person_moves_the_invoice(invoice: Invoice) -> None:
    """Whatever link the invoice itself shows: that of when it was made."""
    customer = invoice.platform.records["invoices"][ORIGINAL]["customer_id"]
    other = invoice.organisation.customers.add({"name": "The right one"}).id
    link = [{"reference": "rillet_customer_id", "value": other}]
    invoice.platform.edit_customer(customer, custom_fields=link)

    before = reconcile(invoice)
    invoice.edit(customer_id=other, deliver=False)
    after = reconcile(invoice)

    assert kinds(before) == ["customer_differs"]
    assert after["tied_out"] is True


def test_a_refunded_memo_is_not_asked_to_be_refunded_again(invoice: Invoice) -> None:
    invoice.pay(deliver=False)
    invoice.mark()
    memo = credited(invoice)
    invoice.organisation.refund_memo(memo["id"])

    answer = reconcile(invoice)

    assert answer["tied_out"] is True


def test_a_deletion_that_no_webhook_reported_is_named_and_recorded(invoice: Invoice) -> None:
    invoice.delete(deliver=False)

    answer = reconcile(invoice)

    assert kinds(answer) == ["deleted"]
    assert invoice.verdict() == ("differs", "deleted_in_rillet")


@pytest.mark.parametrize("period", [JANUARY, {"from": "2026-03-01", "to": "2026-03-31"}])
def test_an_edit_of_a_memo_that_no_webhook_reported_is_named_whatever_its_date(
    invoice: Invoice, period: Json
) -> None:
    memo = credited(invoice)
    invoice.organisation.edit_credit_memo(memo["id"], amount_by="-1.00")

    answer = reconcile(invoice, **period)

    assert ("amount_differs", NOTE) in [(one["kind"], one["solvimon_id"]) for one in answer["findings"]]
    kept = invoice.record("credit_memo")
    assert (kept["state"], kept["code"]) == ("differs", "total_differs")


def test_a_memo_that_was_corrected_without_a_webhook_is_exported_again_by_the_reconciliation(
    invoice: Invoice,
) -> None:
    memo = credited(invoice)
    invoice.organisation.edit_credit_memo(memo["id"], amount_by="1.00")
    reconcile(invoice)
    before = invoice.record("credit_memo")["state"]
    invoice.organisation.edit_credit_memo(memo["id"], amount_by="-1.00")

    answer = reconcile(invoice)

    assert (before, invoice.record("credit_memo")["state"]) == ("differs", "exported")
    assert answer["tied_out"] is True


def test_the_nightly_reconciliation_finds_what_only_a_webhook_tells(invoice: Invoice) -> None:
    """A credit note that is dated far back, and whose webhook is lost."""
    invoice.system.invoke("sweep", {"connection": "default"})
    invoice.system.solvimon.state.webhooks_on = False
    invoice.system.advance(60)
    made_at = timestamps.to_text(invoice.system.clock.now())
    load(invoice.connection, credit_note(invoice_date="2025-06-01T09:00:00Z", created_at=made_at))

    answer = invoice.system.invoke("reconcile", {"connection": "default"})
    invoice.system.settle()

    assert [(one["kind"], one["solvimon_id"]) for one in answer["findings"]] == [("missing", NOTE)]
    assert answer["redriven"] == 1
    assert invoice.record("credit_memo")["state"] == "exported"


def restored(invoice: Invoice, moment: str) -> None:
    """Restore the ledger's table to the time before anything was exported, and say so in the settings."""
    for item in invoice.system.ledger():
        ledger_table(invoice.system).delete_row(item["pk"], item.get("sk", "RECORD"))
    configure(invoice.system, invoice.connection, ledger_restored_to=moment)


def test_after_a_restore_exports_wait_until_what_rillet_has_is_adopted(invoice: Invoice) -> None:
    credited(invoice)
    before = (rillet_invoices(invoice.connection), memos(invoice.connection))
    restored(invoice, "2026-02-01T00:00:00Z")
    load(invoice.connection, original(SECOND))
    invoice.system.settle()

    waits = [
        invoice.export()["outcome"],
        credit(invoice.system)[0]["outcome"],
        waiting(invoice.system).total > 0,
    ]
    answer = reconcile(invoice, adopt=True)
    invoice.system.advance(900)
    settle(invoice.system, invoice.connection)

    assert waits == ["queued", "queued", True]
    assert answer["adopted"] == 2
    assert [invoice.export()["outcome"], credit(invoice.system)[0]["outcome"]] == ["already_exported"] * 2
    new = rillet_invoice(invoice.connection, SECOND)
    assert ([i for i in rillet_invoices(invoice.connection) if i != new], memos(invoice.connection)) == before
    assert reconcile(invoice)["tied_out"] is True


def test_a_document_of_another_period_is_adopted_by_its_reference(invoice: Invoice) -> None:
    restored(invoice, "2026-03-15T00:00:00Z")

    answer = reconcile(invoice, adopt=True, **{"from": "2026-03-01", "to": "2026-03-31"})

    assert answer["adopted"] == 1
    assert invoice.export()["outcome"] == "already_exported"


def test_a_memo_that_was_not_applied_when_the_ledger_was_restored_is_applied(invoice: Invoice) -> None:
    memo = credited(invoice)
    invoice.organisation.apply_memo(memo["id"], {})
    restored(invoice, "2026-02-01T00:00:00Z")

    reconcile(invoice, adopt=True)
    invoice.system.advance(25 * 3600)  # the fake remembers the same applications by their key
    [result] = credit(invoice.system)

    assert result["outcome"] == "exported"
    assert len(memos(invoice.connection)) == 1
    assert memos(invoice.connection)[0]["remaining_amount"]["amount"] == "0.00"


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"adopt": True}, "give from with adopt"),
        ({"adopt": True, "from": "2026-05-01"}, "after the ledger was restored"),
    ],
)
def test_an_adoption_that_would_miss_documents_is_refused(invoice: Invoice, event: Json, named: str) -> None:
    configure(invoice.system, invoice.connection, ledger_restored_to="2026-02-01T00:00:00Z")

    answer = invoice.system.invoke("reconcile", {"connection": "default", **event})

    assert named in answer["error"]
    assert invoice.export()["outcome"] == "queued"
