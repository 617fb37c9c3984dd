"""A person says what became of a document, and the ledger holds to it."""

import json
from typing import Any

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import connected, hold_back, settle, state
from tests.integration.sync_status.support import (
    NOBODY,
    Json,
    ask,
    finalised,
    killed_in_the_middle,
    mended,
    record,
    resolve,
    retry,
    some,
    unlinked,
    work_off,
)
from tests.support.arrange import booked_by_hand, export, load, put_on_queue
from tests.support.assertions import calls_to, invoice_posts, memos, rillet_invoice, rillet_invoices
from tests.support.builders import NOTE, ORIGINAL, SECOND, bus_event, credit_note, original


def fake_of(system: LocalSystem, connection: Connection, document: Json, **changes: Any) -> Json:
    """Book in Rillet by hand what our export of a document would have booked."""
    planned = system.invoke("export_invoice", {"invoice_ids": [document["id"]], "dry_run": True})
    [result] = planned["results"]
    payload = {**result["payload"], "external_references": [], **changes}
    return booked_by_hand(system, connection, payload, "/invoices")


def rejected_and_booked(system: LocalSystem, connection: Connection, **changes: Any) -> str:
    """An invoice that was rejected and then booked by hand; the answer is Rillet's id."""
    taken = unlinked(connection)
    finalised(system, connection, original())
    mended(connection, taken)
    identifier: str = fake_of(system, connection, original(), **changes)["id"]
    return identifier


def test_a_document_that_was_booked_by_hand_is_exported_and_never_sent_again(
    system: LocalSystem, default: Connection
) -> None:
    rillet_id = rejected_and_booked(system, default)
    posts = len(invoice_posts(system))
    reads = len(calls_to(system, "GET"))

    answer = resolve(system, invoice_id=ORIGINAL, rillet_id=rillet_id)

    assert (answer["was"], answer["state"], answer["rillet_id"]) == ("rejected", "exported", rillet_id)
    assert answer["totals"] == {"net": "100.00", "tax": "21.00", "gross": "121.00", "currency": "EUR"}
    assert answer["warnings"] == []
    assert len(calls_to(system, "GET")) == reads + 1
    put_on_queue(system, bus_event(ORIGINAL))
    work_off(system)
    assert export(system, ORIGINAL)[0]["outcome"] == "already_exported"
    assert len(invoice_posts(system)) == posts
    kept = record(system, ORIGINAL)
    assert (kept["by_hand"], kept["note"]) == (True, "booked by hand, ticket 4711")
    assert kept.keys().isdisjoint({"code", "message", "remedy"})
    story = ask(system, invoice_id=ORIGINAL)
    assert "A person resolved it manually" in story["where"]
    assert story["attempts"][-1]["said"]["note"] == "booked by hand, ticket 4711"


def test_payments_follow_a_document_that_was_booked_by_hand(system: LocalSystem) -> None:
    connection = connected(system)
    rillet_id = rejected_and_booked(system, connection)
    settle(system, connection)
    resolve(system, invoice_id=ORIGINAL, rillet_id=rillet_id)

    connection.organisation.pay(rillet_id, "121.00")
    settle(system, connection)

    assert state(connection) == (True, "PAID")


def test_payments_from_before_are_fetched_by_the_event_in_the_answer(system: LocalSystem) -> None:
    connection = connected(system)
    hold_back(connection)
    rillet_id = rejected_and_booked(system, connection)
    connection.organisation.pay(rillet_id, "121.00")

    ready = resolve(system, invoice_id=ORIGINAL, rillet_id=rillet_id)["payments"]
    system.invoke(ready["function"], ready["event"])

    assert state(connection) == (True, "PAID")


def test_another_total_than_solvimons_is_a_warning(system: LocalSystem, default: Connection) -> None:
    rillet_id = rejected_and_booked(system, default)
    default.platform.records["invoices"][ORIGINAL]["invoice_amount_including_tax"]["quantity"] = "130.00"
    system.invoke("export_invoice", {"invoice_ids": [ORIGINAL]})

    answer = resolve(system, invoice_id=ORIGINAL, rillet_id=rillet_id)

    assert answer["warnings"] == ["Rillet has 121 EUR, Solvimon 130 EUR."]
    assert record(system, ORIGINAL)["totals"]["gross"] == "121.00"


