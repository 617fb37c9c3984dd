"""A person resolves a document by hand, and the ledger keeps to it."""

from collections.abc import Callable

import pytest

from tests.integration.mark_invoice_paid.support import hold_back, state
from tests.integration.sync_status.support import UNKNOWN_ID, Default, some
from tests.support.arrange import booked_by_hand, configure, credit, put_on_queue
from tests.support.assertions import calls_to, memos, rillet_invoice
from tests.support.builders import NOTE, ORIGINAL, SECOND, Json, bus_event, credit_note, original


def test_a_document_that_was_booked_by_hand_is_exported_and_never_sent_again(default: Default) -> None:
    rillet_id = default.rejected_and_booked()
    posts = len(default.sent)

    answer = default.resolve(invoice_id=ORIGINAL, rillet_id=rillet_id)

    assert (answer["was"], answer["state"], answer["rillet_id"]) == ("rejected", "exported", rillet_id)
    assert answer["totals"] == {"net": "100.00", "tax": "21.00", "gross": "121.00", "currency": "EUR"}
    assert answer["warnings"] == []
    reads = [call for call in calls_to(default.system, "GET") if call.path.startswith("/invoices")]
    assert [call.path for call in reads] == [f"/invoices/{rillet_id}"]
    put_on_queue(default.system, bus_event(ORIGINAL))
    default.work_off()
    assert default.export(ORIGINAL)[0]["outcome"] == "already_exported"
    assert len(default.sent) == posts
    kept = default.record()
    assert (kept["by_hand"], kept["note"]) == (True, "booked by hand, ticket 4711")
    assert kept.keys().isdisjoint({"code", "message", "remedy"})
    history = default.ask(invoice_id=ORIGINAL)
    assert "A person resolved it manually" in history["where"]
    assert history["attempts"][-1]["said"]["note"] == "booked by hand, ticket 4711"


@pytest.mark.parametrize(("setting", "status"), [(True, "UNPAID"), (False, "UNBILLED")])
def test_an_invoice_that_was_booked_by_hand_is_marked_as_sent_as_the_setting_says(
    default: Default, setting: bool, status: str
) -> None:
    configure(default.system, default, mark_as_sent=setting)
    rillet_id = default.rejected_and_booked()

    answer = default.resolve(invoice_id=ORIGINAL, rillet_id=rillet_id)

    assert answer["warnings"] == []
    assert default.organisation.invoices.get(rillet_id).document["status"] == status


def test_payments_follow_a_document_that_was_booked_by_hand(connection: Default) -> None:
    rillet_id = connection.rejected_and_booked()
    connection.settle()
    connection.resolve(invoice_id=ORIGINAL, rillet_id=rillet_id)

    connection.organisation.pay(rillet_id, "121.00")
    connection.settle()

    assert state(connection) == (True, "PAID")


def test_payments_from_before_are_fetched_by_the_event_in_the_answer(connection: Default) -> None:
    hold_back(connection)
    rillet_id = connection.rejected_and_booked()
    connection.organisation.pay(rillet_id, "121.00")

    ready = connection.resolve(invoice_id=ORIGINAL, rillet_id=rillet_id)["payments"]
    connection.system.invoke(ready["function"], ready["event"])

    assert state(connection) == (True, "PAID")


def test_another_total_than_solvimons_is_a_warning(default: Default) -> None:
    rillet_id = default.rejected_and_booked()
    default.platform.records["invoices"][ORIGINAL]["invoice_amount_including_tax"]["quantity"] = "130.00"
    default.system.invoke("export_invoice", {"invoice_ids": [ORIGINAL]})

    answer = default.resolve(invoice_id=ORIGINAL, rillet_id=rillet_id)

    assert answer["warnings"] == ["Rillet has 121 EUR, Solvimon 130 EUR."]
    assert default.record()["totals"]["gross"] == "121.00"


def test_a_document_whose_webhook_is_lost_can_be_resolved(default: Default) -> None:
    default.finalised_silently(original())
    rillet_id = default.booked_by_hand()

    answer = default.resolve(invoice_id=ORIGINAL, rillet_id=rillet_id)

    assert (answer["was"], answer["state"]) == ("unknown here", "exported")
    kept = default.record()
    assert (kept["amount"], kept["currency"]) == ("121", "EUR")
    assert kept["number"] == default.platform.invoice(ORIGINAL)["invoice_number"]


