"""Scan for exported documents on which Solvimon does not show Rillet's id yet, because the write failed."""

from collections.abc import Iterator

from solvimon_rillet.events import CREDIT_NOTE_FINALISED, INVOICE_FINALISED, SOLVIMON, BusEvent
from solvimon_rillet.ledger.document_types import CREDIT_MEMO
from solvimon_rillet.ledger.write_backs import WriteBacks
from solvimon_rillet.workflows.sweep.base import (
    REPUBLISH_SECONDS,
    MissedEvent,
    ScanResult,
    SweepContext,
    TimeBudget,
)

_WRITE_BACKS_LOOKED_AT = "write_backs_at"


class WriteBackScan:
    """The scan for failed write-backs of one connection."""

    def __init__(self, context: SweepContext) -> None:
        self._context = context
        self._connection = context.connection

    def run(self, result: ScanResult, budget: TimeBudget) -> None:
        """Publish the documents whose next attempt is due, once an hour: it costs a read of the index."""
        state, now = self._context.state, self._context.now()
        if (
            self._connection.settings.write_back
            and now - state.noted_time(_WRITE_BACKS_LOOKED_AT) >= REPUBLISH_SECONDS
        ):
            self._context.publish(self._due(budget), result)
            state.note(_WRITE_BACKS_LOOKED_AT, now)

    def _due(self, budget: TimeBudget) -> Iterator[MissedEvent]:
        failed = WriteBacks(self._connection.name, self._connection.table)
        for document, at in failed.due(self._context.now()):
            budget.check()
            detail_type = CREDIT_NOTE_FINALISED if document.kind == CREDIT_MEMO.name else INVOICE_FINALISED
            event = BusEvent(SOLVIMON, detail_type, document.connection, document.id, "", "")
            yield MissedEvent(document.kind, document.id, f"write-back {at}", event, "write_backs")
