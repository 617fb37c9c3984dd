"""Process a queue's batch of bus events, or one document on a person's request."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from solvimon_rillet.aws.sqs import Queue
from solvimon_rillet.entrypoints.requested_documents import is_sample
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.errors import ConnectionBroken, NeedsAttention, Recoverable, own_words
from solvimon_rillet.events import BusEvent, is_id
from solvimon_rillet.ledger.actor import acting_for
from solvimon_rillet.rate_limit.send_times import Priority
from solvimon_rillet.workflows.outcome import Result

logger = logging.getLogger(__name__)

DoOne = Callable[[BusEvent], Result]
"""Does the work for a bus event; raises ``NeedsAttention`` only if there is no such connection."""

# A document may need several calls; with less time left, the function does not begin one.
NEEDED_MILLISECONDS = 25_000
_METRICS = {
    "exported": "DocumentsExported",
    "rejected": "DocumentsRejected",
    "skipped": "DocumentsSkipped",
    "differs": "DocumentsDiffer",
    "synced": "CustomersSynced",
    "marked": "InvoicesMarked",
}
_UNKNOWN_CONNECTION_SECONDS = 900
# A message lives for 14 days; an older event was not waiting all the time.
_MAX_LATENCY_SECONDS = 15 * 86_400


class QueueProcessor:
    """Does the work of one function, and returns to the queue the documents that must wait.

    Args:
        queue: the function's own queue.
        telemetry: counts outcomes.
        clock: unix seconds.
        on_done: is given each result that is no wait, once it is recorded.
    """

    def __init__(
        self,
        queue: Callable[[], Queue],
        telemetry: Telemetry,
        clock: Callable[[], float] = time.time,
        on_done: Callable[[BusEvent, Result], None] = lambda _event, _result: None,
    ) -> None:
        self._queue = queue
        self._telemetry = telemetry
        self._clock = clock
        self._on_done = on_done

    def process_batch(
        self,
        records: Iterable[Mapping[str, Any]],
        do_one: DoOne,
        context: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Process an SQS batch; a message that cannot be returned to the queue is a failed item."""
        failed = []
        for record in records:
            try:
                self._process_message(record, do_one, context)
            except Exception:  # after any error, the other messages continue, and SQS repeats this one
                logger.exception("message failed", extra={"message_id": record["messageId"]})
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    def process_document(
        self,
        event: BusEvent,
        do_one: DoOne,
        context: Any,  # noqa: ANN401
        before: Callable[[], None] = lambda: None,
    ) -> Result:
        """Process one document on a person's request; if it must wait, put it onto the queue.

        Args:
            event: the bus event of the document.
            do_one: the work.
            context: Lambda's, for the time that is left.
            before: runs first, even if there is no time left for the work.

        Raises:
            NeedsAttention: there is no such connection.
        """
        try:
            before()
            self._check_time(context)
            return self._do_and_count(event, do_one)
        except Recoverable as error:
            self._record_wait(error, event)
            try:
                deferred = self._queue().defer(event.to_queue_message(), {}, error.after, event.connection)
            except Recoverable as lost:
                return Result(
                    event.id, "try_again", {"reason": f"{error.message} {lost.message} Invoke it again."}
                )
            reason = (
                f"{error.message} It is on the queue; the next attempt follows automatically in "
                f"{deferred.delay} s."
            )
            return Result(event.id, "queued", {"reason": reason})

    def _process_message(self, record: Mapping[str, Any], do_one: DoOne, context: Any) -> None:  # noqa: ANN401
        event = BusEvent.from_queue(record["body"])
        if is_sample(record, event.id):
            logger.info("sample event", extra={"connection": event.connection})
            return
        after: float | None
        try:
            self._check_time(context)
            result = self._do_and_count(event, do_one)
            if result.outcome == "exported":
                self._record_latency(event)
            return
        except Recoverable as error:
            self._record_wait(error, event)
            after = error.after
        except NeedsAttention as error:  # the connection does not exist (yet); its documents wait
            logger.exception(
                "no such connection", extra={"connection": event.connection, "reason": str(error)}
            )
            after = _UNKNOWN_CONNECTION_SECONDS
        attributes = record.get("messageAttributes") or {}
        deferred = self._queue().defer(record["body"], attributes, after, event.connection)
        self._telemetry.count("WaitingSeconds", event.connection, deferred.waited, MetricUnit.Seconds)

    @staticmethod
    def _check_time(context: Any) -> None:  # noqa: ANN401
        """Raise ``_OutOfTime`` if there is too little time left for a document."""
        if not has_time(context):
            raise _OutOfTime("There was no time left in this run.", after=1)

    def _do_and_count(self, event: BusEvent, do_one: DoOne) -> Result:
        """Do the work, log the result and count it."""
        with acting_for(event.by):
            result = do_one(event)
        logger.info(
            "document done",
            extra={
                "connection": event.connection,
                "document": _shown_id(event.id),
                "outcome": result.outcome,
                **_logged_facts(result.facts),
            },
        )
        if name := _METRICS.get(result.outcome):
            self._telemetry.count(name, event.connection)
        if "write_back_failed" in result.facts:
            self._telemetry.count("WriteBackFailed", event.connection)
        self._on_done(event, result)
        return result

    def _record_latency(self, event: BusEvent) -> None:
        """Record the time from finalising a document to booking it, if the event has its time."""
        try:
            occurred = datetime.fromisoformat(event.occurred_at)
        except ValueError:
            return
        if occurred.tzinfo is None:
            occurred = occurred.replace(tzinfo=UTC)
        seconds = self._clock() - occurred.timestamp()
        # The vendors' clocks differ a little; a larger difference is not a measurement.
        if -60 <= seconds <= _MAX_LATENCY_SECONDS:
            self._telemetry.count(
                "BookedAfterSeconds", event.connection, max(0.0, seconds), MetricUnit.Seconds
            )

    def _record_wait(self, error: Recoverable, event: BusEvent) -> None:
        """Log and count that a document must wait."""
        logger.warning(
            "document must wait",
            extra={
                "connection": event.connection,
                "document": _shown_id(event.id),
                "why": type(error).__name__,
                "reason": str(error),
            },
        )
        self._telemetry.count("DocumentsWaiting", event.connection)
        if isinstance(error, ConnectionBroken):
            self._telemetry.count("ConnectionBroken", event.connection)


class _OutOfTime(Recoverable):
    pass


def _shown_id(value: object) -> str:
    """An id, for the log; what a person gave as one may be a name."""
    return str(value) if is_id(value) else "not an id"


def _logged_facts(facts: Mapping[str, Any]) -> dict[str, str]:
    """Ids, codes and our own words: what a result quotes belongs in the ledger, not in the log."""
    logged = {
        "rillet_id": _shown_id(facts["rillet_id"]) if facts.get("rillet_id") else "",
        "code": str(facts.get("code", "")),
        "reason": own_words(facts.get("reason")),
        "cause": own_words(facts.get("message")),
    }
    return {name: text for name, text in logged.items() if text}


def has_time(context: Any) -> bool:  # noqa: ANN401
    """Whether the function has enough time left to begin a document."""
    enough: bool = context.get_remaining_time_in_millis() >= NEEDED_MILLISECONDS
    return enough


def priority_of(event: BusEvent) -> Priority:
    """The priority of a message's calls to Rillet."""
    return Priority.BULK if event.bulk else Priority.LIVE


def count_outcomes(results: list[Result]) -> dict[str, int]:
    """The number of results by outcome."""
    return dict(Counter(result.outcome for result in results))
