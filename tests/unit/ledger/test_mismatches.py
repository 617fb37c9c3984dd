"""Mismatches: finished documents that are no longer in Rillet as they were booked."""

import pytest

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.ledger.ledger import Document, Ledger
from tests.unit.ledger.test_ledger import DOCUMENT, read

OTHER_TOTAL = NeedsAttention(Code.TOTAL_DIFFERS, "2 EUR instead of 1 EUR", "Correct it.")
DELETED = NeedsAttention(Code.DELETED_IN_RILLET, "It was deleted.", "Credit it.")
TWICE = NeedsAttention(Code.EXPORTED_TWICE, "There are two.", "Delete one.")
LEFT = NeedsAttention(Code.TOTAL_DIFFERS, "It is not applied.", "Retry it.")
_WHY = ("code", "message", "remedy")


@pytest.fixture(autouse=True)
def _exported(ledger: Ledger) -> None:
    """A document that is exported."""
    ledger.finish(ledger.claim(DOCUMENT, "me"), "exported", {"rillet_id": "r1"})


def test_a_document_that_differs_by_its_total_is_exported_again_once_it_does_not(ledger: Ledger) -> None:
    ledger.mark_mismatch(DOCUMENT, OTHER_TOTAL)
    noted = read(ledger)

    healed = ledger.clear_mismatch(DOCUMENT)

    assert (noted["state"], noted["code"]) == ("differs", "total_differs")
    assert healed
    assert read(ledger)["state"] == "exported"
    assert not {*_WHY} & read(ledger).keys()
    assert [entry["what"] for entry in read(ledger)["history"]] == ["exported", "differs", "exported"]
    assert [found.id for found, _ in ledger.in_state("default", "invoice", "exported")] == ["invo_1"]
    assert not ledger.clear_mismatch(DOCUMENT)


def test_a_document_with_something_left_to_do_is_open_to_a_retry_instead(ledger: Ledger) -> None:
    ledger.mark_mismatch(DOCUMENT, OTHER_TOTAL)

    ledger.clear_mismatch(DOCUMENT, LEFT)

    assert [read(ledger)[name] for name in ("state", *_WHY)] == [
        "rejected",
        "total_differs",
        "It is not applied.",
        "Retry it.",
    ]
    assert not ledger.claim(DOCUMENT, "another").done


@pytest.mark.parametrize("worse", [DELETED, TWICE])
def test_what_is_worse_than_another_total_neither_heals_nor_is_written_over(
    ledger: Ledger, worse: NeedsAttention
) -> None:
    ledger.mark_mismatch(DOCUMENT, worse)

    noted = ledger.mark_mismatch(DOCUMENT, OTHER_TOTAL)
    healed = ledger.clear_mismatch(DOCUMENT)

    assert (noted, healed) == (True, False)
    assert (read(ledger)["state"], read(ledger)["code"]) == ("differs", worse.code.value)


def test_a_deletion_is_noted_over_another_total(ledger: Ledger) -> None:
    ledger.mark_mismatch(DOCUMENT, OTHER_TOTAL)

    ledger.mark_mismatch(DOCUMENT, DELETED)

    assert read(ledger)["code"] == "deleted_in_rillet"


def test_a_document_that_is_not_finished_is_left_alone(ledger: Ledger) -> None:
    other = Document("default", "invoice", "invo_2")
    ledger.claim(other, "me")
    before = ledger.read(other)

    assert not ledger.mark_mismatch(other, DELETED)
    assert not ledger.clear_mismatch(other)
    assert ledger.read(other) == before
