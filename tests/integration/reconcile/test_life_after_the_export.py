"""What became of a document after it was booked, found by a reconciliation on the whole local system."""

from typing import Any

import pytest

from local.fake_solvimon import timestamps
from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import OPEN, PAID, Invoice, connected, exported, settle
from tests.integration.reconcile.support import Json
from tests.support.arrange import booked_by_hand, configure, credit, export, load
from tests.support.assertions import memo_record, memos, record, rillet_invoice, rillet_invoices, waiting
from tests.support.builders import NOTE, ORIGINAL, SECOND, credit_note, original

JANUARY = {"from": "2026-01-01", "to": "2026-02-28"}


@pytest.fixture
def invoice(system: LocalSystem) -> Invoice:
    """An invoice of 121.00 EUR in both systems; no webhook of Rillet arrives."""
    made = exported(system, connected(system))
    made.hold_back()
    return made


def reconcile(system: LocalSystem, **more: object) -> Json:
    answer: Json = system.invoke("reconcile", {"connection": "default", **JANUARY, "redrive": False, **more})
    assert "error" not in answer, answer
    return answer


def kinds(answer: Json) -> list[str]:
    return [finding["kind"] for finding in answer["findings"]]


def entered_again(invoice: Invoice) -> str:
    """Delete the invoice in Rillet and enter it again with our reference; returns its new id."""
    [sent] = [
        call.request_body
        for call in invoice.system.rillet.state.calls
        if call.method == "POST" and call.path == "/invoices"
    ]
    invoice.delete(deliver=False)
    made = booked_by_hand(invoice.system, invoice.connection, sent)
    return str(made["id"])


def test_what_solvimon_collected_is_paid_in_solvimon_and_open_in_rillet(
    system: LocalSystem, invoice: Invoice
) -> None:
    invoice.platform.collect(ORIGINAL)
    invoice.pay("117.80", deliver=False)

    answer = reconcile(system, redrive=True)
    system.settle()

    assert kinds(answer) == ["paid_in_solvimon"]
    assert answer["tied_out"] is False
    assert answer["redriven"] == 0
    assert (invoice.state, invoice.patches) == (PAID, [])


def test_an_invoice_entered_again_is_named_with_the_ready_event(
    system: LocalSystem, invoice: Invoice
) -> None:
    new_id = entered_again(invoice)
    invoice.organisation.pay(new_id)

    answer = reconcile(system, redrive=True)
    [finding] = answer["findings"]
    before = invoice.state
    event = {"resolve": {"invoice_id": ORIGINAL, "rillet_id": new_id, "note": "Entered again in Rillet"}}
    resolved = system.invoke("sync_status", {"connection": "default", **event})
    invoice.mark()

    assert finding["kind"] == "entered_again"
    assert finding["rillet_ids"] == [new_id]
    assert f'"rillet_id": "{new_id}"' in finding["remedy"]
    assert before == OPEN
    assert resolved["state"] == "exported"
    assert invoice.state == PAID
    assert reconcile(system)["tied_out"] is True


def test_the_setting_lets_the_reconciliation_take_over_what_was_entered_again(
    system: LocalSystem, invoice: Invoice
) -> None:
    configure(system, invoice.connection, entered_again="adopt")
    new_id = entered_again(invoice)
    invoice.organisation.pay(new_id)

    answer = reconcile(system)
    system.settle()

    assert answer.get("entered_again") == 1, answer
    assert record(system, ORIGINAL)["rillet_id"] == new_id
    assert invoice.state == PAID


def test_another_total_is_not_taken_over(system: LocalSystem, invoice: Invoice) -> None:
    configure(system, invoice.connection, entered_again="adopt")
    new_id = entered_again(invoice)
    invoice.organisation.edit_invoice(new_id, amount_by="1.00")

    answer = reconcile(system)

    assert sorted(kinds(answer)) == ["amount_differs", "entered_again"]
    assert record(system, ORIGINAL)["rillet_id"] != new_id


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
def test_a_document_moved_into_another_month_is_a_finding_of_its_own(
    system: LocalSystem, invoice: Invoice, what: str
) -> None:
    MOVES[what](invoice)

    answer = reconcile(system)

    assert (kinds(answer), answer["tied_out"]) == (["moved_to_another_month"], False)


