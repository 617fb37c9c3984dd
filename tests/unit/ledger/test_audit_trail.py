"""The history in a record lists each attempt; the index finds documents by their state."""

from dataclasses import replace
from unittest.mock import Mock

import pytest

from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown, RetryLater
from solvimon_rillet.ledger.audit_trail import MAX_ENTRIES, append_entry, entry
from solvimon_rillet.ledger.ledger import Document, Ledger
from tests.unit.ledger.conftest import NOW, Hand
from tests.unit.ledger.test_ledger import ATTEMPT, DOCUMENT, WHY, read

Entries = list[dict[str, object]]


def entries(ledger: Ledger, *names: str) -> list[tuple[object, ...]]:
    return [tuple(one.get(name) for name in names) for one in read(ledger)["history"]]


def test_each_attempt_says_when_what_was_sent_and_what_came_back(ledger: Ledger, clock: Hand) -> None:
    first = ledger.claim(DOCUMENT, "me")
    ledger.record_attempt(first, ATTEMPT)
    clock.time += 5
    ledger.reject(first, WHY, replace(ATTEMPT, open=False))
    clock.time += 3600
    second = ledger.claim(DOCUMENT, "you")
    ledger.record_attempt(second, replace(ATTEMPT, key="key-2", number=2))
    ledger.finish(second, "exported", {"rillet_id": "r-1", "rillet_number": "R-1", "totals": ATTEMPT.totals})

    assert entries(ledger, "at", "what", "key", "code", "rillet_id") == [
        (NOW, "sent", "key-1", None, None),
        (NOW + 5, "rejected", None, WHY.code.value, None),
        (NOW + 3605, "sent", "key-2", None, None),
        (NOW + 3605, "exported", None, None, "r-1"),
    ]
    assert read(ledger)["history"][0]["totals"] == ATTEMPT.totals


def test_a_wait_that_goes_on_is_one_entry_with_a_count(ledger: Ledger, clock: Hand) -> None:
    for _ in range(3):
        ledger.release(ledger.claim(DOCUMENT, "me"), RetryLater("Rillet does not answer."))
        clock.time += 60
    ledger.release(ledger.claim(DOCUMENT, "me"), OutcomeUnknown("The answer is lost."))

    assert entries(ledger, "at", "what", "since", "times") == [
        (NOW + 120, "waits", NOW, 3),
        (NOW + 180, "answer_lost", None, None),
    ]


def test_a_long_history_keeps_its_beginning_and_its_end() -> None:
    history: Entries = []

    for number in range(100):
        history = append_entry(history, entry("rejected", number, {"code": "refused_by_rillet"}))

    assert len(history) == MAX_ENTRIES
    assert [one["at"] for one in history[:5]] == [0, 1, 2, 3, 4]
    assert [one["at"] for one in history[5:]] == list(range(65, 100))


def test_documents_are_listed_by_their_state_with_their_cause_and_amount(ledger: Ledger, clock: Hand) -> None:
    for number, code in enumerate(
        (Code.PRODUCT_NOT_LINKED, Code.CUSTOMER_NOT_LINKED, Code.PRODUCT_NOT_LINKED)
    ):
        claim = ledger.claim(Document("default", "invoice", f"invo_{number}"), "me")
        claim.document_facts.update({"amount": f"{number}.00", "currency": "EUR", "number": f"N-{number}"})
        ledger.reject(claim, NeedsAttention(code, "no", "do"), None)
        clock.time += 1
    ledger.skip(ledger.claim(Document("default", "invoice", "invo_9"), "me"), "not for Rillet")
    ledger.reject(ledger.claim(Document("other", "invoice", "invo_0"), "me"), WHY, None)

    listed = list(ledger.in_state("default", "invoice", "rejected"))

    assert [(document.id, item["code"], item["amount"]) for document, item in listed] == [
        ("invo_0", "product_not_linked", "0.00"),
        ("invo_1", "customer_not_linked", "1.00"),
        ("invo_2", "product_not_linked", "2.00"),
    ]
    assert ledger.count("default", "invoice", "rejected") == 3
    assert ledger.count("default", "invoice", "claimed") == 0


def test_a_document_that_is_none_of_ours_leaves_no_record(ledger: Ledger) -> None:
    ledger.discard_claim(ledger.claim(DOCUMENT, "me"))

    assert ledger.read(DOCUMENT) is None


def test_what_was_known_of_a_document_outlives_a_claim_that_is_abandoned(ledger: Ledger) -> None:
    ledger.reject(ledger.claim(DOCUMENT, "me"), WHY, None)

    ledger.discard_claim(ledger.claim(DOCUMENT, "me"))

    assert read(ledger)["state"] == "rejected"
    assert "lease_owner" not in read(ledger)


def test_a_person_may_settle_a_document_whatever_its_state(ledger: Ledger) -> None:
    ledger.reject(ledger.claim(DOCUMENT, "me"), WHY, None)

    before = ledger.resolve_manually(DOCUMENT, "exported", {"rillet_id": "r-1", "note": "booked by hand"})

    record = read(ledger)
    assert before["state"] == "rejected"
    assert (record["state"], record["rillet_id"], record["note"]) == ("exported", "r-1", "booked by hand")
    assert "code" not in record
    assert entries(ledger, "what", "note")[-1] == ("settled_by_hand", "booked by hand")
    assert [document.id for document, _ in ledger.in_state("default", "invoice", "exported")] == ["invo_1"]


def test_a_document_that_a_worker_holds_is_not_resolved_manually(ledger: Ledger) -> None:
    ledger.claim(DOCUMENT, "me")

    with pytest.raises(RetryLater, match="being processed"):
        ledger.resolve_manually(DOCUMENT, "exported", {"rillet_id": "r-1"})


def test_a_difference_is_told_once_however_often_it_is_noticed(ledger: Ledger, clock: Hand) -> None:
    ledger.finish(ledger.claim(DOCUMENT, "me"), "exported", {"rillet_id": "r-1"})
    for _ in range(3):
        clock.time += 10
        ledger.mark_mismatch(DOCUMENT, WHY)

    assert entries(ledger, "at", "what") == [(NOW, "exported"), (NOW + 10, "differs")]
    assert ledger.count("default", "invoice", "differs") == 1


@pytest.mark.parametrize("count", [1, 100, 101])
def test_many_records_are_read_a_hundred_at_a_time(
    ledger: Ledger, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [Document("default", "invoice", f"invo_{number}") for number in range(count)]
    ledger.skip(ledger.claim(documents[-1], "me"), "no")
    reading = Mock(wraps=ledger._table.get_many)
    monkeypatch.setattr(ledger._table, "get_many", reading)

    found = ledger.read_many(documents)

    assert list(found) == [documents[-1]]
    assert reading.call_count == -(-count // 100)
