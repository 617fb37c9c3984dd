"""Taking work: a message is done, handed back for later, or reported as failed."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from solvimon_rillet.aws.sqs import Deferred
from solvimon_rillet.entrypoints.queue_processor import (
    NEEDED_MILLISECONDS,
    DoOne,
    QueueProcessor,
    count_outcomes,
)
from solvimon_rillet.errors import (
    Code,
    ConnectionBroken,
    NeedsAttention,
    OutcomeUnknown,
    Recoverable,
    RetryLater,
    Skip,
)
from solvimon_rillet.events import INVOICE_FINALISED, SOLVIMON, BusEvent
from solvimon_rillet.workflows.outcome import Result, error_fields
from tests.support.logs import logged

Json = dict[str, Any]
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC).timestamp()


@dataclass
class Fakes:
    """What stands around a processor: a queue, a counter and the time that is left."""

    deferred: list[tuple[str, Json, float | None]] = field(default_factory=list)
    counted: list[tuple[str, str]] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)
    queue_fails: bool = False
    left: int = 60_000

    def defer(self, body: str, attributes: Json, after: float | None, group: str = "") -> Deferred:
        if self.queue_fails:
            raise RetryLater("The queue does not take the message.")
        assert group == BusEvent.from_queue(body).connection, "messages of a connection are one group"
        self.deferred.append((body, attributes, after))
        return Deferred(30, 0)

    def count(self, name: str, connection: str, value: float = 1, *_: object) -> None:
        self.counted.append((name, connection))
        self.values[name] = value

    def get_remaining_time_in_millis(self) -> int:
        return self.left


def processor(fakes: Fakes) -> QueueProcessor:
    return QueueProcessor(lambda: fakes, fakes, clock=lambda: NOW)  # type: ignore[arg-type,return-value]


def record(number: int, body: object = None, **attributes: str) -> Json:
    whole = {
        "source": "solvimon",
        "detail-type": INVOICE_FINALISED,
        "detail": {"connection": "default", "id": f"invo_{number}"},
    }
    return {
        "messageId": f"m{number}",
        "body": json.dumps(whole) if body is None else body,
        "messageAttributes": {
            name: {"dataType": "Number", "stringValue": value} for name, value in attributes.items()
        },
        "eventSource": "aws:sqs",
    }


def batch(fakes: Fakes, work: DoOne, *records: Json) -> list[str]:
    """Process a batch and return the ids of the failed messages."""
    answer = processor(fakes).process_batch(records, work, fakes)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def ending(**ends: Result | Exception | str) -> DoOne:
    """Work that ends as told, by document; the rest is exported."""

    def work(event: BusEvent) -> Result:
        end = ends.get(event.id, "exported")
        if isinstance(end, Exception):
            raise end
        return Result(event.id, end) if isinstance(end, str) else end

    return work


def test_every_message_of_a_batch_is_done_in_its_connection() -> None:
    done: list[tuple[str, str]] = []

    def work(event: BusEvent) -> Result:
        done.append((event.connection, event.id))
        return Result(event.id, "exported")

    failed = batch(Fakes(), work, record(1), record(2))

    assert failed == []
    assert done == [("default", "invo_1"), ("default", "invo_2")]


@pytest.mark.parametrize(
    ("error", "after"),
    [
        (RetryLater("down"), None),
        (RetryLater("429", after=61), 61),
        (OutcomeUnknown("lost"), None),
        (ConnectionBroken("revoked"), 300),
    ],
)
def test_what_must_wait_goes_back_onto_the_queue_as_it_came(error: Recoverable, after: float | None) -> None:
    fakes, waits = Fakes(), record(2, deferrals="3", first_seen="7")

    failed = batch(fakes, ending(invo_2=error), record(1), waits, record(3))

    assert failed == []
    assert fakes.deferred == [(waits["body"], waits["messageAttributes"], after)]
    assert [name for name, _ in fakes.counted].count("DocumentsExported") == 2


def test_a_message_without_attributes_goes_back_too() -> None:
    fakes, waits = Fakes(), record(1)
    waits["messageAttributes"] = None

    batch(fakes, ending(invo_1=RetryLater("down")), waits)

    assert fakes.deferred == [(waits["body"], {}, None)]


def test_a_message_that_cannot_be_handed_back_is_reported_as_failed() -> None:
    fakes = Fakes(queue_fails=True)

    failed = batch(fakes, ending(invo_2=RetryLater("down")), record(1), record(2), record(3))

    assert failed == ["m2"]


@pytest.mark.parametrize("crashing", [["invo_1"], ["invo_1", "invo_2"]])
def test_crashes_fail_message_by_message_and_not_the_batch_as_a_whole(crashing: list[str]) -> None:
    failed = batch(Fakes(), ending(**dict.fromkeys(crashing, ZeroDivisionError())), record(1), record(2))

    assert failed == [f"m{number}" for number in range(1, len(crashing) + 1)]


@pytest.mark.parametrize(
    "body", ["", "no JSON", "null", "[]", "{}", '{"detail": []}', '{"detail": {"id": "x"}}']
)
def test_a_malformed_message_fails_by_itself_and_nothing_is_done_for_it(body: str) -> None:
    fakes = Fakes()

    failed = batch(fakes, ending(), record(1, body), record(2))

    assert failed == ["m1"]
    assert fakes.counted == [("DocumentsExported", "default")]
    assert fakes.deferred == []


def test_documents_of_a_connection_that_is_not_there_wait_a_quarter_of_an_hour() -> None:
    fakes = Fakes()
    unknown = NeedsAttention(Code.CONNECTION_UNKNOWN, "There is no connection 'x'.", "Make it.")

    with logged() as log:
        failed = batch(fakes, ending(invo_1=unknown), record(1))

    assert failed == []
    assert [after for _, _, after in fakes.deferred] == [900]
    assert log.messages == ["no such connection"]


@pytest.mark.parametrize(("left", "begun"), [(NEEDED_MILLISECONDS, True), (NEEDED_MILLISECONDS - 1, False)])
def test_a_document_is_not_begun_without_the_time_that_it_needs(left: int, begun: bool) -> None:
    fakes, done = Fakes(left=left), []

    def work(event: BusEvent) -> Result:
        done.append(event.id)
        return Result(event.id, "exported")

    failed = batch(fakes, work, record(1))

    assert failed == []
    assert (done == ["invo_1"]) is begun
    assert [after for _, _, after in fakes.deferred] == ([] if begun else [1])


@pytest.mark.parametrize(
    ("outcome", "metric"),
    [
        ("exported", "DocumentsExported"),
        ("rejected", "DocumentsRejected"),
        ("skipped", "DocumentsSkipped"),
        ("differs", "DocumentsDiffer"),
        ("already_exported", None),
        ("not_ours", None),
    ],
)
def test_every_outcome_that_changes_something_is_counted_for_its_connection(
    outcome: str, metric: str | None
) -> None:
    fakes = Fakes()

    batch(fakes, ending(invo_1=outcome), record(1))

    assert fakes.counted == ([(metric, "default")] if metric else [])


def test_waiting_is_counted_and_a_broken_connection_raises_an_alarm() -> None:
    fakes = Fakes()

    batch(fakes, ending(invo_1=RetryLater("down"), invo_2=ConnectionBroken("revoked")), record(1), record(2))

    names = [name for name, _ in fakes.counted]
    assert names.count("DocumentsWaiting") == 2
    assert names.count("ConnectionBroken") == 1


def test_a_done_document_is_logged_with_its_ids_and_facts() -> None:
    result = Result(
        "invo_1", "rejected", {"code": "date_missing", "remedy": "long text", "payload": {"a": 1}}
    )

    with logged() as log:
        batch(Fakes(), ending(invo_1=result), record(1))

    [line] = log.records
    facts = vars(line)
    assert (facts["connection"], facts["document"], facts["outcome"]) == ("default", "invo_1", "rejected")
    assert facts["code"] == "date_missing"
    assert "payload" not in facts


def test_the_log_tells_the_cause_in_our_own_words_and_never_what_they_quote() -> None:
    why = NeedsAttention(Code.DATE_MISSING, "It has no date.", "Ask Ada.", quoted="Ada Lovelace")
    skipped = Skip("It is not FINAL.", quoted="Ada's draft")
    rejected = Result("invo_1", "rejected", error_fields(why))
    results: dict[str, Result | Exception | str] = {
        "invo_1": rejected,
        "invo_2": Result("invo_2", "skipped", {"reason": skipped.reason}),
        "invo_3": Result(
            "invo_3", "differs", {"code": "total_differs", "message": "Read from a record of Ada."}
        ),
    }

    with logged() as log:
        for number in (1, 2, 3):
            batch(Fakes(), ending(**results), record(number))

    [cause, reason, nothing] = [r for r in log.records if r.getMessage() == "document done"]
    assert (vars(cause)["cause"], vars(reason)["reason"]) == ("It has no date.", "It is not FINAL.")
    assert "cause" not in vars(nothing)
    assert "Ada" not in log.text
    assert rejected.facts["message"] == "It has no date: Ada Lovelace."


def finalised_at(moment: str) -> Json:
    detail = {"connection": "default", "id": "invo_1", "occurred_at": moment}
    return record(1, json.dumps({"source": "solvimon", "detail-type": INVOICE_FINALISED, "detail": detail}))


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("2026-11-01T07:59:30Z", 30),
        ("2026-11-01T09:59:30+02:00", 30),
        ("2026-11-01T07:59:30.500", 29.5),
        ("2026-10-25T08:00:00Z", 7 * 86_400),
        ("2026-11-01T08:00:20Z", 0),
    ],
)
def test_how_long_it_took_from_finalised_to_booked_is_counted(moment: str, seconds: float) -> None:
    fakes = Fakes()

    batch(fakes, ending(), finalised_at(moment))

    assert fakes.values["BookedAfterSeconds"] == seconds


@pytest.mark.parametrize("moment", ["", "yesterday", "2020-01-01T00:00:00Z", "2026-11-01T08:05:00Z"])
def test_a_moment_that_cannot_be_is_not_counted(moment: str) -> None:
    fakes = Fakes()

    batch(fakes, ending(), finalised_at(moment))

    assert fakes.counted == [("DocumentsExported", "default")]


@pytest.mark.parametrize("outcome", ["rejected", "already_exported", "skipped"])
def test_what_was_not_booked_took_no_time(outcome: str) -> None:
    fakes = Fakes()

    batch(fakes, ending(invo_1=outcome), finalised_at("2026-11-01T07:59:30Z"))

    assert "BookedAfterSeconds" not in fakes.values


def direct(fakes: Fakes, work: DoOne) -> Result:
    asked = BusEvent(SOLVIMON, INVOICE_FINALISED, "default", "invo_1", "", "")
    return processor(fakes).process_document(asked, work, fakes)


def test_a_persons_request_is_done_at_once_and_counted() -> None:
    fakes = Fakes()

    result = direct(fakes, ending())

    assert result.outcome == "exported"
    assert fakes.counted == [("DocumentsExported", "default")]


def test_a_persons_request_that_must_wait_becomes_a_message_that_the_queue_understands() -> None:
    fakes = Fakes()

    result = direct(fakes, ending(invo_1=RetryLater("Rillet is down.", after=61)))

    [(body, attributes, after)] = fakes.deferred
    assert (attributes, after) == ({}, 61)
    event = BusEvent.from_queue(body)
    assert (event.source, event.detail_type, event.connection, event.id) == (
        "solvimon",
        INVOICE_FINALISED,
        "default",
        "invo_1",
    )
    assert result.outcome == "queued"
    assert result.facts["reason"] == (
        "Rillet is down. It is on the queue; the next attempt follows automatically in 30 s."
    )
    assert ("DocumentsWaiting", "default") in fakes.counted


def test_a_persons_request_without_time_left_is_put_on_the_queue() -> None:
    fakes = Fakes(left=NEEDED_MILLISECONDS - 1)

    result = direct(fakes, ending())

    assert result.outcome == "queued"
    assert [after for _, _, after in fakes.deferred] == [1]


def test_a_persons_request_for_an_unknown_connection_is_told_to_the_person() -> None:
    fakes = Fakes()

    with pytest.raises(NeedsAttention):
        direct(fakes, ending(invo_1=NeedsAttention(Code.CONNECTION_UNKNOWN, "no", "make it")))

    assert fakes.deferred == []


def test_a_summary_counts_outcomes() -> None:
    results = [Result("1", "exported"), Result("2", "rejected"), Result("3", "exported")]

    assert count_outcomes(results) == {"exported": 2, "rejected": 1}
    assert count_outcomes([]) == {}
