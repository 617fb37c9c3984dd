"""Solvimon's side of a reconciliation: a page of its final documents, with what the ledger says of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from pydantic import ValidationError

from solvimon_rillet.errors import NeedsAttention, Skip
from solvimon_rillet.ledger.ledger import SCHEMA, Document, Ledger
from solvimon_rillet.mapping.dates import utc_range
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.mapping.eligibility import check_eligible
from solvimon_rillet.reconciliation.differences import UNREADABLE
from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, INVOICE, SolvimonDocument, solvimon_document
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.solvimon.master_data import field_value
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.solvimon.types import CREDIT_TYPES
from solvimon_rillet.workflows.durable_steps import Json

_RULES = {
    "workflow_off": "its workflow is switched off",
    "self_billing": "self-billing",
    "before_start_date": "dated before start_date",
}


class SolvimonPage:
    """Reads pages for one connection."""

    def __init__(self, connection: str, settings: Settings, solvimon: SolvimonClient, ledger: Ledger) -> None:
        self._connection = connection
        self._settings = settings
        self._solvimon = solvimon
        self._ledger = ledger

    def read(self, first: date, last: date, number: int) -> tuple[Json, Json]:
        """Read a page.

        Args:
            first: first day of the period.
            last: last day of the period.
            number: of the page, from 1.

        Returns:
            What is kept of it, and what the run decides by: whether there is more, and when the first of the
            page's documents was exported.
        """
        rows, more = self._solvimon.final_invoices(*utc_range(first, last), number)
        documents, unreadable = self._documents(rows)
        within = [(one, day) for one, day in documents if first <= day <= last]
        found = self._with_records(within)
        part = {
            "billed": [one.as_row() for one in (*found, *unreadable)],
            "customers": self._customers(one for one, _ in within),
            "subsidiaries": self._subsidiaries(one for one, _ in within),
        }
        return part, {"documents": len(found), "more": more, **self._earliest}

    def _documents(self, rows: Sequence[Json]) -> tuple[list[tuple[Invoice, date]], list[SolvimonDocument]]:
        """Rows as documents with their days; one that cannot be read is told, so that nobody misses it."""
        found, unreadable = list[tuple[Invoice, date]](), list[SolvimonDocument]()
        for row in rows:
            try:
                document = self._whole(row)
                day = document_day(document, self._settings)
            except NeedsAttention as why:
                unreadable.append(_unreadable(row, why))
                continue
            if day:
                found.append((document, day))
        return found, unreadable

    def _whole(self, row: Json) -> Invoice:
        """A document with its totals; a list may leave them out, or say something that cannot be read."""
        try:
            document = Invoice.model_validate(row)
        except ValidationError:
            return self._solvimon.invoice(str(row["id"]))
        summary = document.tax_summary
        if summary and summary.base_amount and summary.tax_amount and document.invoice_amount_including_tax:
            return document
        return self._solvimon.invoice(document.id)

    def _with_records(self, documents: Sequence[tuple[Invoice, date]]) -> list[SolvimonDocument]:
        keys = {one.id: self._key(one) for one, _ in documents}
        payments = {one.id: Document(self._connection, "payment", one.id) for one, _ in documents}
        records = self._ledger.read_many([*keys.values(), *payments.values()])
        for document, older in records.items():
            if older["schema_version"] < SCHEMA:
                self._ledger.index_legacy_record(document, older)
        moments = [int(r["exported_at"]) for r in map(records.get, keys.values()) if r and "exported_at" in r]
        self._earliest = {}
        if moments:
            moment = datetime.fromtimestamp(min(moments) - 3600, UTC)
            self._earliest = {"earliest": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return [
            solvimon_document(
                one,
                day,
                record := records.get(keys[one.id], {}),
                records.get(payments[one.id], {}),
                self._refused(one, record),
            )
            for one, day in documents
        ]

    def _key(self, document: Invoice) -> Document:
        kind = CREDIT_MEMO if document.is_credit_note else INVOICE
        return Document(self._connection, kind, document.id)

    def _refused(self, document: Invoice, record: Mapping[str, Any]) -> str:
        """Why a document is not for Rillet, by rule or by a person's word; empty for all others."""
        if record.get("state") in {"exported", "differs"}:
            return ""
        if record.get("state") == "skipped" and record.get("by_hand"):
            return "handled by hand"
        workflow = "export_credit_memo" if document.is_credit_note else "export_invoice"
        try:
            check_eligible(document, self._settings, workflow)
        except Skip as skip:
            return _RULES.get(skip.rule, skip.reason)
        return ""

    def _customers(self, documents: Iterable[Invoice]) -> dict[str, str]:
        """Rillet's customer by Solvimon's: the custom field where the row has it, else what is remembered."""
        reference, found, asked = self._settings.custom_fields.customer, dict[str, str](), set[str]()
        for one in documents:
            embedded = one.customer
            linked = field_value(embedded.custom_fields, reference) if embedded else None
            linked = linked or one.copied_field("CUSTOMER", reference)
            if one.payer_id and linked:
                found[one.payer_id] = linked
            elif one.payer_id:
                asked.add(one.payer_id)
        return self._remembered("customer", asked) | found

    def _subsidiaries(self, documents: Iterable[Invoice]) -> dict[str, str]:
        """Rillet's subsidiary by Solvimon's billing entity."""
        by_hand = {solvimon: rillet for rillet, solvimon in self._settings.subsidiaries.items()}
        reference, found, asked = self._settings.custom_fields.subsidiary, dict[str, str](), set[str]()
        for one in documents:
            embedded, entity = one.billing_entity, one.biller_id
            linked = field_value(embedded.custom_fields, reference) if embedded else None
            linked = linked or one.copied_field("BILLING_ENTITY", reference)
            if entity and (entity in by_hand or linked):
                found[entity] = by_hand.get(entity) or str(linked)
            elif entity:
                asked.add(entity)
        return self._remembered("subsidiary", asked) | found

    def _remembered(self, kind: str, solvimon_ids: Iterable[str]) -> dict[str, str]:
        keys = {one: Document(self._connection, f"link-{kind}", one) for one in sorted(solvimon_ids)}
        links = self._ledger.read_many(keys.values())
        return {
            one: str(links[key]["rillet_id"])
            for one, key in keys.items()
            if "rillet_id" in links.get(key, {})
        }


def _unreadable(row: Json, why: NeedsAttention) -> SolvimonDocument:
    return SolvimonDocument(
        CREDIT_MEMO if str(row.get("type")) in CREDIT_TYPES else INVOICE,
        str(row["id"]),
        str(row.get("invoice_number") or ""),
        state=UNREADABLE,
        code=why.code.value,
        message=why.message,
        remedy=why.remedy,
    )
