"""The history of one document, in sentences that a person can read."""

import json
import re

from tests.integration.sync_status.support import Default
from tests.support.arrange import load
from tests.support.assertions import rillet_invoice
from tests.support.builders import NOTE, ORIGINAL, credit_note, document, original

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_the_history_of_a_document_that_was_rejected_lost_its_answer_and_was_exported(
    default: Default,
) -> None:
    taken = default.unlink()
    default.finalised(original())
    rejected = default.ask(invoice_id=ORIGINAL)
    default.relink(taken)
    default.system.rillet.state.misbehave("commit_then_drop")
    default.retry({"code": "product_not_linked"})
    default.system.settle()
    lost = default.ask(invoice_id=ORIGINAL)
    default.work_off()

    history = default.ask(invoice_id=ORIGINAL)

    assert (rejected["state"], rejected["code"]) == ("rejected", "product_not_linked")
    assert "Rillet does not have it" in rejected["where"]
    assert len(rejected["what_to_do"]) > 20
    assert rejected["if_done_by_hand"]["event"]["resolve"]["invoice_id"] == ORIGINAL
    assert "checks before it sends anything" in lost["where"]
    assert lost["what_to_do"] == "Nothing; work continues automatically."
    [in_rillet] = default.rillet_invoices(ORIGINAL)
    assert (history["state"], history["rillet_id"]) == ("exported", in_rillet["id"])
    assert (history["amount"], history["currency"], history["dated"]) == ("121.00", "EUR", "2026-01-31")
    assert history["number"] == default.platform.invoice(ORIGINAL)["invoice_number"]
    assert [entry["what"] for entry in history["attempts"]] == [
        "rejected", "sent", "answer_lost", "sent", "invoice_created", "exported",
    ]  # fmt: skip
    assert all(ISO.fullmatch(entry["at"]) and entry["in_words"] for entry in history["attempts"])
    first, again = history["attempts"][1]["sent"], history["attempts"][3]["sent"]
    assert first == again, "the same request with the same key"
    assert first["totals"] == {"net": "100.00", "tax": "21.00", "gross": "121.00", "currency": "EUR"}
    assert len(first["payload_hash"]) == 64
    assert history["attempts"][4]["came_back"]["rillet_id"] == in_rillet["id"]
    assert history["what_to_do"] == "Nothing."


def test_the_retry_in_a_history_works_as_it_is_written(default: Default) -> None:
    default.rejected(original())

    ready = default.ask(invoice_id=ORIGINAL)["retry"]
    answer = default.system.invoke(ready["function"], ready["event"])

    assert answer["summary"] == {"exported": 1}


def test_a_history_calls_neither_vendor(default: Default) -> None:
    default.finalised(original())
    before = len(default.system.rillet.state.calls), len(default.system.solvimon.state.calls.find("GET", "*"))

    default.ask(invoice_id=ORIGINAL)
    default.ask(invoice_id="invo_unknown")

    assert (
        len(default.system.rillet.state.calls),
        len(default.system.solvimon.state.calls.find("GET", "*")),
    ) == before


def test_an_unknown_id_is_explained_with_a_dry_run_that_works(default: Default) -> None:
    default.finalised_silently(original())

    history = default.ask(invoice_id=ORIGINAL)
    planned = default.system.invoke(history["dry_run"]["function"], history["dry_run"]["event"])

    assert history["known"] is False
    assert "webhook" in history["what_it_means"][0]
    assert "start_date" in history["what_it_means"][1]
    assert planned["summary"] == {"would_export": 1}


def test_a_credit_note_that_is_asked_for_as_an_invoice_is_found_all_the_same(default: Default) -> None:
    default.finalised(original(), credit_note())

    wrong = default.ask(invoice_id=NOTE)
    right = default.ask(**wrong["ask_instead"])

    assert wrong["known"] is False
    assert (right["state"], right["applied"], right["credit_note_id"]) == ("exported", "121.00", NOTE)


