"""Conditional writes decide who may work on a document, and what may be written over."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.errors import Code, Conflict, NeedsAttention, OutcomeUnknown, Recoverable, RetryLater
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, SCHEMA, Attempt, Claim, Document, Ledger
from tests.unit.ledger.conftest import NOW, Hand

DOCUMENT = Document("default", "invoice", "invo_1")
ATTEMPT = Attempt(
    key="key-1",
    payload_hash="hash",
    customer_id="customer",
    totals={"currency": "EUR", "net": "1.00", "tax": "0.21", "gross": "1.21"},
    first_called_at=NOW,
    last_called_at=NOW,
    number=1,
)
WHY = NeedsAttention(Code.DOES_NOT_TIE_OUT, "1 EUR is not 2 EUR", "Compare the two.")


def read(ledger: Ledger, document: Document = DOCUMENT) -> dict[str, Any]:
    record = ledger.read(document)
    assert record is not None
    return record


def test_a_claim_is_a_lease_with_the_time_it_was_made(ledger: Ledger) -> None:
    claim = ledger.claim(DOCUMENT, "me")

    assert (claim.state, claim.done, claim.attempt) == ("claimed", False, None)
    assert read(ledger) == {
        "pk": "default#invoice#invo_1",
        "sk": "RECORD",
        "state": "claimed",
        "lease_owner": "me",
        "lease_until": NOW + LEASE_SECONDS,
        "created_at": NOW,
        "updated_at": NOW,
        "listed": "default#invoice#claimed",
        "schema_version": SCHEMA,
    }


def test_a_live_lease_of_another_worker_says_for_how_long(ledger: Ledger, clock: Hand) -> None:
    ledger.claim(DOCUMENT, "me")
    clock.time += 30

    with pytest.raises(RetryLater, match="another worker") as raised:
        ledger.claim(DOCUMENT, "you")

    assert raised.value.after == LEASE_SECONDS - 30
    assert read(ledger)["lease_owner"] == "me"


@pytest.mark.parametrize(
    ("why", "kept"),
    [
        (OutcomeUnknown("Rillet did not answer."), True),
        (Conflict("Rillet answered 409."), True),
        (OutcomeUnknown("Rillet answered 500.", over=True), False),
        (RetryLater("Rillet cannot be reached."), False),
        (None, False),
    ],
)
def test_a_lease_is_kept_while_a_write_may_still_arrive(
    ledger: Ledger, clock: Hand, why: Recoverable | None, kept: bool
) -> None:
    claim = ledger.claim(DOCUMENT, "me")
    clock.time += 30

    ledger.release(claim, why)

    assert read(ledger).get("lease_until") == (NOW + LEASE_SECONDS if kept else None)


@pytest.mark.parametrize(("later", "free"), [(LEASE_SECONDS - 1, False), (LEASE_SECONDS, True)])
def test_a_lease_ends_by_the_clock(ledger: Ledger, clock: Hand, later: int, free: bool) -> None:
    ledger.claim(DOCUMENT, "me")
    clock.time += later

    with nullcontext() if free else pytest.raises(RetryLater):
        assert ledger.claim(DOCUMENT, "you").owner == "you"


def test_even_its_owner_cannot_claim_twice(ledger: Ledger) -> None:
    """Two runs never share a name, but if they did, only one may work."""
    ledger.claim(DOCUMENT, "me")

    with pytest.raises(RetryLater):
        ledger.claim(DOCUMENT, "me")


def test_of_many_workers_at_once_exactly_one_gets_the_lease(ledger: Ledger) -> None:
    start, won, lost = threading.Barrier(16, timeout=20), [], []

    def try_it(name: str) -> None:
        start.wait()
        try:
            won.append(ledger.claim(DOCUMENT, name).owner)
        except RetryLater:
            lost.append(name)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(try_it, (f"worker {n}" for n in range(16))))

    assert (len(won), len(lost)) == (1, 15)
    assert read(ledger)["lease_owner"] == won[0]


@pytest.mark.parametrize("state", ["exported", "differs"])
def test_a_finished_document_is_news_and_no_lease(ledger: Ledger, clock: Hand, state: str) -> None:
    ledger.finish(ledger.claim(DOCUMENT, "me"), state, {"rillet_id": "r1"})
    clock.time += 365 * 24 * 3600
    before = read(ledger)

    claim = ledger.claim(DOCUMENT, "you")

    assert (claim.done, claim.state, claim.record["rillet_id"]) == (True, state, "r1")
    assert read(ledger) == before


@pytest.mark.parametrize("end", ["reject", "skip", "release"])
def test_an_unfinished_document_can_be_claimed_again_at_once(ledger: Ledger, end: str) -> None:
    claim = ledger.claim(DOCUMENT, "me")
    ends: dict[str, Callable[[], None]] = {
        "reject": lambda: ledger.reject(claim, WHY, None),
        "skip": lambda: ledger.skip(claim, "not for Rillet"),
        "release": lambda: ledger.release(claim),
    }
    ends[end]()

    again = ledger.claim(DOCUMENT, "you")

    assert again.owner == "you"
    assert again.done is False


WRITES: dict[str, Callable[[Ledger, Claim], None]] = {
    "begin": lambda ledger, claim: ledger.record_attempt(claim, ATTEMPT),
    "finish": lambda ledger, claim: ledger.finish(claim, "exported", {"rillet_id": "mine"}),
    "reject": lambda ledger, claim: ledger.reject(claim, WHY, ATTEMPT),
    "skip": lambda ledger, claim: ledger.skip(claim, "not for Rillet"),
    "release": lambda ledger, claim: ledger.release(claim),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("meanwhile", ["claimed", "exported", "released"])
def test_a_worker_that_lost_its_lease_changes_nothing(
    ledger: Ledger, clock: Hand, write: str, meanwhile: str
) -> None:
    slow = ledger.claim(DOCUMENT, "slow")
    clock.time += LEASE_SECONDS + 1
    fast = ledger.claim(DOCUMENT, "fast")
    if meanwhile == "exported":
        ledger.finish(fast, "exported", {"rillet_id": "theirs"})
    elif meanwhile == "released":
        ledger.release(fast)
    before = read(ledger)

    with pytest.raises(RetryLater, match="lease on invo_1 is lost"):
        WRITES[write](ledger, slow)

    assert read(ledger) == before


def test_an_intent_is_written_whole_and_keeps_the_lease(ledger: Ledger, clock: Hand) -> None:
    claim = ledger.claim(DOCUMENT, "me")
    clock.time += 5

    ledger.record_attempt(claim, ATTEMPT)

    record = read(ledger)
    assert (record["state"], record["lease_owner"], record["updated_at"]) == ("sending", "me", NOW + 5)
    assert Attempt.from_item(record["attempt"]) == ATTEMPT


def test_the_next_claim_sees_the_attempt_of_the_one_before(ledger: Ledger, clock: Hand) -> None:
    ledger.record_attempt(ledger.claim(DOCUMENT, "me"), ATTEMPT)
    clock.time += LEASE_SECONDS

    claim = ledger.claim(DOCUMENT, "you")

    assert (claim.state, claim.attempt) == ("sending", ATTEMPT)


def test_a_final_state_releases_the_lease_and_keeps_the_attempt(ledger: Ledger) -> None:
    claim = ledger.claim(DOCUMENT, "me")
    ledger.record_attempt(claim, ATTEMPT)

    ledger.finish(claim, "exported", {"rillet_id": "r1", "totals": dict(ATTEMPT.totals)})

    record = read(ledger)
    assert (record["state"], record["rillet_id"], record["totals"]["gross"]) == ("exported", "r1", "1.21")
    assert record.keys().isdisjoint({"lease_owner", "lease_until"})
    assert Attempt.from_item(record["attempt"]) == ATTEMPT


def test_a_rejection_without_an_attempt_keeps_the_open_one(ledger: Ledger) -> None:
    claim = ledger.claim(DOCUMENT, "me")
    ledger.record_attempt(claim, ATTEMPT)

    ledger.reject(claim, WHY, None)

    record = read(ledger)
    assert (record["state"], record["code"], record["message"], record["remedy"]) == (
        "rejected",
        "does_not_tie_out",
        "1 EUR is not 2 EUR",
        "Compare the two.",
    )
    assert Attempt.from_item(record["attempt"]) == ATTEMPT


def test_each_state_leaves_nothing_of_the_reasons_of_the_one_before(ledger: Ledger) -> None:
    ledger.reject(ledger.claim(DOCUMENT, "a"), WHY, None)
    ledger.skip(ledger.claim(DOCUMENT, "b"), "not for Rillet")
    skipped = read(ledger)
    ledger.reject(ledger.claim(DOCUMENT, "c"), WHY, None)
    rejected = read(ledger)
    ledger.finish(ledger.claim(DOCUMENT, "d"), "exported", {"rillet_id": "r1"})
    exported = read(ledger)

    reasons = {"code", "message", "remedy", "reason"}
    assert reasons & skipped.keys() == {"reason"}
    assert reasons & rejected.keys() == {"code", "message", "remedy"}
    assert reasons & exported.keys() == set()


def test_a_difference_keeps_its_own_reasons(ledger: Ledger) -> None:
    facts = {"code": "total_differs", "message": "1 instead of 2", "remedy": "Correct it."}

    ledger.finish(ledger.claim(DOCUMENT, "me"), "differs", facts)

    assert read(ledger).items() >= facts.items()


def test_what_is_written_is_read_back_in_plain_types(ledger: Ledger) -> None:
    facts = {
        "n": 3,
        "d": Decimal("1.5"),
        "whole": Decimal(4),
        "list": [1, {"a": 2}],
        "none": None,
        "no": False,
    }

    ledger.finish(ledger.claim(DOCUMENT, "me"), "exported", facts)

    record = read(ledger)
    assert {name: record[name] for name in facts} == facts
    assert type(record["n"]) is type(record["whole"]) is type(record["list"][1]["a"]) is int


def test_a_document_that_was_never_seen_has_no_record(ledger: Ledger) -> None:
    assert ledger.read(DOCUMENT) is None


@pytest.mark.parametrize(
    "other",
    [
        Document("acme", "invoice", "invo_1"),
        Document("default", "credit-memo", "invo_1"),
        Document("default", "invoice", "invo_2"),
        Document("default", "invoice", "invo_1#"),
    ],
)
def test_records_of_other_documents_are_apart(ledger: Ledger, other: Document) -> None:
    ledger.claim(DOCUMENT, "me")

    assert ledger.read(other) is None
    assert ledger.claim(other, "me").owner == "me"


def test_a_link_is_remembered_for_its_connection_and_kind_only(ledger: Ledger) -> None:
    ledger.store_link("default", "customer", "cust_1", {"rillet_id": "r1", "mailed": True})

    found = ledger.find_link("default", "customer", "cust_1")
    assert found
    assert (found["rillet_id"], found["mailed"]) == ("r1", True)
    assert ledger.find_link("acme", "customer", "cust_1") is None
    assert ledger.find_link("default", "product", "cust_1") is None
    assert ledger.find_link("default", "customer", "cust_2") is None


@pytest.mark.parametrize(("later", "known"), [(59, True), (60, False), (10**6, False)])
def test_a_link_with_an_end_is_not_used_after_it(
    ledger: Ledger, clock: Hand, later: int, known: bool
) -> None:
    """DynamoDB deletes expired items when it gets round to it, which may be days later."""
    ledger.store_link("default", "product", "prod_1", {"rillet_id": "r1"}, 60)
    clock.time += later

    assert (ledger.find_link("default", "product", "prod_1") is not None) is known


def test_a_link_without_an_end_stays(ledger: Ledger, clock: Hand) -> None:
    ledger.store_link("default", "customer", "cust_1", {"rillet_id": "r1"})
    clock.time += 10**9

    assert ledger.find_link("default", "customer", "cust_1")


def test_a_newer_link_replaces_the_whole_older_one(ledger: Ledger, clock: Hand) -> None:
    ledger.store_link("default", "subsidiary", "bile_1", {"rillet_id": "r1", "currency": "EUR"}, 60)
    ledger.store_link("default", "subsidiary", "bile_1", {"rillet_id": "r2"})
    clock.time += 61

    found = ledger.find_link("default", "subsidiary", "bile_1")

    assert found
    assert (found["rillet_id"], found.get("currency")) == ("r2", None)


def test_a_forgotten_link_is_gone_and_forgetting_nothing_does_no_harm(ledger: Ledger) -> None:
    ledger.store_link("default", "customer", "cust_1", {"rillet_id": "r1"})

    ledger.delete_link("default", "customer", "cust_1")
    ledger.delete_link("default", "customer", "cust_1")

    assert ledger.find_link("default", "customer", "cust_1") is None


class Failing:
    """DynamoDB, failing at everything."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., object]:
        def fail(**_: object) -> object:
            raise self._error

        return fail


