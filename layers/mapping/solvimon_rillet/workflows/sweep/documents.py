"""Scan for invoices and credit notes that are final in Solvimon and not in the ledger."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from pydantic import ValidationError

from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.events import CREDIT_NOTE_FINALISED, INVOICE_FINALISED, event_from_solvimon_record
from solvimon_rillet.fingerprint import fingerprint_of
from solvimon_rillet.ledger.ledger import FINISHED, UNFINISHED, Document, is_done
from solvimon_rillet.ledger.write_backs import next_attempt
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.mapping.eligibility import NOT_FINAL
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.sweep.base import (
    NEWS_AT,
    REPUBLISH_SECONDS,
    MissedEvent,
    ScanResult,
    SweepContext,
    TimeBudget,
)

SECONDS_PER_DAY = 24 * 3600
_FUTURE_SECONDS = 5 * 366 * SECONDS_PER_DAY  # invoices may have a future date
_EARLIEST_ZONE_SECONDS = 14 * 3600  # in the easternmost time zone, a day begins so much earlier than in UTC
_POSITION, _ROUND_ENDED, _SEEN = "documents_page", "documents_round_ended", "documents_seen"
_DIGITS, _ID_DIGITS = 32, 6  # of a fingerprint: two documents of a page hardly share six
_EXPORTS = {
    INVOICE_FINALISED: ("invoice", "export_invoice", "invoices"),
    CREDIT_NOTE_FINALISED: ("credit_memo", "export_credit_memo", "credit_notes"),
}


class DocumentScan:
    """The document scan of one connection.

    Each sweep reads the newest documents, page by page until a page has nothing that is missing. Older ones
    are read in a round once an hour, and at once if anything was missing. A round that had to stop is
    continued by the next sweep, after it has looked at the newest documents.
    """

    def __init__(self, context: SweepContext) -> None:
        self._context = context
        self._connection = context.connection
        self._state = context.state

    def run(self, result: ScanResult, budget: TimeBudget) -> None:
        """Read the latest final documents, newest first, and publish those that are missing."""
        workflows = self._connection.settings.workflows
        if not (workflows.export_invoice or workflows.export_credit_memo):
            return
        since, until = _utc(self._since()), _utc(self._context.now() + _FUTURE_SECONDS)
        number, more, published = 0, True, 1
        while more and published:
            number += 1
            budget.check()
            rows, more = self._connection.solvimon.newest_final_invoices(number, since, until)
            published = self._publish(rows, result, first=number == 1)
            if published and self._position <= number:
                self._state.note(_POSITION, number + 1)
            self._state.save_now_and_then()
        is_due = self._context.now() - self._state.noted_time(_ROUND_ENDED) >= REPUBLISH_SECONDS
        number = max(number, self._position - 1)
        while more and (is_due or self._position):
            number += 1
            self._state.note(_POSITION, number)
            budget.check()
            rows, more = self._connection.solvimon.newest_final_invoices(number, since, until)
            self._publish(rows, result)
            self._state.save_now_and_then()
        if not more:
            self._state.note(_POSITION, None)
            self._state.note(_ROUND_ENDED, self._context.now())

    @property
    def _position(self) -> int:
        """The page at which the round continues; 0 if it is at its end."""
        return self._state.noted_time(_POSITION)

    def _publish(self, rows: Sequence[Mapping[str, Any]], result: ScanResult, *, first: bool = False) -> int:
        """Publish what is missing of a page, and return the number of events.

        Of the first page, which every sweep reads, the records of documents that were booked are not read
        again for an hour.
        """
        if not first:
            missing, _ = self._missing(rows)
            return self._context.publish(missing, result)
        now, last = self._context.now(), self._state.noted(_SEEN) or {}
        settings = fingerprint_of(self._settings_of_page())[:_DIGITS]
        is_fresh = now - int(last.get("at", 0)) < REPUBLISH_SECONDS and last.get("settings") == settings
        booked = _digests(str(last.get("booked", ""))) if is_fresh else set[str]()
        page = fingerprint_of(list(rows))[:_DIGITS]
        missing, unfinished = self._missing([row for row in rows if _digest(row) not in booked])
        published = self._context.publish(missing, result)
        seen = "".join(_digest(row) for row in rows if row.get("id") not in unfinished)
        at = int(last["at"]) if is_fresh else now
        self._state.note(_SEEN, {"page": page, "at": at, "settings": settings, "booked": seen})
        if last.get("page") != page:
            self._state.note(NEWS_AT, now)
        return published

    def _settings_of_page(self) -> list[str]:
        """The settings on which it depends what is missing of a page."""
        settings = self._connection.settings
        return [str(settings.workflows), str(settings.start_date), str(settings.time_zones)]

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

    def _missing(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[MissedEvent], set[str]]:
        """The missed events of a page of documents, and the ids of those that are missing or under way."""
        on_time = (row for row in rows if not self._is_too_early(row))
        events = filter(None, (event_from_solvimon_record(self._connection.name, row) for row in on_time))
        documents = {
            Document(self._connection.name, _EXPORTS[event.detail_type][0], event.id): event
            for event in events
            if getattr(self._connection.settings.workflows, _EXPORTS[event.detail_type][1])
        }
        records = self._connection.ledger.read_many(documents)
        missing = []
        for document, event in documents.items():
            record = records.get(document, {})
            if self._is_missing(record):
                state, counted = observed_state(record), _EXPORTS[event.detail_type][2]
            elif at := self._write_back_due(record):
                state, counted = f"write-back {at}", "write_backs"
            else:
                continue
            missing.append(MissedEvent(document.kind, document.id, state, event, counted))
        under_way = {document.id for document, record in records.items() if _is_under_way(record)}
        return missing, under_way | {each.id for each in missing}

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


def _digest(row: Mapping[str, Any]) -> str:
    return fingerprint_of([row.get("id")])[:_ID_DIGITS]


def _digests(text: str) -> set[str]:
    return {text[start : start + _ID_DIGITS] for start in range(0, len(text), _ID_DIGITS)}


def _is_under_way(record: Mapping[str, Any]) -> bool:
    """Whether the export of a document is not finished, or its write-back."""
    return record.get("state") in UNFINISHED or next_attempt(record) is not None


def observed_state(record: Mapping[str, Any]) -> str:
    """The state of a document for ``MissedEvent``; unfinished work that moved on counts as another state."""
    state = str(record.get("state", "unknown"))
    return f"{state} {record.get('updated_at')}" if state in UNFINISHED else state


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