def test_a_document_whose_webhook_never_came_can_be_settled(system: LocalSystem, default: Connection) -> None:
    system.solvimon.state.webhooks_on = False
    load(default, original())
    rillet_id = fake_of(system, default, original())["id"]

    answer = resolve(system, invoice_id=ORIGINAL, rillet_id=rillet_id)

    assert (answer["was"], answer["state"]) == ("unknown here", "exported")
    kept = record(system, ORIGINAL)
    assert (kept["amount"], kept["currency"]) == ("121", "EUR")
    assert kept["number"] == default.platform.invoice(ORIGINAL)["invoice_number"]


def test_a_credit_memo_that_was_made_by_hand_is_settled_with_what_is_applied(
    system: LocalSystem, default: Connection
) -> None:
    taken = unlinked(default)
    finalised(system, default, original(), credit_note())
    mended(default, taken)
    export(system, ORIGINAL)
    planned = system.invoke("export_credit_memo", {"credit_note_ids": [NOTE], "dry_run": True})
    payload = {**planned["results"][0]["payload"], "external_references": []}
    memo = booked_by_hand(system, default, payload, "/credit-memos")

    answer = resolve(system, credit_note_id=NOTE, rillet_id=memo["id"])

    assert (answer["state"], answer["warnings"]) == ("exported", [])
    kept = record(system, NOTE, "credit_memo")
    assert (kept["applied"], kept["unapplied"], kept["rillet_id"]) == ("0.00", "121.00", memo["id"])
    retry(system, "all", "export_credit_memo")
    work_off(system)
    assert len(memos(default)) == 1


@pytest.mark.parametrize(
    "come_again",
    [
        pytest.param(lambda s: put_on_queue(s, bus_event(ORIGINAL)), id="webhook again"),
        pytest.param(lambda s: retry(s, "all"), id="retry of all"),
        pytest.param(lambda s: retry(s, {"from": "2026-01-01", "to": "2026-01-31"}), id="back-fill"),
        pytest.param(
            lambda s: s.invoke("export_credit_memo", {"credit_note_ids": [NOTE]}), id="credit note of it"
        ),
    ],
)
def test_what_is_not_for_rillet_stays_out_whatever_comes(
    system: LocalSystem,
    default: Connection,
    come_again: Any,  # noqa: ANN401
) -> None:
    taken = unlinked(default)
    finalised(system, default, original())
    default.platform.load({"invoices": [credit_note()]})
    answer = resolve(system, invoice_id=ORIGINAL, rillet_id=None, note="written off")
    mended(default, taken)
    system.solvimon.state.webhooks_on = False
    default.platform.finalise(NOTE)

    come_again(system)
    work_off(system)

    assert answer["reason"] == "Handled by hand: written off"
    kept = record(system, ORIGINAL)
    assert (kept["state"], kept["reason"]) == ("skipped", "Handled by hand: written off")
    assert rillet_invoices(default, ORIGINAL) == []


def test_a_person_who_asks_by_id_gets_it_exported_after_all(system: LocalSystem, default: Connection) -> None:
    taken = unlinked(default)
    finalised(system, default, original())
    undo = resolve(system, invoice_id=ORIGINAL, rillet_id=None, note="written off")["undo"]
    mended(default, taken)

    planned = system.invoke("export_invoice", {"invoice_ids": [ORIGINAL], "dry_run": True})
    untouched = record(system, ORIGINAL)
    answer = system.invoke(undo["function"], undo["event"])

    assert planned["summary"] == {"would_export": 1}
    assert untouched["by_hand"] is True
    assert answer["summary"] == {"exported": 1}
    assert len(rillet_invoices(default, ORIGINAL)) == 1
    kept = [entry["what"] for entry in record(system, ORIGINAL)["history"]]
    assert kept == ["rejected", "settled_by_hand", "asked_again", "sent", "exported"]


