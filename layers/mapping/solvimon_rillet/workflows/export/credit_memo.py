"""Export a finalised credit note to Rillet: one credit memo, one set of applications to what it credits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention, Skip
from solvimon_rillet.ledger.ledger import FINISHED, Claim, Document, Ledger
from solvimon_rillet.mapping.credit_memos import to_rillet_credit_memo
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
from solvimon_rillet.workflows.export.applications import (
    ApplicationPlan,
    CreditApplier,
    application_started,
    in_doubt,
)
from solvimon_rillet.workflows.export.send_once import Export
from solvimon_rillet.workflows.export.verification import CreatedDocument, number_note, outcome_facts
from solvimon_rillet.workflows.outcome import Result, error_fields

ExportOriginal = Callable[[str], Result]
MEMO_STEP = "memo_created"


class ExportCreditMemo(Export):
    """The workflow for one connection.

    A credit memo has two effects in Rillet, and the record has a step for each: the memo itself, then its
    applications. A crash between them resumes at the second.
    """

    kind = "credit_memo"
    workflow = "export_credit_memo"

    def __init__(
        self,
        connection: str,
        settings: Settings,
        ledger: Ledger,
        solvimon: SolvimonClient,
        rillet: RilletClient,
        books: AccountingPeriods,
        clock: Callable[[], float],
        export_original: ExportOriginal,
    ) -> None:
        super().__init__(connection, settings, ledger, solvimon, rillet, books, clock)
        self._export_original = export_original
        self._applier = CreditApplier(connection, ledger, rillet)

    def dry_run(self, credit_note_id: str) -> Result:
        """What ``run`` would send for a credit note, and why; writes nothing anywhere."""
        known: dict[str, Any] = {}
        try:
            known = self._known(credit_note_id)
            note = self._solvimon.invoice(credit_note_id)
            if not note.is_credit_note:
                return Result(credit_note_id, "not_ours", {"reason": "It is an invoice, not a credit note."})
            self._check_wanted(note)
            booked_on = self._booking_day(note, known, dry_run=True)
            resolved = self._linker(dry_run=True).resolve(note)
            mapped = to_rillet_credit_memo(note, resolved.links, self._settings, booked_on)
        except NeedsAttention as why:
            return Result(credit_note_id, "would_reject", {**known, **error_fields(why)})
        except Skip as why:
            return Result(credit_note_id, "would_skip", {**known, "reason": why.reason})
        facts: dict[str, Any] = {
            "payload": mapped.payload,
            "tie_out": mapped.totals.as_text(),
            "warnings": [*resolved.warnings, *mapped.warnings],
            "came_from": mapped.origins,
            "applied_to": [credited.id for credited in note.credited_invoices()],
        }
        return Result(credit_note_id, self._would(known), {**known, **facts})

    def _export(self, claim: Claim) -> Result:
        """The steps in order: read, originals first, map, tie out; the memo; its applications; record."""
        linker = self._linker()
        try:
            note = self._read(claim)
            if not note.is_credit_note:
                self._ledger.discard_claim(claim)
                return Result(note.id, "not_ours", {"reason": "It is an invoice, not a credit note."})
            if claim.record.get("step") == MEMO_STEP:
                return self._resume(claim, note)
            self._check_wanted(note)
            self._export_originals(note)
            booked_on = self._booking_day(note, claim.record)
            resolved = linker.resolve(note)
            mapped = to_rillet_credit_memo(note, resolved.links, self._settings, booked_on)
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
                return self._after_refusal(claim, note, attempt, linker, why)
        warnings += number_note(mapped.payload.get("credit_memo_number"), found[0].number)
        return self._book(claim, found, mapped.totals.as_text(), warnings)

    def _create(self, payload: Mapping[str, object], key: str) -> CreatedDocument:
        return self._rillet.create_credit_memo(payload, key)

    def _listed(self, customer_id: str, since: datetime) -> Iterable[CreatedDocument]:
        """All memos since then: Rillet's list has no filter by customer (Rillet API v4)."""
        return self._rillet.credit_memos(since)

    def _export_originals(self, note: Invoice) -> None:
        """See that every invoice that the note credits is in Rillet before the note.

        Raises:
            NeedsAttention: an original cannot be booked itself.
            RetryLater, OutcomeUnknown: an original must wait.
        """
        for credited in note.credited_invoices():
            record = self._ledger.read(Document(self._connection, "invoice", credited.id)) or {}
            if record.get("state") in FINISHED:
                continue
            result = self._export_original(credited.id)
            if result.outcome == "rejected":
                raise NeedsAttention(
                    Code.ORIGINAL_NOT_EXPORTED,
                    f"It credits {credited.id}, which is rejected itself: {result.facts['message']}",
                    f"{result.facts['remedy']} Retry the invoice, and this credit note after it.",
                )

    def _book(
        self,
        claim: Claim,
        found: Sequence[CreatedDocument],
        totals: Mapping[str, str],
        warnings: Sequence[str],
    ) -> Result:
        """Record the first step, the memo; then go on to the second one."""
        memo_id = found[0].id
        state, facts = outcome_facts(claim.document.id, found, totals, warnings)
        facts = {**facts, "exported_at": int(self._clock()), "step": MEMO_STEP}
        link = {"solvimon_id": claim.document.id}
        self._ledger.store_link(self._connection, "rillet-credit_memo", memo_id, link)
        if why := self._deleted_meanwhile(claim, memo_id):
            state, facts = "differs", {**facts, **error_fields(why)}
        if state == "differs":
            self._ledger.finish(claim, state, facts)
            return Result(claim.document.id, state, facts)
        self._ledger.record_step(claim, facts)
        resumed = replace(claim, record={**claim.record, **facts})
        return self._apply(resumed, self._solvimon.invoice(claim.document.id))

    def _resume(self, claim: Claim, note: Invoice) -> Result:
        """Go on with a memo that an earlier run has made."""
        if why := self._deleted_meanwhile(claim, str(claim.record["rillet_id"])):
            return self._deleted(claim, why)
        return self._apply(claim, note)

    def _apply(self, claim: Claim, note: Invoice) -> Result:
        """The second step: apply the memo to what it credits, in one full set, never above what is open."""
        try:
            plan = application_started(claim) or self._plan(claim, note, fresh=in_doubt(claim))
            try:
                self._applier.send(claim, plan)
            except NeedsAttention as why:
                if why.code is Code.RILLET_PERIOD_CLOSED:
                    self._books.forget()
                # What we knew to be open is not, any more: ask Rillet, and apply what is.
                plan = self._plan(claim, note, fresh=True)
                self._applier.send(claim, plan)
        except NeedsAttention as why:
            if why.code is Code.DELETED_IN_RILLET:
                return self._deleted(claim, why)
            return self._reject(claim, _not_applied(claim, why), claim.attempt)
        self._applier.keep_open_amounts(claim, plan)
        return self._finish(claim, plan, note)

    def _plan(self, claim: Claim, note: Invoice, *, fresh: bool) -> ApplicationPlan:
        applied_on = str(self._booking_day(note, claim.record) or document_day(note, self._settings))
        return self._applier.plan(claim, note, applied_on, fresh=fresh)

    def _deleted(self, claim: Claim, why: NeedsAttention) -> Result:
        """Record that the memo is not in Rillet any more; it is not created again."""
        self._ledger.finish(claim, "differs", error_fields(why))
        shown = {name: claim.record[name] for name in ("rillet_id", "rillet_number", "totals")}
        return Result(claim.document.id, "differs", {**shown, **error_fields(why)})

    def _finish(self, claim: Claim, plan: ApplicationPlan, note: Invoice) -> Result:
        totals, planned = claim.record["totals"], plan.applications(claim)
        told = list(claim.record.get("warnings", []))
        if note.credited_invoices():
            told += plan.notes(claim)
        else:
            told.append("The credit note names no invoice; the memo is not applied.")
        facts = {
            "warnings": told,
            "applied": money.format_amount(planned.applied, totals["currency"]),
            "unapplied": money.format_amount(planned.unapplied, totals["currency"]),
            "applied_to": list(planned.amounts),
            "step": "applied",
        }
        self._ledger.finish(claim, "exported", facts)
        shown = {name: claim.record[name] for name in ("rillet_id", "rillet_number", "totals")}
        return Result(claim.document.id, "exported", {**shown, **facts})


def _not_applied(claim: Claim, why: NeedsAttention) -> NeedsAttention:
    memo = claim.record["rillet_id"]
    return NeedsAttention(
        why.code, f"The memo {memo} is in Rillet, but it could not be applied: {why.message}", why.remedy
    )
