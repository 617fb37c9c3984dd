"""Export a finalised invoice to Rillet: exactly once and to the cent."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from solvimon_rillet.errors import NeedsAttention, Skip
from solvimon_rillet.ledger.ledger import Claim
from solvimon_rillet.mapping.invoices import to_rillet_invoice
from solvimon_rillet.workflows.export.send_once import Export
from solvimon_rillet.workflows.export.verification import CreatedDocument, number_note, outcome_facts
from solvimon_rillet.workflows.outcome import Result, error_fields


class ExportInvoice(Export):
    """The workflow for one connection."""

    kind = "invoice"
    workflow = "export_invoice"

    def dry_run(self, invoice_id: str) -> Result:
        """What ``run`` would send for an invoice, and why; writes nothing anywhere."""
        known: dict[str, Any] = {}
        try:
            known = self._known(invoice_id)
            invoice = self._solvimon.invoice(invoice_id)
            if invoice.is_credit_note:
                return Result(invoice_id, "not_ours", {"reason": "It is a credit note, not an invoice."})
            self._check_wanted(invoice)
            booked_on = self._booking_day(invoice, known, dry_run=True)
            resolved = self._linker(dry_run=True).resolve(invoice)
            mapped = to_rillet_invoice(invoice, resolved.links, self._settings, booked_on)
        except NeedsAttention as why:
            return Result(invoice_id, "would_reject", {**known, **error_fields(why)})
        except Skip as why:
            return Result(invoice_id, "would_skip", {**known, "reason": why.reason})
        facts = {
            "payload": mapped.payload,
            "tie_out": mapped.totals.as_text(),
            "warnings": [*resolved.warnings, *mapped.warnings],
            "came_from": mapped.origins,
        }
        if resolved.new_customer:
            facts["customer_to_create"] = resolved.new_customer.payload
        return Result(invoice_id, self._would(known), {**known, **facts})

    def _export(self, claim: Claim) -> Result:
        """The steps in order: read, resolve, map, tie out; look for an earlier attempt; send; record."""
        linker = self._linker()
        try:
            invoice = self._read(claim)
            if invoice.is_credit_note:
                self._ledger.discard_claim(claim)
                return Result(invoice.id, "not_ours", {"reason": "It is a credit note, not an invoice."})
            self._check_wanted(invoice)
            booked_on = self._booking_day(invoice, claim.record)
            resolved = linker.resolve(invoice)
            mapped = to_rillet_invoice(invoice, resolved.links, self._settings, booked_on)
        except (NeedsAttention, Skip) as why:
            return self._stop(claim, why)
        warnings = [*resolved.warnings, *mapped.warnings]
        attempt = self._next_attempt(claim, mapped)
        found = self._find_earlier(claim, attempt)
        if not found:
            self._ledger.record_attempt(claim, attempt)
            try:
                found = self._sent(claim, attempt, mapped)
            except NeedsAttention as why:
                return self._after_refusal(claim, invoice, attempt, linker, why)
        warnings += number_note(invoice.invoice_number, found[0].number)
        return self._book(claim, found, mapped.totals.as_text(), warnings)

    def _create(self, payload: Mapping[str, object], key: str) -> CreatedDocument:
        return self._rillet.create_invoice(payload, key)

    def _listed(self, customer_id: str, since: datetime) -> Iterable[CreatedDocument]:
        return self._rillet.invoices_of_customer(customer_id, since)

    def _book(
        self,
        claim: Claim,
        found: Sequence[CreatedDocument],
        totals: Mapping[str, str],
        warnings: Sequence[str],
    ) -> Result:
        state, facts = outcome_facts(claim.document.id, found, totals, warnings)
        kept = {"scope": self._settings.invoice_scope.value, "open_amount": totals["gross"]}
        self._ledger.store_link(
            self._connection, "rillet-invoice", found[0].id, {"solvimon_id": claim.document.id}
        )
        if why := self._deleted_meanwhile(claim, found[0].id):
            state, facts = "differs", {**facts, **error_fields(why)}
        self._ledger.finish(claim, state, {**facts, **kept, "exported_at": int(self._clock())})
        return Result(claim.document.id, state, facts)