def write_off(invoice: Invoice, amount: str = "121.00") -> None:
    """Close the invoice with a memo of Rillet's own."""
    invoice.organisation.write_off(invoice.rillet_id, amount)


def test_an_invoice_closed_by_a_memo_of_rillets_own_is_shown_as_that(
    system: LocalSystem, invoice: Invoice
) -> None:
    write_off(invoice)

    answer = reconcile(system)

    assert kinds(answer) == ["credited_in_rillet"]
    [finding] = answer["findings"]
    assert "Closed by a memo of Rillet's own, 121.00 EUR" in finding["cause"]
    assert invoice.state == OPEN


def test_with_the_setting_a_write_off_is_marked_in_solvimon_and_then_a_note(
    system: LocalSystem, invoice: Invoice
) -> None:
    configure(system, invoice.connection, credits_in_rillet="mark")
    write_off(invoice)

    first = reconcile(system, redrive=True)
    system.settle()
    second = reconcile(system)

    assert first["redriven"] == 1
    assert invoice.state == PAID
    assert (second["tied_out"], second["differences"]) == (True, 0)


def test_a_credit_used_for_a_later_invoice_is_named_with_both_invoices(
    system: LocalSystem, invoice: Invoice
) -> None:
    load(invoice.connection, credit_note(), original(SECOND))
    system.settle()
    later = rillet_invoice(invoice.connection, SECOND)
    [memo] = memos(invoice.connection)
    invoice.organisation.apply_memo(memo["id"], {later["id"]: "121.00"})

    answer = reconcile(system)

    assert kinds(answer) == ["credit_used_elsewhere"]
    assert answer["findings"][0]["solvimon_id"] == SECOND


def test_a_corrected_link_is_a_difference_until_a_person_moves_the_invoice(
    system: LocalSystem, invoice: Invoice
) -> None:
    """Whatever link the invoice itself shows: that of when it was made."""
    customer = invoice.platform.records["invoices"][ORIGINAL]["customer_id"]
    other = invoice.organisation.customers.add({"name": "The right one"}).id
    link = [{"reference": "rillet_customer_id", "value": other}]
    invoice.platform.edit_customer(customer, custom_fields=link)

    before = reconcile(system)
    invoice.edit(customer_id=other, deliver=False)
    after = reconcile(system)

    assert kinds(before) == ["customer_differs"]
    assert after["tied_out"] is True


def test_a_refunded_memo_is_not_asked_to_be_refunded_again(system: LocalSystem, invoice: Invoice) -> None:
    invoice.pay(deliver=False)
    invoice.mark()
    load(invoice.connection, credit_note())
    system.settle()
    [memo] = memos(invoice.connection)
    invoice.organisation.refund_memo(memo["id"])

    answer = reconcile(system)

    assert answer["tied_out"] is True


def test_a_deletion_that_no_webhook_reported_is_named_and_recorded(
    system: LocalSystem, invoice: Invoice
) -> None:
    invoice.delete(deliver=False)

    answer = reconcile(system)

    assert kinds(answer) == ["deleted"]
    assert invoice.verdict() == ("differs", "deleted_in_rillet")


@pytest.mark.parametrize("period", [JANUARY, {"from": "2026-03-01", "to": "2026-03-31"}])
def test_an_edit_of_a_memo_that_no_webhook_reported_is_named_whatever_its_date(
    system: LocalSystem, invoice: Invoice, period: Json
) -> None:
    load(invoice.connection, credit_note())
    system.settle()
    [memo] = memos(invoice.connection)
    invoice.organisation.edit_credit_memo(memo["id"], amount_by="-1.00")

    answer = reconcile(system, **period)

    assert ("amount_differs", NOTE) in [(one["kind"], one["solvimon_id"]) for one in answer["findings"]]
    kept = memo_record(system)
    assert (kept["state"], kept["code"]) == ("differs", "total_differs")