CALLS: dict[str, Callable[[Ledger], object]] = {
    "claim": lambda ledger: ledger.claim(DOCUMENT, "me"),
    "write": lambda ledger: ledger.release(Claim(DOCUMENT, "me", {})),
    "read": lambda ledger: ledger.read(DOCUMENT),
    "remember": lambda ledger: ledger.store_link("default", "customer", "c", {}),
    "forget": lambda ledger: ledger.delete_link("default", "customer", "c"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("error", "named"),
    [
        *(
            (ClientError({"Error": {"Code": code}}, "Update"), code)
            for code in (
                *("InternalServerError", "ProvisionedThroughputExceededException", "AccessDeniedException"),
            )
        ),
        (EndpointConnectionError(endpoint_url="x"), "EndpointConnectionError"),
    ],
)
def test_a_table_that_does_not_answer_or_cannot_be_reached_makes_documents_wait(
    call: str, error: Exception, named: str
) -> None:
    broken: Any = Failing(error)

    with pytest.raises(RetryLater, match=named):
        CALLS[call](Ledger(Table("table", broken), lambda: NOW))


@pytest.mark.parametrize("call", CALLS)
def test_a_request_that_dynamodb_cannot_understand_is_a_bug_and_stays_one(call: str) -> None:
    broken: Any = Failing(ClientError({"Error": {"Code": "ValidationException"}}, "Update"))

    with pytest.raises(ClientError):
        CALLS[call](Ledger(Table("table", broken), lambda: NOW))


def test_an_open_attempt_of_an_earlier_version_counts_as_under_way() -> None:
    names = ("key", "payload_hash", "customer_id", "totals", "started", "called", "number", "open")
    item = {name: ATTEMPT.as_item()[name] for name in names}

    attempt = Attempt.from_item(item)

    assert attempt == ATTEMPT
    assert attempt is not None
    assert attempt.is_under_way


def test_replaced_attempts_stay_in_the_record_beside_the_latest_one(ledger: Ledger, clock: Hand) -> None:
    claim = ledger.claim(DOCUMENT, "me")
    latest = replace(ATTEMPT, key="key-2", number=2)
    ledger.record_attempt(claim, latest, [ATTEMPT])
    clock.time += LEASE_SECONDS

    claim = ledger.claim(DOCUMENT, "you")

    assert (claim.attempt, claim.replaced) == (latest, [ATTEMPT])
    assert claim.open_attempts == [ATTEMPT, latest]


def test_a_release_writes_the_end_of_a_call_without_a_result(ledger: Ledger) -> None:
    claim = ledger.claim(DOCUMENT, "me")
    ledger.record_attempt(claim, ATTEMPT)
    claim.facts_on_release["attempt"] = replace(ATTEMPT, over=True).as_item()

    ledger.release(claim, OutcomeUnknown("Rillet answered 500.", over=True))

    attempt = ledger.claim(DOCUMENT, "you").attempt
    assert attempt is not None
    assert not attempt.is_under_way


def test_the_first_record_of_a_document_is_what_a_claim_and_its_result_would_have_written(
    ledger: Ledger,
) -> None:
    other, facts = Document("default", "payment", "invo_2"), {"payment_status": "UNPAID"}
    claimed = ledger.claim(Document("default", "payment", "invo_1"), "worker")
    ledger.finish(claimed, "marked", facts)

    assert ledger.record_first(other, "marked", facts)

    assert read(ledger, other) == read(ledger, claimed.document) | {
        "pk": other.key,
        "listed": other.index_key("marked"),
    }


@pytest.mark.parametrize("state", ["claimed", "exported"])
def test_a_first_record_never_replaces_another_one(ledger: Ledger, state: str) -> None:
    claim = ledger.claim(DOCUMENT, "worker")
    if state == "exported":
        ledger.finish(claim, state, {})
    before = read(ledger)

    assert not ledger.record_first(DOCUMENT, "marked", {})

    assert read(ledger) == before