def test_a_credit_memo_that_was_made_by_hand_is_resolved_with_what_is_applied(default: Default) -> None:
    default.rejected(original(), credit_note())
    default.export(ORIGINAL)
    planned = default.system.invoke("export_credit_memo", {"credit_note_ids": [NOTE], "dry_run": True})
    payload = {**planned["results"][0]["payload"], "external_references": []}
    memo = booked_by_hand(default.system, default, payload, "/credit-memos")

    answer = default.resolve(credit_note_id=NOTE, rillet_id=memo["id"])

    assert (answer["state"], answer["warnings"]) == ("exported", [])
    kept = default.record(NOTE, "credit_memo")
    assert (kept["applied"], kept["unapplied"], kept["rillet_id"]) == ("0.00", "121.00", memo["id"])
    default.retry("all", "export_credit_memo")
    default.work_off()
    assert len(memos(default)) == 1


TRIGGERS: dict[str, Callable[[Default], object]] = {
    "webhook again": lambda default: put_on_queue(default.system, bus_event(ORIGINAL)),
    "retry of all": lambda default: default.retry("all"),
    "back-fill": lambda default: default.retry({"from": "2026-01-01", "to": "2026-01-31"}),
    "its credit note": lambda default: credit(default.system),
}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_an_invoice_that_is_left_out_stays_out(default: Default, trigger: str) -> None:
    default.rejected(original())
    answer = default.resolve(invoice_id=ORIGINAL, rillet_id=None, note="written off")
    default.finalised_silently(credit_note())

    TRIGGERS[trigger](default)
    default.work_off()

    assert answer["reason"] == "Handled by hand: written off"
    kept = default.record()
    assert (kept["state"], kept["reason"]) == ("skipped", "Handled by hand: written off")
    assert default.rillet_invoices(ORIGINAL) == []


def test_a_request_by_id_exports_an_invoice_that_is_left_out(default: Default) -> None:
    default.rejected(original())
    undo = default.resolve(invoice_id=ORIGINAL, rillet_id=None, note="written off")["undo"]

    planned = default.system.invoke("export_invoice", {"invoice_ids": [ORIGINAL], "dry_run": True})
    untouched = default.record()
    answer = default.system.invoke(undo["function"], undo["event"])

    assert planned["summary"] == {"would_export": 1}
    assert untouched["by_hand"] is True
    assert answer["summary"] == {"exported": 1}
    assert len(default.rillet_invoices(ORIGINAL)) == 1
    kept = [entry["what"] for entry in default.record()["history"]]
    assert kept == ["rejected", "settled_by_hand", "asked_again", "sent", "invoice_created", "exported"]


def test_a_request_by_id_exports_an_invoice_that_is_left_out_even_if_it_has_to_wait(default: Default) -> None:
    default.rejected(original())
    default.resolve(invoice_id=ORIGINAL, rillet_id=None, note="written off")
    default.system.rillet.state.misbehave("status", "POST", "/invoices", status=503)

    [waits] = default.export(ORIGINAL)
    default.work_off()

    assert waits["outcome"] == "queued"
    assert default.record()["state"] == "exported"
    assert len(default.rillet_invoices(ORIGINAL)) == 1


def test_an_invoice_deleted_in_rillet_can_be_left_out_and_exported_again_later(connection: Default) -> None:
    connection.finalised(original())
    connection.settle()
    first = rillet_invoice(connection)["id"]
    connection.organisation.delete_invoice(first)
    connection.settle()
    assert connection.record()["state"] == "differs"

    left_out = connection.resolve(invoice_id=ORIGINAL, rillet_id=None, note="billed twice")
    [again] = connection.export(ORIGINAL)

    assert left_out["was"] == "differs"
    assert again["outcome"] == "exported"
    assert again["rillet_id"] == rillet_invoice(connection)["id"] != first


def test_a_wrong_resolution_is_replaced_by_another(default: Default) -> None:
    rillet_id = default.rejected_and_booked()
    other_id = default.booked_by_hand(memo="the right one")
    default.resolve(invoice_id=ORIGINAL, rillet_id=rillet_id)

    answer = default.resolve(invoice_id=ORIGINAL, rillet_id=other_id)

    assert answer["rillet_id"] == other_id
    assert default.link(rillet_id) is None
    assert (default.link(other_id) or {})["solvimon_id"] == ORIGINAL