def test_a_memo_that_was_corrected_without_a_webhook_is_exported_again_by_the_reconciliation(
    system: LocalSystem, invoice: Invoice
) -> None:
    load(invoice.connection, credit_note())
    system.settle()
    [memo] = memos(invoice.connection)
    invoice.organisation.edit_credit_memo(memo["id"], amount_by="1.00")
    reconcile(system)
    before = memo_record(system)["state"]
    invoice.organisation.edit_credit_memo(memo["id"], amount_by="-1.00")

    answer = reconcile(system)

    assert (before, memo_record(system)["state"]) == ("differs", "exported")
    assert answer["tied_out"] is True


def test_the_nightly_reconciliation_finds_what_only_a_webhook_tells(
    system: LocalSystem, invoice: Invoice
) -> None:
    """A credit note that is dated far back, and whose webhook is lost."""
    system.invoke("sweep", {"connection": "default"})
    system.solvimon.state.webhooks_on = False
    system.advance(60)
    made_at = timestamps.to_text(system.clock.now())
    load(invoice.connection, credit_note(invoice_date="2025-06-01T09:00:00Z", created_at=made_at))

    answer = system.invoke("reconcile", {"connection": "default"})
    system.settle()

    assert [(one["kind"], one["solvimon_id"]) for one in answer["findings"]] == [("missing", NOTE)]
    assert answer["redriven"] == 1
    assert memo_record(system)["state"] == "exported"


def restored(system: LocalSystem, connection: Connection, moment: str) -> None:
    """Restore the ledger's table to the time before anything was exported, and say so in the settings."""
    table = system.deployment.outputs["LedgerTableName"]
    for item in system.ledger():
        key = {"pk": {"S": item["pk"]}, "sk": {"S": item.get("sk", "RECORD")}}
        system.aws.dynamodb.delete_item(TableName=table, Key=key)
    configure(system, connection, ledger_restored_to=moment)


def test_after_a_restore_exports_wait_until_what_rillet_has_is_adopted(
    system: LocalSystem, invoice: Invoice
) -> None:
    load(invoice.connection, credit_note())
    system.settle()
    before = (rillet_invoices(invoice.connection), memos(invoice.connection))
    restored(system, invoice.connection, "2026-02-01T00:00:00Z")
    load(invoice.connection, original(SECOND))
    system.settle()

    waits = [export(system, ORIGINAL)[0]["outcome"], credit(system)[0]["outcome"], waiting(system).total > 0]
    answer = reconcile(system, adopt=True)
    system.advance(900)
    settle(system, invoice.connection)

    assert waits == ["queued", "queued", True]
    assert answer["adopted"] == 2
    assert [export(system, ORIGINAL)[0]["outcome"], credit(system)[0]["outcome"]] == ["already_exported"] * 2
    new = rillet_invoice(invoice.connection, SECOND)
    assert ([i for i in rillet_invoices(invoice.connection) if i != new], memos(invoice.connection)) == before
    assert reconcile(system)["tied_out"] is True


def test_a_document_of_another_period_is_adopted_by_its_reference(
    system: LocalSystem, invoice: Invoice
) -> None:
    restored(system, invoice.connection, "2026-03-15T00:00:00Z")

    answer = reconcile(system, adopt=True, **{"from": "2026-03-01", "to": "2026-03-31"})

    assert answer["adopted"] == 1
    assert export(system, ORIGINAL)[0]["outcome"] == "already_exported"


def test_a_memo_that_was_not_applied_when_the_ledger_was_restored_is_applied(
    system: LocalSystem, invoice: Invoice
) -> None:
    load(invoice.connection, credit_note())
    system.settle()
    [memo] = memos(invoice.connection)
    invoice.organisation.apply_memo(memo["id"], {})
    restored(system, invoice.connection, "2026-02-01T00:00:00Z")

    reconcile(system, adopt=True)
    system.advance(25 * 3600)  # the fake remembers the same applications by their key
    [result] = credit(system)

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
def test_an_adoption_that_would_miss_documents_is_refused(
    system: LocalSystem, invoice: Invoice, event: Json, named: str
) -> None:
    configure(system, invoice.connection, ledger_restored_to="2026-02-01T00:00:00Z")

    answer = system.invoke("reconcile", {"connection": "default", **event})

    assert named in answer["error"]
    assert export(system, ORIGINAL)[0]["outcome"] == "queued"