def test_a_person_who_asks_by_id_is_served_even_if_it_has_to_wait(
    system: LocalSystem, default: Connection
) -> None:
    taken = unlinked(default)
    finalised(system, default, original())
    resolve(system, invoice_id=ORIGINAL, rillet_id=None, note="written off")
    mended(default, taken)
    system.rillet.state.misbehave("status", status=503, path="/invoices", method="POST")

    [waits] = export(system, ORIGINAL)
    work_off(system)

    assert waits["outcome"] == "queued"
    assert record(system, ORIGINAL)["state"] == "exported"
    assert len(rillet_invoices(default, ORIGINAL)) == 1


def test_what_was_deleted_in_rillet_may_be_left_out_and_exported_anew_later(system: LocalSystem) -> None:
    connection = connected(system)
    finalised(system, connection, original())
    settle(system, connection)
    first = rillet_invoice(connection)["id"]
    connection.organisation.delete_invoice(first)
    settle(system, connection)
    assert record(system, ORIGINAL)["state"] == "differs"

    left_out = resolve(system, invoice_id=ORIGINAL, rillet_id=None, note="billed twice")
    [anew] = export(system, ORIGINAL)

    assert left_out["was"] == "differs"
    assert anew["outcome"] == "exported"
    assert anew["rillet_id"] == rillet_invoice(connection)["id"] != first


def test_a_wrong_word_is_taken_back_by_another(system: LocalSystem, default: Connection) -> None:
    rillet_id = rejected_and_booked(system, default)
    other_id = fake_of(system, default, original(), memo="the right one")["id"]
    resolve(system, invoice_id=ORIGINAL, rillet_id=rillet_id)

    answer = resolve(system, invoice_id=ORIGINAL, rillet_id=other_id)

    assert answer["rillet_id"] == other_id
    assert system.ledger_item(f"default#link-rillet-invoice#{rillet_id}", "RECORD") is None
    link = system.ledger_item(f"default#link-rillet-invoice#{other_id}", "RECORD")
    assert link
    assert link["solvimon_id"] == ORIGINAL


def test_what_was_settled_by_mistake_is_left_out_and_its_payments_do_not_follow(system: LocalSystem) -> None:
    connection = connected(system)
    rillet_id = rejected_and_booked(system, connection)
    resolve(system, invoice_id=ORIGINAL, rillet_id=rillet_id)

    answer = resolve(system, invoice_id=ORIGINAL, rillet_id=None, note="that was another one")
    connection.organisation.pay(rillet_id, "121.00")
    settle(system, connection)

    assert (answer["was"], answer["state"]) == ("exported", "skipped")
    assert state(connection) == (False, "UNPAID")
    assert "rillet_id" not in ask(system, invoice_id=ORIGINAL)
    assert system.ledger_item(f"default#link-rillet-invoice#{rillet_id}", "RECORD") is None


def refused(answer: Json, *words: str) -> None:
    """It is an error that says what to do."""
    assert answer.keys() == {"error", "remedy"}
    assert len(answer["remedy"]) > 10
    for word in words:
        assert word in answer["error"]


def test_an_id_that_rillet_does_not_have_is_refused(system: LocalSystem, default: Connection) -> None:
    unlinked(default)
    finalised(system, default, original())

    answer = resolve(system, invoice_id=ORIGINAL, rillet_id=NOBODY)

    refused(answer, "resolve.rillet_id", f"Rillet has no invoice {NOBODY}")
    assert record(system, ORIGINAL)["state"] == "rejected"


def test_rillets_document_of_another_invoice_is_refused(system: LocalSystem, default: Connection) -> None:
    taken = unlinked(default)
    finalised(system, default, original())
    mended(default, taken)
    finalised(system, default, original(SECOND))
    theirs = record(system, SECOND)["rillet_id"]

    answer = resolve(system, invoice_id=ORIGINAL, rillet_id=theirs)

    refused(answer, "belongs to", SECOND)
    assert record(system, ORIGINAL)["state"] == "rejected"
    assert record(system, SECOND)["rillet_id"] == theirs


