"""The whole story of one document, in words that a person can read."""

import json
import re

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import connected, settle
from tests.integration.sync_status.support import (
    ask,
    finalised,
    killed_in_the_middle,
    mended,
    record,
    retry,
    unlinked,
    work_off,
)
from tests.support.arrange import configure, load
from tests.support.assertions import rillet_invoice, rillet_invoices
from tests.support.builders import NOTE, ORIGINAL, credit_note, document, original

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_the_story_of_a_document_that_was_rejected_mended_lost_its_answer_and_was_exported(
    system: LocalSystem, default: Connection
) -> None:
    taken = unlinked(default)
    finalised(system, default, original())
    rejected = ask(system, invoice_id=ORIGINAL)
    mended(default, taken)
    system.rillet.state.misbehave("commit_then_drop")
    retry(system, {"code": "product_not_linked"})
    system.settle()
    lost = ask(system, invoice_id=ORIGINAL)
    work_off(system)

    story = ask(system, invoice_id=ORIGINAL)

    assert (rejected["state"], rejected["code"]) == ("rejected", "product_not_linked")
    assert "Rillet does not have it" in rejected["where"]
    assert len(rejected["what_to_do"]) > 20
    assert rejected["if_done_by_hand"]["event"]["resolve"]["invoice_id"] == ORIGINAL
    assert "checks before it sends anything" in lost["where"]
    assert lost["what_to_do"] == "Nothing; work continues automatically."
    [in_rillet] = rillet_invoices(default, ORIGINAL)
    assert (story["state"], story["rillet_id"]) == ("exported", in_rillet["id"])
    assert (story["amount"], story["currency"], story["dated"]) == ("121.00", "EUR", "2026-01-31")
    assert story["number"] == default.platform.invoice(ORIGINAL)["invoice_number"]
    assert [entry["what"] for entry in story["attempts"]] == [
        "rejected", "sent", "answer_lost", "sent", "exported",
    ]  # fmt: skip
    assert all(ISO.fullmatch(entry["at"]) and entry["in_words"] for entry in story["attempts"])
    first, again = story["attempts"][1]["sent"], story["attempts"][3]["sent"]
    assert first == again, "the same request with the same key"
    assert first["totals"] == {"net": "100.00", "tax": "21.00", "gross": "121.00", "currency": "EUR"}
    assert len(first["payload_hash"]) == 64
    assert story["attempts"][4]["came_back"]["rillet_id"] == in_rillet["id"]
    assert story["what_to_do"] == "Nothing."


def test_the_retry_of_a_story_works_as_it_is_written(system: LocalSystem, default: Connection) -> None:
    taken = unlinked(default)
    finalised(system, default, original())
    mended(default, taken)

    ready = ask(system, invoice_id=ORIGINAL)["retry"]
    answer = system.invoke(ready["function"], ready["event"])

    assert answer["summary"] == {"exported": 1}


def test_a_story_asks_neither_vendor(system: LocalSystem, default: Connection) -> None:
    finalised(system, default, original())
    before = len(system.rillet.state.calls), len(system.solvimon.state.calls.find("GET", "*"))

    ask(system, invoice_id=ORIGINAL)
    ask(system, invoice_id="invo_nobody")

    assert (len(system.rillet.state.calls), len(system.solvimon.state.calls.find("GET", "*"))) == before


def test_an_unknown_id_is_explained_with_a_dry_run_that_works(
    system: LocalSystem, default: Connection
) -> None:
    system.solvimon.state.webhooks_on = False
    load(default, original())

    story = ask(system, invoice_id=ORIGINAL)
    planned = system.invoke(story["dry_run"]["function"], story["dry_run"]["event"])

    assert story["known"] is False
    assert "webhook" in story["what_it_means"][0]
    assert "start_date" in story["what_it_means"][1]
    assert planned["summary"] == {"would_export": 1}


def test_a_credit_note_that_is_asked_for_as_an_invoice_is_found_all_the_same(
    system: LocalSystem, default: Connection
) -> None:
    finalised(system, default, original(), credit_note())

    wrong = ask(system, invoice_id=NOTE)
    right = ask(system, **wrong["ask_instead"])

    assert wrong["known"] is False
    assert (right["state"], right["applied"], right["credit_note_id"]) == ("exported", "121.00", NOTE)