def test_a_document_resolved_by_mistake_is_left_out_and_its_payments_do_not_follow(
    connection: Default,
) -> None:
    rillet_id = connection.rejected_and_booked()
    connection.resolve(invoice_id=ORIGINAL, rillet_id=rillet_id)

    answer = connection.resolve(invoice_id=ORIGINAL, rillet_id=None, note="that was another one")
    connection.organisation.pay(rillet_id, "121.00")
    connection.settle()

    assert (answer["was"], answer["state"]) == ("exported", "skipped")
    assert state(connection) == (False, "UNPAID")
    assert "rillet_id" not in connection.ask(invoice_id=ORIGINAL)
    assert connection.link(rillet_id) is None


def refused(answer: Json, *words: str) -> None:
    """Assert that it is an error with a remedy."""
    assert answer.keys() == {"error", "remedy"}
    assert len(answer["remedy"]) > 10
    for word in words:
        assert word in answer["error"]


def test_an_id_that_rillet_does_not_have_is_refused(default: Default) -> None:
    default.rejected(original())

    answer = default.resolve(invoice_id=ORIGINAL, rillet_id=UNKNOWN_ID)

    refused(answer, "resolve.rillet_id", f"Rillet has no invoice {UNKNOWN_ID}")
    assert default.record()["state"] == "rejected"


@pytest.mark.parametrize("booked", ["by us", "by hand"])
def test_rillets_document_of_another_invoice_is_refused(default: Default, booked: str) -> None:
    default.rejected(original(), original(SECOND))
    if booked == "by us":
        default.export(SECOND)
    else:
        default.resolve(invoice_id=SECOND, rillet_id=default.booked_by_hand(SECOND))
    theirs = default.record(SECOND)["rillet_id"]

    answer = default.resolve(invoice_id=ORIGINAL, rillet_id=theirs)

    refused(answer, "belongs to", SECOND)
    assert default.record()["state"] == "rejected"
    assert default.record(SECOND)["rillet_id"] == theirs


def test_an_invoice_that_we_exported_cannot_be_resolved_otherwise(default: Default) -> None:
    default.finalised(original())
    before = default.record()

    refused(default.resolve(invoice_id=ORIGINAL, rillet_id=None), "Rillet already has it")
    refused(default.resolve(invoice_id=ORIGINAL, rillet_id=UNKNOWN_ID), "Rillet already has it")

    assert default.record() == before


def test_a_memo_that_is_in_rillet_and_not_applied_is_not_left_out(default: Default) -> None:
    default.finalised(original())
    default.system.rillet.state.misbehave("status", status=400, path="/credit-memos/", times=9)
    default.finalised(credit_note())
    kept = default.record(NOTE, "credit_memo")
    assert kept["state"] == "rejected"

    refused(default.resolve(credit_note_id=NOTE, rillet_id=None), "Rillet already has")
    answer = default.resolve(credit_note_id=NOTE, rillet_id=kept["rillet_id"])

    assert answer["state"] == "exported"


def test_a_credit_note_is_not_resolved_as_an_invoice(default: Default) -> None:
    default.finalised_silently(original(), credit_note())

    answer = default.resolve(invoice_id=NOTE, rillet_id=None)

    refused(answer, "is not an invoice")
    assert "credit_note_id" in answer["remedy"]
    assert default.system.ledger_item(f"default#invoice#{NOTE}", "RECORD") is None


def test_an_id_that_solvimon_does_not_have_is_not_resolved(default: Default) -> None:
    answer = default.resolve(invoice_id="invo_nobody", rillet_id=None)

    refused(answer, "invo_nobody")
    assert default.system.ledger_item("default#invoice#invo_nobody", "RECORD") is None


def test_a_document_that_is_being_exported_is_resolved_later(default: Default) -> None:
    default.killed_in_the_middle()

    answer = default.resolve(invoice_id=ORIGINAL, rillet_id=None)
    default.system.advance(91)
    later = default.resolve(invoice_id=ORIGINAL, rillet_id=None)

    refused(answer, "is working on")
    assert answer["remedy"].startswith("Try again in ")
    assert later["state"] == "skipped"
    assert "was lost" in later["warnings"][0]


def test_other_connections_are_not_changed(default: Default) -> None:
    default.system.connect("acme", rillet={"organization": {"id": "acacacac-0000-4000-8000-000000000001"}})
    default.unlink()
    default.finalised(*some(1))
    before = default.system.ledger()

    answer = default.resolve(invoice_id="invo_many000", rillet_id=None)
    there = default.ask(
        connection="acme", resolve={"invoice_id": "invo_many000", "rillet_id": None, "note": "x"}
    )

    assert answer["state"] == "skipped"
    refused(there, "invo_many000")
    assert [item for item in default.system.ledger() if str(item["pk"]).startswith("acme#invoice")] == []
    assert default.system.ledger() != before
