"""Scan for invoices and credit notes that are final in Solvimon and not in the ledger."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from pydantic import ValidationError

from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.events import CREDIT_NOTE_FINALISED, INVOICE_FINALISED, event_from_solvimon_record
from solvimon_rillet.ledger.ledger import FINISHED, UNFINISHED, Document, is_done
from solvimon_rillet.ledger.write_backs import next_attempt
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.mapping.eligibility import NOT_FINAL
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.sweep.base import MissedEvent, ScanResult, SweepContext, TimeBudget

SECONDS_PER_DAY = 24 * 3600
_FUTURE_SECONDS = 5 * 366 * SECONDS_PER_DAY  # invoices may have a future date
_EARLIEST_ZONE_SECONDS = 14 * 3600  # in the easternmost time zone, a day begins so much earlier than in UTC
_EXPORTS = {
    INVOICE_FINALISED: ("invoice", "export_invoice", "invoices"),
    CREDIT_NOTE_FINALISED: ("credit_memo", "export_credit_memo", "credit_notes"),
}


class DocumentScan:
    """The document scan of one connection."""

    def __init__(self, context: SweepContext) -> None:
        self._context = context
        self._connection = context.connection

    def run(self, result: ScanResult, budget: TimeBudget) -> None:
        """Read the latest final documents, oldest first, and publish those that are missing."""
        workflows = self._connection.settings.workflows
        if not (workflows.export_invoice or workflows.export_credit_memo):
            return
        since, until = _utc(self._since()), _utc(self._context.now() + _FUTURE_SECONDS)
        number, more = 1, True
        while more:
            budget.check()
            rows, more = self._connection.solvimon.final_invoices(since, until, number)
            self._context.publish(self._missing(rows), result)
            number += 1

    def _since(self) -> int:
        """The time from which documents are read; a new connection must not book earlier years."""
        settings, first_start = self._connection.settings, self._context.state.record_first_start()
        if settings.start_date:
            first = (
                int(datetime.combine(settings.start_date, time.min, UTC).timestamp()) - _EARLIEST_ZONE_SECONDS
            )
        else:
            first = first_start - SECONDS_PER_DAY
        return max(first, self._context.now() - settings.sweep.lookback_days * SECONDS_PER_DAY)

    def _missing(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[MissedEvent]:
        """The missed events of a page of documents."""
        on_time = (row for row in rows if not self._is_too_early(row))
        events = filter(None, (event_from_solvimon_record(self._connection.name, row) for row in on_time))
        documents = {
            Document(self._connection.name, _EXPORTS[event.detail_type][0], event.id): event
            for event in events
            if getattr(self._connection.settings.workflows, _EXPORTS[event.detail_type][1])
        }
        records = self._connection.ledger.read_many(documents)
        for document, event in documents.items():
            record = records.get(document, {})
            if self._is_missing(record):
                counted = _EXPORTS[event.detail_type][2]
                yield MissedEvent(document.kind, document.id, observed_state(record), event, counted)
            elif at := self._write_back_due(record):
                yield MissedEvent(document.kind, document.id, f"write-back {at}", event, "write_backs")

    def _is_too_early(self, row: Mapping[str, Any]) -> bool:
        """Whether a document is dated before the connection's start, in its own time zone."""
        start, settings = self._connection.settings.start_date, self._connection.settings
        dated = None
        if start:
            with contextlib.suppress(ValidationError, NeedsAttention):  # its export reports the error
                dated = document_day(Invoice.model_validate(row), settings)
        return bool(start and dated and dated < start)

    def _is_missing(self, record: Mapping[str, Any]) -> bool:
        """Whether a final document has no record, was skipped as a draft, or is stalled."""
        if not record:
            return True
        if is_done(record):
            return False
        skipped_as_draft = record.get("state") == "skipped" and record.get("rule") == NOT_FINAL
        return skipped_as_draft or self._context.is_stalled(record)

    def _write_back_due(self, record: Mapping[str, Any]) -> int | None:
        """When the write-back of an exported document was due, if its run ended before it."""
        at = next_attempt(record) if record.get("state") in FINISHED else None
        is_due = at is not None and at <= self._context.now()
        return at if is_due and self._connection.settings.write_back else None


def observed_state(record: Mapping[str, Any]) -> str:
    """The state of a document for ``MissedEvent``; unfinished work that moved on counts as another state."""
    state = str(record.get("state", "unknown"))
    return f"{state} {record.get('updated_at')}" if state in UNFINISHED else state


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
