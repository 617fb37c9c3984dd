"""Solvimon's side of a reconciliation: pages of its final documents, with their records in the ledger."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from pydantic import ValidationError

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import NeedsAttention, Skip
from solvimon_rillet.formatting import format_timestamp, format_utc
from solvimon_rillet.ledger.ledger import FINISHED, SCHEMA, Document
from solvimon_rillet.ledger.sweep_state import SweepState
from solvimon_rillet.mapping.dates import utc_range
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.mapping.eligibility import check_eligible
from solvimon_rillet.reconciliation.differences import UNREADABLE
from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, INVOICE, SolvimonDocument, solvimon_document
from solvimon_rillet.solvimon.master_data import field_value
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.solvimon.types import CREDIT_TYPES
from solvimon_rillet.workflows.durable.steps import Json
from solvimon_rillet.workflows.reconcile.pages import NumberedPage

_MAX_NEWEST_PAGES = 50  # of the newest documents, a hundred each
_RULE_NAMES = {
    "workflow_off": "its workflow is switched off",
    "self_billing": "self-billing",
    "before_start_date": "dated before start_date",
}


class SolvimonSide:
    """Reads pages for one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection.name
        self._settings = connection.settings
        self._solvimon = connection.solvimon
        self._ledger = connection.ledger
        self._sweeps = SweepState(connection.name, connection.table, connection.clock)

    def page(self, first: date, last: date, number: int) -> tuple[Json, NumberedPage]:
        """Read a page.

        Args:
            first: first day of the period.
            last: last day of the period.
            number: of the page, from 1.

        Returns:
            What is kept of the page, and what the workflow decides by.
        """
        rows, more = self._solvimon.final_invoices(*utc_range(first, last), number)
        dated, unreadable = self._dated(rows)
        dated = [(invoice, day) for invoice, day in dated if first <= day <= last]
        invoices = [invoice for invoice, _ in dated]
        documents, earliest = self._with_records(dated)
        kept = {
            "billed": [document.as_row() for document in (*documents, *unreadable)],
            "customers": self._customers(invoices),
            "subsidiaries": self._subsidiaries(invoices),
        }
        return kept, NumberedPage(len(documents), more, earliest)

    def back_dated(self, first: date, last: date) -> list[SolvimonDocument]:
        """Documents that were made since the first day, are dated outside of the period, and not exported.

        Neither the period nor the sweep's look-back has them; without their webhook they are never exported.
        Only those count that were made after the connection's first sweep: going live books nothing of the
        past.
        """
        begun, found = self._sweeps.first_started_at(), list[SolvimonDocument]()
        if begun is None:
            return found
        earliest = max(format_utc(datetime.combine(first, time.min, UTC)), format_timestamp(begun))
        for number in range(1, _MAX_NEWEST_PAGES + 1):
            rows, more = self._solvimon.newest_final_invoices(number)
            newest = [row for row in rows if str(row.get("created_at") or "") >= earliest]
            dated, _ = self._dated([row for row in newest if not first <= _stated_day(row, first) <= last])
            documents, _ = self._with_records([each for each in dated if not first <= each[1] <= last])
            found += [one for one in documents if one.state not in FINISHED and not one.not_for_rillet]
            if not more or len(newest) < len(rows):
                break
        return found

    def _dated(self, rows: Sequence[Json]) -> tuple[list[tuple[Invoice, date]], list[SolvimonDocument]]:
        """Rows as invoices and credit notes with their days; the report names those that cannot be read."""
        dated, unreadable = list[tuple[Invoice, date]](), list[SolvimonDocument]()
        for row in rows:
            try:
                invoice = self._with_totals(row)
                day = document_day(invoice, self._settings)
            except NeedsAttention as error:
                unreadable.append(_unreadable(row, error))
                continue
            if day:
                dated.append((invoice, day))
        return dated, unreadable

    def _with_totals(self, row: Json) -> Invoice:
        """An invoice or credit note with its totals; read alone where the list's row is incomplete."""
        try:
            document = Invoice.model_validate(row)
        except ValidationError:
            return self._solvimon.invoice(str(row["id"]))
        summary = document.tax_summary
        if summary and summary.base_amount and summary.tax_amount and document.invoice_amount_including_tax:
            return document
        return self._solvimon.invoice(document.id)

    def _with_records(
        self, dated: Sequence[tuple[Invoice, date]]
    ) -> tuple[list[SolvimonDocument], str | None]:
        """The documents with their ledger records, and an hour before the first export (RFC 3339)."""
        keys = {invoice.id: self._key(invoice) for invoice, _ in dated}
        payments = {invoice.id: Document(self._connection, "payment", invoice.id) for invoice, _ in dated}
        records = self._ledger.read_many([*keys.values(), *payments.values()])
        for document, record in records.items():
            if record["schema_version"] < SCHEMA:
                self._ledger.index_legacy_record(document, record)
        exported = [records[key] for key in keys.values() if "exported_at" in records.get(key, {})]
        earliest = min((int(record["exported_at"]) for record in exported), default=None)
        documents = [
            solvimon_document(
                invoice,
                day,
                record := records.get(keys[invoice.id], {}),
                records.get(payments[invoice.id], {}),
                self._why_not_exported(invoice, record),
            )
            for invoice, day in dated
        ]
        return documents, None if earliest is None else format_timestamp(earliest - 3600)

    def _key(self, document: Invoice) -> Document:
        kind = CREDIT_MEMO if document.is_credit_note else INVOICE
        return Document(self._connection, kind, document.id)

    def _why_not_exported(self, document: Invoice, record: Mapping[str, Any]) -> str:
        """The rule or manual resolution by which a document stays out of Rillet; empty for all others."""
        if record.get("state") in {"exported", "differs"}:
            return ""
        if record.get("state") == "skipped" and record.get("by_hand"):
            return "handled by hand"
        workflow = "export_credit_memo" if document.is_credit_note else "export_invoice"
        try:
            check_eligible(document, self._settings, workflow)
        except Skip as skip:
            return _RULE_NAMES.get(skip.rule, skip.reason)
        return ""

    def _customers(self, invoices: Iterable[Invoice]) -> dict[str, str]:
        """Rillet's customer by Solvimon's: from the custom field, else from the ledger."""
        reference = self._settings.custom_fields.customer
        linked, unlinked = dict[str, str](), set[str]()
        for invoice in invoices:
            embedded = invoice.customer
            rillet_id = field_value(embedded.custom_fields, reference) if embedded else None
            rillet_id = rillet_id or invoice.copied_field("CUSTOMER", reference)
            if invoice.payer_id and rillet_id:
                linked[invoice.payer_id] = rillet_id
            elif invoice.payer_id:
                unlinked.add(invoice.payer_id)
        return self._links_in_ledger("customer", unlinked) | linked

    def _subsidiaries(self, invoices: Iterable[Invoice]) -> dict[str, str]:
        """Rillet's subsidiary by Solvimon's billing entity."""
        in_settings = {solvimon: rillet for rillet, solvimon in self._settings.subsidiaries.items()}
        reference = self._settings.custom_fields.subsidiary
        linked, unlinked = dict[str, str](), set[str]()
        for invoice in invoices:
            embedded, entity = invoice.billing_entity, invoice.biller_id
            rillet_id = field_value(embedded.custom_fields, reference) if embedded else None
            rillet_id = rillet_id or invoice.copied_field("BILLING_ENTITY", reference)
            if entity and (entity in in_settings or rillet_id):
                linked[entity] = in_settings.get(entity) or str(rillet_id)
            elif entity:
                unlinked.add(entity)
        return self._links_in_ledger("subsidiary", unlinked) | linked

    def _links_in_ledger(self, name: str, solvimon_ids: Iterable[str]) -> dict[str, str]:
        links = self._ledger.read_many(
            Document(self._connection, f"link-{name}", solvimon_id) for solvimon_id in sorted(solvimon_ids)
        )
        return {
            document.id: str(link["rillet_id"]) for document, link in links.items() if "rillet_id" in link
        }


def _stated_day(row: Json, unreadable: date) -> date:
    """The date that a row states; near the period's ends it may be another day in its time zone."""
    try:
        return date.fromisoformat(str(row.get("invoice_date"))[:10])
    except ValueError:
        return unreadable


def _unreadable(row: Json, error: NeedsAttention) -> SolvimonDocument:
    return SolvimonDocument(
        CREDIT_MEMO if str(row.get("type")) in CREDIT_TYPES else INVOICE,
        str(row["id"]),
        str(row.get("invoice_number") or ""),
        state=UNREADABLE,
        code=error.code.value,
        message=error.message,
        remedy=error.remedy,
    )
