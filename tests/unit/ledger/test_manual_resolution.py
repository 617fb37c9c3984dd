"""What a person said about a document holds, until a person asks for the document again."""

import pytest

from solvimon_rillet.ledger.ledger import Document, Ledger, is_done
from tests.unit.ledger.conftest import Hand
from tests.unit.ledger.test_ledger import DOCUMENT, WHY, read

WORD = {"reason": "Handled by hand: written off", "by_hand": True, "note": "written off"}


def test_a_document_that_was_skipped_by_hand_cannot_be_claimed_for_work(ledger: Ledger) -> None:
    ledger.reject(ledger.claim(DOCUMENT, "me"), WHY, None)
    ledger.resolve_manually(DOCUMENT, "skipped", WORD)
    before = read(ledger)

    claim = ledger.claim(DOCUMENT, "you")

    assert (claim.done, claim.state, claim.record["reason"]) == (True, "skipped", WORD["reason"])
    assert read(ledger) == before


def test_a_document_that_was_skipped_by_rule_can_be_claimed_again(ledger: Ledger) -> None:
    ledger.skip(ledger.claim(DOCUMENT, "me"), "dated before start_date")

    assert not ledger.claim(DOCUMENT, "you").done


def test_a_document_that_is_asked_for_again_can_be_claimed(ledger: Ledger, clock: Hand) -> None:
    ledger.resolve_manually(DOCUMENT, "skipped", WORD)
    clock.time += 10

    ledger.reopen(DOCUMENT)

    claim = ledger.claim(DOCUMENT, "me")
    assert (claim.done, claim.state) == (False, "skipped")
    assert [one["what"] for one in read(ledger)["history"]] == ["settled_by_hand", "asked_again"]


@pytest.mark.parametrize("state", ["exported", "differs"])
def test_what_is_in_rillet_by_hand_stays_done_even_if_it_is_asked_for(ledger: Ledger, state: str) -> None:
    ledger.resolve_manually(DOCUMENT, state, {"rillet_id": "r-1", "by_hand": True})
    before = read(ledger)

    ledger.reopen(DOCUMENT)

    assert read(ledger) == before
    assert ledger.claim(DOCUMENT, "me").done


def test_reopening_an_unknown_document_leaves_no_record(ledger: Ledger) -> None:
    ledger.reopen(Document("default", "invoice", "invo_nobody"))

    assert ledger.read(Document("default", "invoice", "invo_nobody")) is None


@pytest.mark.parametrize(
    ("record", "done"),
    [
        ({}, False),
        ({"state": "rejected"}, False),
        ({"state": "skipped"}, False),
        ({"state": "skipped", "by_hand": True}, True),
        ({"state": "exported"}, True),
        ({"state": "differs"}, True),
    ],
)
def test_a_document_is_done_that_is_in_rillet_or_handled(record: dict[str, object], done: bool) -> None:
    assert is_done(record) is done
