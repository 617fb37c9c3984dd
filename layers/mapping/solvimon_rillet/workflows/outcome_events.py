"""Outcomes as events on the bus, so that a team hangs its own rules on them (``docs/events.md``).

An event is published after the ledger has the outcome, and its failure is no failure of the work. So it
comes once as a rule; it is lost if the bus does not answer or the function ends in between, and it comes
again where the same outcome is reached again. ``event_id`` is the same for the same outcome.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.events import BusEvent
from solvimon_rillet.fingerprint import fingerprint_of
from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.ledger.ledger import Document, Ledger
from solvimon_rillet.settings import Settings
from solvimon_rillet.workflows.outcome import Result

logger = logging.getLogger(__name__)

SOURCE = "solvimon-rillet"
DOCUMENT_EXPORTED = "Document Exported"
DOCUMENT_REJECTED = "Document Rejected"
DOCUMENT_DIFFERS = "Document Differs"
PAYMENT_MARKED = "Payment Marked"
IMPORT_FINISHED = "Import Finished"
RECONCILIATION_FINISHED = "Reconciliation Finished"

Json = dict[str, Any]
_Event = tuple[str, Json]
_OF_DOCUMENTS = {
    "exported": DOCUMENT_EXPORTED,
    "rejected": DOCUMENT_REJECTED,
    "differs": DOCUMENT_DIFFERS,
    "marked": PAYMENT_MARKED,
}
_RECORDED = ("number", "dated", "amount", "currency", "rillet_id", "rillet_number")
_IMPORT_COUNTS = ("seen", "created", "updated", "archived", "unchanged", "skipped", "proposed", "failed")
_COMPARED = ("from", "to", "tied_out", "differences", "documents", "by_kind", "redriven")


class OutcomeEvents:
    """Publishes the outcomes of those connections whose setting ``outcome_events`` is on.

    Args:
        settings_of: the settings of a connection by its name.
        ledger: the document records.
        bus: the event bus.
        clock: unix seconds.
        count: records a metric of a connection.
    """

    def __init__(
        self,
        settings_of: Callable[[str], Settings],
        ledger: Callable[[], Ledger],
        bus: Callable[[], Bus],
        clock: Callable[[], float],
        count: Callable[[str, str], None],
    ) -> None:
        self._settings_of = settings_of
        self._ledger = ledger
        self._bus = bus
        self._clock = clock
        self._count = count

    def document_done(self, kind: str, event: BusEvent, result: Result) -> None:
        """Publish the outcome for a document, unless it had that outcome before.

        Args:
            kind: of the document in the ledger, ``invoice`` or ``credit_memo``.
            event: on which the work was done.
            result: of the work, which the ledger has.
        """
        detail_type = _OF_DOCUMENTS.get(result.outcome)
        if detail_type and not result.repeated:
            connection = event.connection
            self._publish(connection, partial(self._of_document, detail_type, kind, connection, result))

    def import_ended(self, execution: str, answer: Json) -> None:
        """Publish the end of an import that was no dry run."""
        if not answer["dry_run"]:
            self._publish(str(answer["connection"]), partial(_of_import, answer), execution)

    def reconciliation_ended(self, execution: str, answer: Json) -> None:
        """Publish the end of a reconciliation, for each of its connections."""
        for part in answer.get("connections", [answer]):
            if "connection" in part:  # one that stopped before it knew its connections has none
                self._publish(str(part["connection"]), partial(_of_reconciliation, part), execution)

    def _of_document(self, detail_type: str, kind: str, connection: str, result: Result) -> _Event:
        record = self._ledger().read(Document(connection, kind, result.document_id)) or {}
        facts: Json = {"kind": kind, "solvimon_id": result.document_id}
        facts |= {name: str(record[name]) for name in _RECORDED if record.get(name)}
        names = ("payment_status", "amount_due") if result.outcome == "marked" else ("code",)
        facts |= {name: str(result.facts[name]) for name in names if result.facts.get(name)}
        # A payment is refused because the document is no longer in Rillet as it was booked.
        differs = result.outcome == "rejected" and record.get("state") == "differs"
        return DOCUMENT_DIFFERS if differs else detail_type, facts

    def _publish(self, connection: str, event_of: Callable[[], _Event], occasion: str = "") -> None:
        try:
            if not self._settings_of(connection).outcome_events:
                return
            detail_type, facts = event_of()
            identity = fingerprint_of([connection, detail_type, facts, occasion])[:32]
            head = {"connection": connection, "event_id": identity}
            occurred = {"occurred_at": format_timestamp(self._clock())}
            self._bus().publish_outcome(SOURCE, detail_type, {**head, **occurred, **facts})
        except NeedsAttention:  # there is no such connection
            return
        except Exception:  # the outcome is recorded, whatever fails here
            logger.exception("outcome not published", extra={"connection": connection})
            self._count("OutcomesNotPublished", connection)


def _of_import(answer: Json) -> _Event:
    counts = {name: answer[name] for name in _IMPORT_COUNTS}
    return IMPORT_FINISHED, {"imported": answer["kind"], "state": _end_state(answer), **counts}


def _of_reconciliation(answer: Json) -> _Event:
    report = answer.get("report", {}).get("html")
    facts = {"state": _end_state(answer), **{name: answer[name] for name in _COMPARED if name in answer}}
    return RECONCILIATION_FINISHED, facts | ({"report": report} if report else {})


def _end_state(answer: Mapping[str, Any]) -> str:
    return "stopped" if "error" in answer else "completed"
