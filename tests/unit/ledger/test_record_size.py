"""A record stays below 64 KB, whatever the vendors say and however often a document is tried."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.errors import Code, NeedsAttention, RetryLater
from solvimon_rillet.formatting import clip
from solvimon_rillet.ledger.ledger import Ledger
from solvimon_rillet.ledger.record_size import bounded, size_of
from tests.unit.ledger.conftest import Hand
from tests.unit.ledger.test_ledger import ATTEMPT, DOCUMENT, WHY, read

LIMIT = 64 * 1024
LONG = NeedsAttention(Code.REFUSED_BY_RILLET, "größe 📏 " * 400, "do " * 400)
RESULT = {"rillet_id": "r-1", "rillet_number": "R" * 5_000, "totals": ATTEMPT.totals}
MANY_WARNINGS = [f"{number}: {'w' * 3_000}" for number in range(400)]

Act = Callable[[Ledger, Hand], object]


def rejected(ledger: Ledger, clock: Hand) -> None:
    for number in range(25):
        claim = ledger.claim(DOCUMENT, "me")
        claim.document_facts.update({"number": "n" * 9_000, "amount": "1.00", "currency": "EUR"})
        ledger.record_attempt(claim, replace(ATTEMPT, number=number))
        why = NeedsAttention(LONG.code, f"{number} {LONG.message}", LONG.remedy)
        ledger.reject(claim, why, replace(ATTEMPT, open=False))
        clock.time += 600


def waited(ledger: Ledger, clock: Hand) -> None:
    for number in range(45):
        ledger.release(ledger.claim(DOCUMENT, "me"), RetryLater(f"{number} {LONG.message}"))
        clock.time += 600


def skipped(ledger: Ledger, clock: Hand) -> None:
    ledger.skip(ledger.claim(DOCUMENT, "me"), LONG.message, "rule" * 9_000)


def exported_with_warnings(ledger: Ledger, clock: Hand) -> None:
    claim = ledger.claim(DOCUMENT, "me")
    ledger.record_step(claim, {"step": "memo_created", "warnings": MANY_WARNINGS, **RESULT})
    ledger.finish(claim, "exported", {**RESULT, "warnings": MANY_WARNINGS})


def differs(ledger: Ledger, clock: Hand) -> None:
    for number in range(25):
        ledger.mark_mismatch(DOCUMENT, NeedsAttention(Code.TOTAL_DIFFERS, f"{number} {LONG.message}", "do"))
        ledger.clear_mismatch(DOCUMENT)


def credited_a_hundred_times(ledger: Ledger, clock: Hand) -> None:
    for number in range(100):
        ledger.add_facts(
            DOCUMENT, {"open_amount": "1.00", f"credit_0198c1d2-0000-4000-8000-{number:012d}": "1.00"}
        )


def resolved_manually(ledger: Ledger, clock: Hand) -> None:
    ledger.resolve_manually(DOCUMENT, "exported", {**RESULT, "by_hand": True, "note": "n" * 9_000})


@pytest.mark.parametrize(
    "life",
    [
        (waited,),
        (rejected, skipped),
        (rejected, resolved_manually),
        (rejected, exported_with_warnings, differs, credited_a_hundred_times),
    ],
    ids=lambda life: life[-1].__name__,
)
def test_a_ledger_record_stays_below_64_kb(ledger: Ledger, clock: Hand, life: tuple[Act, ...]) -> None:
    for act in life:
        act(ledger, clock)

        record = read(ledger)
        history = record["history"]
        assert size_of(record) < LIMIT, act.__name__
        assert history[0]["at"] == record["created_at"], "its first entry stays"
        assert history[-1]["at"] >= clock.time - 600, "and its newest"


def test_an_oversized_record_of_an_earlier_version_is_trimmed_by_its_next_write(
    ledger: Ledger, table: Table, clock: Hand
) -> None:
    ledger.reject(ledger.claim(DOCUMENT, "me"), WHY, None)
    clock.time += 600
    history = [{"at": number, "what": "rejected", "message": "m" * 7_000} for number in range(40)]
    table.put(DOCUMENT.key, {**read(ledger), "history": history})

    ledger.reject(ledger.claim(DOCUMENT, "me"), WHY, None)

    assert size_of(read(ledger)) < LIMIT
    assert [read(ledger)["history"][index]["at"] for index in (0, -1)] == [0, clock.time]


def test_texts_are_clipped_at_1_kb_in_bytes() -> None:
    assert clip("é" * 600) == "é" * 510 + "…"
    assert clip("é" * 512) == "é" * 512
    assert clip("half a pair \ud83d") == "half a pair ?"
    assert bounded({"totals": {"net": "x" * 5_000}})["totals"]["net"] == clip("x" * 5_000)


def test_warnings_are_counted_beyond_the_first_20() -> None:
    once = bounded({"warnings": [str(number) for number in range(30)]})["warnings"]
    again = bounded({"warnings": [*once, "another", "and another"]})["warnings"]

    assert once == [*map(str, range(20)), "and 10 more warnings."]
    assert again == [*map(str, range(20)), "and 12 more warnings."]


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": "a#ü"}, 2 + 4),  # names and texts in UTF-8
        ({"n": 1_800_000_000, "m": 12345}, (1 + 3) + (1 + 5)),  # about a byte for two significant digits
        ({"yes": True, "no": None}, (3 + 1) + (2 + 1)),
        ({"rows": ["a", "bc"]}, 4 + 3 + (1 + 1) + (1 + 2)),  # three bytes, and one for each element
        ({"map": {"a": "b", "c": {}}}, 3 + 3 + (1 + 1 + 1) + (1 + 1 + 3)),
    ],
)
def test_a_record_is_measured_by_dynamodbs_own_rule(item: dict[str, Any], size: int) -> None:
    assert size_of(item) == size
