"""Scan for customers whose edit in Solvimon is not in Rillet.

Solvimon's list has no time of change, so each sweep reads some pages of it, and compares the fingerprints of
the customers with the last ones synchronised or imported. A customer that was linked by hand and never
synchronised has none of them: the sweep remembers its first fingerprint, and publishes only a later edit.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from solvimon_rillet.events import CUSTOMER_UPDATED, SOLVIMON, BusEvent, is_id
from solvimon_rillet.ledger.document_types import CUSTOMER
from solvimon_rillet.ledger.ledger import Document
from solvimon_rillet.ledger.sweep_state import PublishedEvent
from solvimon_rillet.mapping.customers import solvimon_customer_hash
from solvimon_rillet.solvimon.client import PAGE_SIZE
from solvimon_rillet.solvimon.master_data import Customer, field_value
from solvimon_rillet.workflows.sweep.base import MissedEvent, ScanResult, SweepContext, TimeBudget

_PAGES_PER_ROUND = 1_000_000  # more pages than any list has
_ANSWERED_STATES = ("synced", "rejected", "skipped")


class CustomerScan:
    """The customer scan of one connection."""

    def __init__(self, context: SweepContext) -> None:
        self._context = context
        self._connection = context.connection

    def run(self, result: ScanResult, budget: TimeBudget) -> None:
        """Read some pages, from the place where the last sweep ended; the first page follows the last."""
        limit = self._connection.settings.sweep.customers_per_run
        if not self._connection.settings.workflows.sync_customer:
            return
        round_number, done = divmod(self._context.state.watermark("customers") or 0, _PAGES_PER_ROUND)
        first = done
        for _ in range(-(-limit // PAGE_SIZE)):
            budget.check()
            rows, more = self._connection.solvimon.page(
                "customers", done + 1, order_by="created_at", order_direction="asc"
            )
            self._scan_page(rows, result)
            round_number, done = (round_number, done + 1) if more else (round_number + 1, 0)
            self._context.state.advance_watermark("customers", round_number * _PAGES_PER_ROUND + done)
            self._context.state.save_now_and_then()
            if done == first:
                return

    def _scan_page(self, rows: Sequence[Mapping[str, Any]], result: ScanResult) -> None:
        """Publish the missed edits of a page, and remember the customers seen for the first time."""
        hashes = {str(c.id): (c, solvimon_customer_hash(c)) for c in _readable_customers(rows)}
        connection = self._connection.name
        links = self._connection.ledger.read_many(
            Document(connection, "link-customer", each) for each in hashes
        )
        synced = {document.id: item for document, item in links.items()}
        linked = {
            each: now
            for each, (customer, now) in hashes.items()
            if each in synced or field_value(customer.custom_fields, self._link_field)
        }
        unequal = [each for each, now in linked.items() if synced.get(each, {}).get("imported_hash") != now]
        published = self._context.state.published(CUSTOMER.name, unequal)
        differing, new = [], {}
        for each, now in linked.items():
            before = synced.get(each, {}).get("imported_hash")
            if before is None and each not in published:
                new[each] = PublishedEvent(f"{now} ", 0)
            elif now != before and (missed := self._missed_edit(each, now, before, published.get(each))):
                differing.append(missed)
        self._context.state.mark_published(CUSTOMER.name, new)
        self._context.send(CUSTOMER.name, self._without_answered(differing, published), result, None)

    @property
    def _link_field(self) -> str:
        return self._connection.settings.custom_fields.customer

    def _missed_edit(
        self, customer_id: str, now: str, before: str | None, published: PublishedEvent | None
    ) -> MissedEvent | None:
        """The event for an edit that is not synchronised; ``None`` without an edit since the first sweep."""
        state = f"{now} {before or ''}"
        if published and published.state == state and before is None and published.at == 0:
            return None
        event = BusEvent(SOLVIMON, CUSTOMER_UPDATED, self._connection.name, customer_id, now[:32], "")
        missed = MissedEvent(CUSTOMER.name, customer_id, state, event, "customers")
        return missed if self._context.should_publish(missed, published) else None

    def _without_answered(
        self, missed_edits: Sequence[MissedEvent], published: Mapping[str, PublishedEvent]
    ) -> list[MissedEvent]:
        """The missed edits without those that were published, and then rejected or found unchanged."""
        again = {
            missed.id
            for missed in missed_edits
            if missed.id in published and published[missed.id].state == missed.state
        }
        records = self._connection.ledger.read_many(
            Document(self._connection.name, CUSTOMER.name, each) for each in again
        )
        answered = {
            document.id
            for document, record in records.items()
            if record.get("state") in _ANSWERED_STATES
            and int(record["updated_at"]) >= published[document.id].at
        }
        return [missed for missed in missed_edits if missed.id not in answered]


def _readable_customers(rows: Sequence[Mapping[str, Any]]) -> Iterator[Customer]:
    for row in rows:
        try:
            customer = Customer.model_validate(row)
        except ValidationError:
            continue  # its own synchronisation reports the error
        if is_id(customer.id):
            yield customer
