"""Scan for changes in Rillet: payments, undone payments, edits of our invoices, and invoices booked twice.

A sweep without changes costs one Rillet call.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from time import sleep
from typing import Any

from solvimon_rillet.events import (
    INVOICE_FINALISED,
    SOLVIMON,
    BusEvent,
    double_booking_event,
    event_from_rillet_record,
)
from solvimon_rillet.ledger.ledger import UNFINISHED, Document, is_done
from solvimon_rillet.rate_limit.limiter import RateLimited
from solvimon_rillet.rillet.answers import RowPage
from solvimon_rillet.rillet.listing import complete_pages
from solvimon_rillet.rillet.models import parse_rillet_timestamp
from solvimon_rillet.settings import Settings
from solvimon_rillet.workflows.payments.double_bookings import is_double, known_doubles
from solvimon_rillet.workflows.payments.rillet_changes import STATE_FACTS, is_order_unknown
from solvimon_rillet.workflows.sweep.base import MissedEvent, ScanResult, SweepContext, TimeBudget

OVERLAP_SECONDS = 600
"""The clocks may differ, and Rillet may list a change a little after its time."""
_FIRST_LOOKBACK_SECONDS = 24 * 3600
_MAX_WAIT_SECONDS = (
    10  # bulk calls are spread over the minute; a longer wait means that live work needs the rate limit
)
_WATERMARK, _WATERMARK_WITHOUT_PAYMENTS = "payments", "documents"


class PaymentScan:
    """The payment scan of one connection."""

    def __init__(self, context: SweepContext) -> None:
        self._context = context
        self._connection = context.connection

    def run(self, result: ScanResult, budget: TimeBudget) -> None:
        """Read the invoices that changed in Rillet since the last sweep, and publish the missed changes."""
        workflows = self._connection.settings.workflows
        if not calls_rillet(self._connection.settings):
            return
        part = _WATERMARK if workflows.mark_invoice_paid else _WATERMARK_WITHOUT_PAYMENTS
        began, reached = self._context.now(), self._context.state.watermark(part)
        since = (began - _FIRST_LOOKBACK_SECONDS if reached is None else reached) - OVERLAP_SECONDS
        for rows in self._read_pages(datetime.fromtimestamp(since, UTC), budget):
            self._context.publish(self._missed_events(rows), result)
        self._context.state.advance_watermark(part, began)

    def _read_pages(self, since: datetime, budget: TimeBudget) -> Iterator[Sequence[Any]]:
        """All pages of the invoices that changed since a time.

        Raises:
            ListIncomplete: not all of them were read.
        """
        after = since.strftime("%Y-%m-%dT%H:%M:%SZ")

        def read(cursor: str | None) -> tuple[Sequence[Any], str | None]:
            page = self._read_page(cursor, after, budget)
            return page.rows, page.next_cursor

        yield from complete_pages("invoices", read, _id_of)

    def _read_page(self, cursor: str | None, after: str, budget: TimeBudget) -> RowPage:
        while True:
            budget.check()
            try:
                return self._connection.rillet.invoice_rows(cursor, after)
            except RateLimited as busy:
                wait = busy.after or 0
                if wait > min(_MAX_WAIT_SECONDS, budget.seconds_left()):
                    raise
                sleep(wait)

    def _missed_events(self, rows: Sequence[Any]) -> Iterator[MissedEvent]:
        """The changes of our invoices that are newer than the last ones seen, and double bookings."""
        read = (event_from_rillet_record(self._connection.name, row) for row in rows if isinstance(row, dict))
        events = {event.id: event for event in read if event}
        for solvimon_id, event, record, payment in self._our_events(events):
            if is_double(record, event.id):
                if event.id not in known_doubles(record):
                    double = double_booking_event(event.connection, "invoice", event.id, solvimon_id)
                    yield MissedEvent("double", event.id, event.occurred_at, double, "doubled")
            elif _has_arrived_late(record):
                export = BusEvent(SOLVIMON, INVOICE_FINALISED, event.connection, solvimon_id, "", "")
                yield MissedEvent("invoice", solvimon_id, f"arrived {event.id}", export, "late")
            elif self._connection.settings.workflows.mark_invoice_paid and _should_publish(
                event.facts, record, payment
            ):
                yield MissedEvent("payment", solvimon_id, event.occurred_at, event, "payments")

    def _our_events(
        self, events: Mapping[str, BusEvent]
    ) -> Iterator[tuple[str, BusEvent, Mapping[str, Any], Mapping[str, Any]]]:
        """The events of our invoices: Solvimon id, event, and the records of invoice and payment."""
        connection, ledger = self._connection.name, self._connection.ledger
        links = ledger.read_many(Document(connection, "link-rillet-invoice", each) for each in events)
        linked = {document.id: [str(item["solvimon_id"])] for document, item in links.items()}
        named = {
            each: linked.get(each) or [*filter(None, event.facts.get("references", "").split(","))]
            for each, event in events.items()
        }
        ids = {solvimon_id for some in named.values() for solvimon_id in some}
        booked = ledger.read_many(Document(connection, "invoice", each) for each in ids)
        paid = ledger.read_many(Document(connection, "payment", each) for each in ids)
        for rillet_id, event in events.items():
            for solvimon_id in named[rillet_id]:
                record = booked.get(Document(connection, "invoice", solvimon_id), {})
                if (
                    record.get("rillet_id") == rillet_id
                    or record.get("state") in UNFINISHED
                    or is_double(record, rillet_id)
                    or _has_arrived_late(record)
                ):
                    yield (
                        solvimon_id,
                        event,
                        record,
                        paid.get(Document(connection, "payment", solvimon_id), {}),
                    )
                    break


def calls_rillet(settings: Settings) -> bool:
    """Whether a sweep looks at Rillet at all."""
    return settings.workflows.mark_invoice_paid or settings.workflows.export_invoice


def _id_of(row: Any) -> str:  # noqa: ANN401 - a row of Rillet's list
    return str((row.get("id") if isinstance(row, dict) else None) or row)


def _has_arrived_late(record: Mapping[str, Any]) -> bool:
    """Whether an invoice that is in Rillet was given up here, while an attempt to send it was open."""
    given_up = record.get("state") in {"rejected", "skipped"} and not is_done(record)
    return given_up and bool((record.get("attempt") or {}).get("open"))


def _should_publish(facts: Mapping[str, str], record: Mapping[str, Any], payment: Mapping[str, Any]) -> bool:
    """Whether Rillet's invoice is newer than the payment's record or, without one, has changed."""
    if payment.get("seen_at"):
        read = parse_rillet_timestamp(facts.get("updated_at", ""))
        return parse_rillet_timestamp(str(payment["seen_at"])) < read or (
            facts.keys() >= STATE_FACTS and is_order_unknown(payment, facts)
        )
    if "payment_status" in payment or record.get("state") == "differs":
        return True
    if not {"total", "amount_due", "currency"} <= facts.keys():
        return True
    total, due = Decimal(facts["total"]), Decimal(facts["amount_due"])
    if not (totals := record.get("totals")):
        return due != total
    return (due, total, facts["currency"]) != (total, Decimal(totals["gross"]), totals["currency"])
