"""Scan for documents that an earlier attempt brought to Rillet late, after another attempt had replaced it.

Rillet's invoices are seen by the scan for payments as well, if they carry our reference. Memos have no such
scan, so they are looked for in each sweep until a day has passed.
"""

from collections.abc import Iterator

from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.events import (
    CREDIT_NOTE_FINALISED,
    INVOICE_FINALISED,
    SOLVIMON,
    BusEvent,
    double_booking_event,
)
from solvimon_rillet.ledger.document_types import CREDIT_MEMO
from solvimon_rillet.ledger.later_look_ups import LaterLookUps
from solvimon_rillet.ledger.ledger import FINISHED, Attempt, Document, is_done
from solvimon_rillet.ledger.records import replaced_attempts
from solvimon_rillet.workflows.export.look_up import lists_of, look_for_doubles
from solvimon_rillet.workflows.payments.double_bookings import known_doubles
from solvimon_rillet.workflows.sweep.base import MissedEvent, ScanResult, SweepContext, TimeBudget


class LaterLookUpScan:
    """The scan for late arrivals of one connection."""

    def __init__(self, context: SweepContext) -> None:
        self._context = context
        self._connection = context.connection

    def run(self, result: ScanResult, budget: TimeBudget) -> None:
        """Look for the documents that are due, and publish the doubles that are found."""
        later = LaterLookUps(self._connection.name, self._connection.table)
        for each in later.scheduled():
            is_due = each.at <= self._context.now()
            if is_due or each.document.kind == CREDIT_MEMO.name:
                budget.check()
                try:
                    self._context.publish(self._missed_events(each.document), result)
                except NeedsAttention as why:  # there is too much to look through, and that will not change
                    if is_due:
                        result.errors.append(f"{each.document.id}: {why.message} {why.remedy}")
            if is_due:
                later.finish(each.document, self._context.now())

    def _missed_events(self, document: Document) -> Iterator[MissedEvent]:
        """The doubles of a booked document; the export of one that is not booked, which looks for it."""
        record = self._connection.ledger.read(document) or {}
        attempt = Attempt.from_item(record.get("attempt"))
        attempts = [*replaced_attempts(record), *([attempt] if attempt else [])]
        if record.get("state") in FINISHED and attempts:
            booked_id, lists = str(record["rillet_id"]), lists_of(self._connection.rillet, document.kind)
            known = known_doubles(record)
            for double in look_for_doubles(self._connection, document, attempts, booked_id, lists):
                if double.id not in known:
                    event = double_booking_event(document.connection, document.kind, double.id, document.id)
                    yield MissedEvent("double", double.id, "doubled", event, "doubled")
        elif attempts and not is_done(record):
            final = CREDIT_NOTE_FINALISED if document.kind == CREDIT_MEMO.name else INVOICE_FINALISED
            event = BusEvent(SOLVIMON, final, document.connection, document.id, "", "")
            yield MissedEvent(document.kind, document.id, f"late {record.get('updated_at')}", event, "stuck")