def test_the_history_of_an_invoice_has_its_payment_and_the_credits_applied_to_it(connection: Default) -> None:
    connection.finalised(original())
    load(connection, credit_note(net="-50.00", tax="-10.50"))
    connection.settle()
    rillet_id = rillet_invoice(connection)["id"]
    connection.organisation.pay(rillet_id, "60.50")
    connection.settle()

    history = connection.ask(invoice_id=ORIGINAL)

    assert (history["payment"]["payment_status"], history["payment"]["state"]) == ("PAID", "marked")
    assert history["payment"]["attempts"]
    [credit] = history["credits"]
    assert (credit["credit_note_id"], credit["amount"]) == (NOTE, "60.50")
    assert credit["rillet_id"] == connection.record(NOTE, "credit_memo")["rillet_id"]


def test_a_document_that_is_being_exported_shows_until_when(default: Default) -> None:
    default.killed_in_the_middle()

    now = default.ask(invoice_id=ORIGINAL)
    default.system.advance(91)
    later = default.ask(invoice_id=ORIGINAL)
    default.system.advance(3600)
    much_later = default.ask(invoice_id=ORIGINAL)

    assert "is working on it since" in now["where"]
    assert "A run ended in the middle" in later["where"]
    assert later["what_to_do"] == "Nothing; work continues automatically."
    assert "Nothing has happened for about 62 minutes" in much_later["where"]
    assert much_later["retry"]["event"]["invoice_ids"] == [ORIGINAL]


def test_a_document_that_waits_shows_since_when_and_why(default: Default) -> None:
    default.system.solvimon.state.misbehave("status", status=503, path="/v1/invoices/*", times=50)
    load(default, original())
    default.system.settle()
    default.system.advance(900)
    default.system.settle()

    history = default.ask(invoice_id=ORIGINAL)

    assert re.search(
        r"waits on the queue of export_invoice since \S+Z \(tried 2 times\): .*Solvimon", history["where"]
    )
    [entry] = history["attempts"]
    assert (entry["what"], entry["times"]) == ("waits", 2)


def test_a_customer_has_a_history(default: Default) -> None:
    customer_id = next(iter(default.platform.records["customers"]))
    default.system.invoke("sync_customer", {"customer_ids": [customer_id]})

    history = default.ask(customer_id=customer_id)

    assert (history["state"], history["customer_id"]) == ("synced", customer_id)
    assert "payment" not in history


def test_a_skipped_document_shows_why(default: Default) -> None:
    default.configure(start_date="2026-06-01")
    default.finalised(original())

    history = default.ask(invoice_id=ORIGINAL)

    assert history["state"] == "skipped"
    assert "start_date 2026-06-01" in history["reason"]
    assert history["payment"] == {"in_words": "Rillet has reported no payment: it is not booked."}


def test_an_answer_names_the_customer_and_no_e_mail_address(default: Default) -> None:
    default.configure(create_missing_customers=False)
    for customer in default.platform.records["customers"].values():
        customer["custom_fields"] = []
    problem = {"title": "Bad request", "detail": "emails[0]: 'ap@maasvlakte.example' is not an address"}
    default.finalised(document("invo_unlinked", "100.00", "21.00"))
    default.configure(create_missing_customers=True)
    default.system.rillet.state.misbehave(
        "status", status=400, path="/customers", method="POST", body=problem
    )
    default.finalised(original())

    answers = [
        default.ask(),
        default.ask(invoice_id="invo_unlinked"),
        default.ask(invoice_id=ORIGINAL),
        default.system.invoke("export_invoice", {"retry": "all", "dry_run": True}),
    ]

    text = json.dumps(answers)
    assert answers[0]["counts"]["invoice"] == {"rejected": 2}
    assert answers[0]["failures"][0]["culprit"]["name"] == answers[1]["customer"]
    assert "@" not in text


def test_the_history_of_one_connection_is_not_anothers(default: Default) -> None:
    default.system.connect("acme", rillet={"organization": {"id": "acacacac-0000-4000-8000-000000000001"}})
    default.finalised(original())

    assert default.ask(invoice_id=ORIGINAL)["state"] == "exported"
    assert default.ask(invoice_id=ORIGINAL, connection="acme")["known"] is False
    assert default.ask(connection="acme")["counts"] == {}
