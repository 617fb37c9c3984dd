"""Scan for stalled work: it began, is not finished, and has no message that continues it."""

from collections.abc import Mapping
from typing import Any

from solvimon_rillet.errors import Message
from solvimon_rillet.events import (
    INVOICE_PAYMENT_UPDATED,
    RILLET,
    SOLVIMON,
    BusEvent,
)
from solvimon_rillet.ledger.document_types import EVENT_TYPES
from solvimon_rillet.ledger.ledger import UNFINISHED, Document
from solvimon_rillet.workflows.sweep.base import (
    REPUBLISH_SECONDS,
    MissedEvent,
    ScanResult,
    SweepContext,
    TimeBudget,
)
from solvimon_rillet.workflows.sweep.documents import observed_state

REPORT_AFTER_SECONDS = 26 * 3600
"""Work that is published every hour for a day and stays stalled needs a person."""
_WORKFLOWS = {
    "invoice": "export_invoice",
    "credit_memo": "export_credit_memo",
    "customer": "sync_customer",
    "payment": "mark_invoice_paid",
}
_EXAMPLES = 3
_STALLED_LOOKED_AT = "stalled_looked_at"


class StalledScan:
    """The scan for stalled work of one connection."""

    def __init__(self, context: SweepContext) -> None:
        self._context = context
        self._connection = context.connection

    def run(self, result: ScanResult, budget: TimeBudget) -> None:
        """Publish work that is stalled for an hour; after a day, report it instead.

        One kind of work has its turn in each sweep, and each has one within the hour.
        """
        now, state = self._context.now(), self._context.state
        looked_at = {kind: int(at) for kind, at in (state.noted(_STALLED_LOOKED_AT) or {}).items()}
        enabled = [
            kind for kind in _WORKFLOWS if getattr(self._connection.settings.workflows, _WORKFLOWS[kind])
        ]
        for number, kind in enumerate(sorted(enabled, key=lambda each: looked_at.get(each, 0))):
            if number and now - looked_at.get(kind, 0) < REPUBLISH_SECONDS:
                return
            workflow = _WORKFLOWS[kind]
            idle = {
                document: self._context.now() - int(item["updated_at"])
                for state in UNFINISHED
                for document, item in self._idle(kind, state, budget)
            }
            records = self._connection.ledger.read_many(idle)
            stalled = {d: r for d, r in records.items() if self._context.is_stalled(r)}
            lost = [document for document in stalled if idle[document] > REPORT_AFTER_SECONDS]
            self._publish({d: r for d, r in stalled.items() if d not in lost}, result)
            if lost:
                result.errors.append(_stalled_error(lost, workflow))
            looked_at[kind] = now
            state.note(_STALLED_LOOKED_AT, dict(looked_at))

    def _idle(self, kind: str, state: str, budget: TimeBudget) -> list[tuple[Document, Mapping[str, Any]]]:
        found: list[tuple[Document, Mapping[str, Any]]] = []
        for document, item in self._connection.ledger.in_state(self._connection.name, kind, state):
            budget.check()
            if self._context.now() - int(item["updated_at"]) < REPUBLISH_SECONDS:
                break  # the longest unchanged come first
            found.append((document, item))
        return found

    def _publish(self, stalled: Mapping[Document, Mapping[str, Any]], result: ScanResult) -> None:
        invoices = {d: Document(d.connection, "invoice", d.id) for d in stalled if d.kind == "payment"}
        booked = self._connection.ledger.read_many(invoices.values())
        missed = []
        for document, record in stalled.items():
            if document.kind in EVENT_TYPES:
                event = BusEvent(
                    SOLVIMON, EVENT_TYPES[document.kind], document.connection, document.id, "", ""
                )
            elif rillet_id := booked.get(invoices[document], {}).get("rillet_id"):
                facts = {"entity": "INVOICE"}  # without amounts, so that the function asks Rillet
                event = BusEvent(
                    RILLET, INVOICE_PAYMENT_UPDATED, document.connection, str(rillet_id), "", "", facts
                )
            else:
                continue
            missed.append(MissedEvent(document.kind, document.id, observed_state(record), event, "stuck"))
        self._context.publish(missed, result)


def _stalled_error(lost: list[Document], workflow: str) -> Message:
    named = ", ".join(document.id for document in lost[:_EXAMPLES])
    more = f" and {len(lost) - _EXAMPLES} more" if len(lost) > _EXAMPLES else ""
    return Message(
        f"Work on {named}{more} began more than 26 hours ago and is not finished. Invoke {workflow} with the "
        "id, and read its answer."
    )