def test_rillets_document_that_a_person_gave_to_another_invoice_is_refused(
    system: LocalSystem, default: Connection
) -> None:
    taken = unlinked(default)
    finalised(system, default, original(), original(SECOND))
    mended(default, taken)
    rillet_id = fake_of(system, default, original())["id"]
    resolve(system, invoice_id=ORIGINAL, rillet_id=rillet_id)

    answer = resolve(system, invoice_id=SECOND, rillet_id=rillet_id)

    refused(answer, "belongs to", ORIGINAL)


def test_what_we_booked_ourselves_cannot_be_settled_otherwise(
    system: LocalSystem, default: Connection
) -> None:
    finalised(system, default, original())
    before = record(system, ORIGINAL)

    refused(resolve(system, invoice_id=ORIGINAL, rillet_id=None), "Rillet already has it")
    refused(resolve(system, invoice_id=ORIGINAL, rillet_id=NOBODY), "Rillet already has it")

    assert record(system, ORIGINAL) == before


def test_a_memo_that_is_in_rillet_and_not_applied_is_not_left_out(
    system: LocalSystem, default: Connection
) -> None:
    finalised(system, default, original())
    system.rillet.state.misbehave("status", status=400, path="/credit-memos/", times=9)
    finalised(system, default, credit_note())
    kept = record(system, NOTE, "credit_memo")
    assert kept["state"] == "rejected"

    refused(resolve(system, credit_note_id=NOTE, rillet_id=None), "Rillet already has")
    answer = resolve(system, credit_note_id=NOTE, rillet_id=kept["rillet_id"])

    assert answer["state"] == "exported"


def test_a_credit_note_is_not_settled_as_an_invoice(system: LocalSystem, default: Connection) -> None:
    system.solvimon.state.webhooks_on = False
    load(default, original(), credit_note())

    answer = resolve(system, invoice_id=NOTE, rillet_id=None)

    refused(answer, "is not an invoice")
    assert "credit_note_id" in answer["remedy"]
    assert system.ledger_item(f"default#invoice#{NOTE}", "RECORD") is None


def test_an_id_that_solvimon_does_not_have_is_not_settled(system: LocalSystem, default: Connection) -> None:
    answer = resolve(system, invoice_id="invo_nobody", rillet_id=None)

    refused(answer, "invo_nobody")
    assert system.ledger_item("default#invoice#invo_nobody", "RECORD") is None


def test_a_document_that_is_worked_on_is_settled_later(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    default.platform.load({"invoices": [original()]})
    default.platform.finalise(ORIGINAL)
    killed_in_the_middle(system, monkeypatch)

    answer = resolve(system, invoice_id=ORIGINAL, rillet_id=None)
    system.advance(91)
    later = resolve(system, invoice_id=ORIGINAL, rillet_id=None)

    refused(answer, "is working on")
    assert answer["remedy"].startswith("Try again in ")
    assert later["state"] == "skipped"
    assert "was lost" in later["warnings"][0]


def test_other_connections_do_not_notice(system: LocalSystem, default: Connection) -> None:
    system.connect("acme", rillet={"organization": {"id": "acacacac-0000-4000-8000-000000000001"}})
    unlinked(default)
    finalised(system, default, *some(1))
    before = json.dumps(system.ledger(), default=str)

    answer = resolve(system, invoice_id="invo_many000", rillet_id=None)
    there = system.invoke(
        "sync_status",
        {"connection": "acme", "resolve": {"invoice_id": "invo_many000", "rillet_id": None, "note": "x"}},
    )

    assert answer["state"] == "skipped"
    refused(there, "invo_many000")
    assert [item for item in system.ledger() if str(item["pk"]).startswith("acme#invoice")] == []
    assert json.dumps(system.ledger(), default=str) != before