def test_an_invoice_tells_of_its_payment_and_of_the_credits_applied_to_it(system: LocalSystem) -> None:
    connection = connected(system)
    finalised(system, connection, original())
    load(connection, credit_note(net="-50.00", tax="-10.50"))
    settle(system, connection)
    rillet_id = rillet_invoice(connection)["id"]
    connection.organisation.pay(rillet_id, "60.50")
    settle(system, connection)

    story = ask(system, invoice_id=ORIGINAL)

    assert (story["payment"]["payment_status"], story["payment"]["state"]) == ("PAID", "marked")
    assert story["payment"]["attempts"]
    [credit] = story["credits"]
    assert (credit["credit_note_id"], credit["amount"]) == (NOTE, "60.50")
    assert credit["rillet_id"] == record(system, NOTE, "credit_memo")["rillet_id"]


def test_a_document_that_is_worked_on_says_until_when(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    default.platform.load({"invoices": [original()]})
    default.platform.finalise(ORIGINAL)
    killed_in_the_middle(system, monkeypatch)

    now = ask(system, invoice_id=ORIGINAL)
    system.advance(91)
    later = ask(system, invoice_id=ORIGINAL)
    system.advance(3600)
    much_later = ask(system, invoice_id=ORIGINAL)

    assert "is working on it since" in now["where"]
    assert "A run ended in the middle" in later["where"]
    assert later["what_to_do"] == "Nothing; work continues automatically."
    assert "Nothing has happened for about 62 minutes" in much_later["where"]
    assert much_later["retry"]["event"]["invoice_ids"] == [ORIGINAL]


def test_a_document_that_waits_says_since_when_and_why(system: LocalSystem, default: Connection) -> None:
    system.solvimon.state.misbehave("status", status=503, path="/v1/invoices/*", times=50)
    default.platform.load({"invoices": [original()]})
    default.platform.finalise(ORIGINAL)
    system.settle()
    system.advance(900)
    system.settle()

    story = ask(system, invoice_id=ORIGINAL)

    assert re.search(
        r"waits on the queue of export_invoice since \S+Z \(tried 2 times\): .*Solvimon", story["where"]
    )
    [entry] = story["attempts"]
    assert (entry["what"], entry["times"]) == ("waits", 2)


def test_a_customer_has_a_story_too(system: LocalSystem, default: Connection) -> None:
    customer_id = next(iter(default.platform.records["customers"]))
    system.invoke("sync_customer", {"customer_ids": [customer_id]})

    story = ask(system, customer_id=customer_id)

    assert (story["state"], story["customer_id"]) == ("synced", customer_id)
    assert "payment" not in story


def test_a_skipped_document_says_why(system: LocalSystem, default: Connection) -> None:
    configure(system, default, start_date="2026-06-01")
    finalised(system, default, original())

    story = ask(system, invoice_id=ORIGINAL)

    assert story["state"] == "skipped"
    assert "start_date 2026-06-01" in story["reason"]
    assert story["payment"] == {"in_words": "Rillet has reported no payment: it is not booked."}


def test_no_answer_names_a_customer_or_an_e_mail_address(system: LocalSystem, default: Connection) -> None:
    configure(system, default, create_missing_customers=False)
    for customer in default.platform.records["customers"].values():
        customer["custom_fields"] = []
    problem = {"title": "Bad request", "detail": "emails[0]: 'ap@maasvlakte.example' is not an address"}
    finalised(system, default, document("invo_unlinked", "100.00", "21.00"))
    configure(system, default, create_missing_customers=True)
    system.rillet.state.misbehave("status", status=400, path="/customers", method="POST", body=problem)
    finalised(system, default, original())

    answers = [
        ask(system),
        ask(system, invoice_id="invo_unlinked"),
        ask(system, invoice_id=ORIGINAL),
        system.invoke("export_invoice", {"retry": "all", "dry_run": True}),
    ]

    text = json.dumps(answers)
    assert answers[0]["counts"]["invoice"] == {"rejected": 2}
    customers = default.platform.records["customers"].values()
    names = [c["organization"]["legal_name"] for c in customers if "organization" in c]
    assert [name for name in names if name in text] == []
    assert "@" not in text


def test_one_connections_story_is_not_anothers(system: LocalSystem, default: Connection) -> None:
    system.connect("acme", rillet={"organization": {"id": "acacacac-0000-4000-8000-000000000001"}})
    finalised(system, default, original())

    assert ask(system, invoice_id=ORIGINAL)["state"] == "exported"
    assert ask(system, invoice_id=ORIGINAL, connection="acme")["known"] is False
    assert ask(system, connection="acme")["counts"] == {}
