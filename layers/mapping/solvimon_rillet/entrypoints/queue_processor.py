"""Taking work from a queue or from a person: one batch of bus events, or one direct invocation."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from solvimon_rillet.aws.sqs import Queue
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.errors import Code, ConnectionBroken, NeedsAttention, Recoverable
from solvimon_rillet.events import SOLVIMON, BusEvent
from solvimon_rillet.rate_limit.limiter import Priority
from solvimon_rillet.workflows.outcome import Result

logger = logging.getLogger(__name__)

Work = Callable[[str, str, Priority], Result]

# A document may need several calls; with less time left it is not begun.
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
# A message lives for 14 days; what claims to be older was not on its way all the time.
_LONGEST_LATENCY = 15 * 86_400
# Their messages quote a vendor, which may name people; the ledger has them, the log has not.
_QUOTES = (Code.REFUSED_BY_RILLET, Code.REFUSED_BY_SOLVIMON)


class QueueProcessor:
    """A workflow's two ways in.

    Args:
        queue: where work goes that must wait.
        work: does one document: ``work(connection, document_id, priority)``.
        telemetry: counts outcomes.
        event_work: does an event instead, for work that needs what the event itself says.
        asked: comes first where a person asks for a document: ``asked(connection, document_id)``.
        clock: unix seconds.
    """

    def __init__(
        self,
        queue: Callable[[], Queue],
        work: Work,
        telemetry: Telemetry,
        event_work: Callable[[BusEvent], Result] | None = None,
        asked: Callable[[str, str], None] = lambda _connection, _document_id: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._queue = queue
        self._work = work
        self._telemetry = telemetry
        self._event_work = event_work or (lambda event: work(event.connection, event.id, _priority(event)))
        self._asked = asked
        self._clock = clock

    def batch(self, event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        """Take an SQS batch; what cannot be handed back by itself is reported as a failed item."""
        failed = []
        for record in event["Records"]:
            try:
                self._message(record, context)
            except Exception:  # whatever it is, the others go on, and SQS hands this one over again
                logger.exception("message failed", extra={"message_id": record["messageId"]})
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    def document(self, connection: str, document_id: str, detail_type: str, context: Any) -> Result:  # noqa: ANN401
        """Do one document on a person's request; what must wait goes onto the queue.

        Raises:
            NeedsAttention: there is no such connection.
        """
        try:
            self._asked(connection, document_id)
            if context.get_remaining_time_in_millis() < NEEDED_MILLISECONDS:
                raise _OutOfTime("There was no time left in this run.", after=1)
            return self._counted(
                connection, document_id, lambda: self._work(connection, document_id, Priority.LIVE)
            )
        except Recoverable as error:
            self._note(error, connection, document_id)
            message = BusEvent(SOLVIMON, detail_type, connection, document_id, "", "").to_queue_message()
            try:
                deferred = self._queue().defer(message, {}, error.after)
            except Recoverable as lost:
                return Result(document_id, "try_again", {"reason": f"{error} {lost} Invoke it again."})
            told = f"{error} It is on the queue and is tried again by itself in {deferred.delay} s."
            return Result(document_id, "queued", {"reason": told})

    def _message(self, record: Mapping[str, Any], context: Any) -> None:  # noqa: ANN401
        event = BusEvent.from_queue(record["body"])
        after: float | None
        try:
            if context.get_remaining_time_in_millis() < NEEDED_MILLISECONDS:
                raise _OutOfTime("There was no time left in this run.", after=1)
            result = self._counted(event.connection, event.id, lambda: self._event_work(event))
            if result.outcome == "exported":
                self._record_latency(event)
            return
        except Recoverable as error:
            self._note(error, event.connection, event.id)
            after = error.after
        except NeedsAttention as error:  # the connection is not there (yet); its documents wait for it
            logger.exception(
                "no such connection", extra={"connection": event.connection, "reason": str(error)}
            )
            after = _UNKNOWN_CONNECTION_SECONDS
        deferred = self._queue().defer(record["body"], record.get("messageAttributes") or {}, after)
        self._telemetry.count("WaitingSeconds", event.connection, deferred.waited, MetricUnit.Seconds)

    def _counted(self, connection: str, document_id: str, work: Callable[[], Result]) -> Result:
        result = work()
        facts: dict[str, Any] = {
            name: result.facts[name] for name in ("rillet_id", "code", "reason") if name in result.facts
        }
        if "message" in result.facts and facts.get("code") not in _QUOTES:
            facts["cause"] = result.facts["message"]
        logger.info(
            "document done",
            extra={"connection": connection, "document": document_id, "outcome": result.outcome, **facts},
        )
        if name := _METRICS.get(result.outcome):
            self._telemetry.count(name, connection)
        return result

    def _record_latency(self, event: BusEvent) -> None:
        """Note how long a document took from being finalised to being booked, where its event says when."""
        try:
            occurred = datetime.fromisoformat(event.occurred_at)
        except ValueError:
            return
        if occurred.tzinfo is None:
            occurred = occurred.replace(tzinfo=UTC)
        seconds = self._clock() - occurred.timestamp()
        # Two vendors' clocks differ by a little; more is no measurement.
        if -60 <= seconds <= _LONGEST_LATENCY:
            self._telemetry.count(
                "BookedAfterSeconds", event.connection, max(0.0, seconds), MetricUnit.Seconds
            )

    def _note(self, error: Recoverable, connection: str, document_id: str) -> None:
        logger.warning(
            "document must wait",
            extra={
                "connection": connection,
                "document": document_id,
                "why": type(error).__name__,
                "reason": str(error),
            },
        )
        self._telemetry.count("DocumentsWaiting", connection)
        if isinstance(error, ConnectionBroken):
            self._telemetry.count("ConnectionBroken", connection)


class _OutOfTime(Recoverable):
    pass


def _priority(event: BusEvent) -> Priority:
    return Priority.BULK if event.bulk else Priority.LIVE


def summary(results: list[Result]) -> dict[str, int]:
    """How many documents ended how."""
    return dict(Counter(result.outcome for result in results))
