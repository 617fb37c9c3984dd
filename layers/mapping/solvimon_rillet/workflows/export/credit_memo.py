"""Export a finalised credit note to Rillet: one credit memo, one set of applications to what it credits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, Skip
from solvimon_rillet.ledger.ledger import FINISHED, Claim, Document
from solvimon_rillet.mapping.credit_memos import to_rillet_credit_memo
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.mapping.eligibility import check_eligible
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export import preparation
from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
from solvimon_rillet.workflows.export.applications import (
    ApplicationPlan,
    CreditApplier,
    application_attempted,
    attempted_plan,
)
from solvimon_rillet.workflows.export.link_resolver import LinkResolver
from solvimon_rillet.workflows.export.preparation import Prepared, WrongDocumentType
from solvimon_rillet.workflows.export.send_once import (
    SendRefused,
    find_open_attempt,
    record_refusal,
    send_once,
)
from solvimon_rillet.workflows.export.verification import (
    CreatedDocument,
    deleted_meanwhile,
    number_warning,
    outcome_facts,
)
from solvimon_rillet.workflows.lease import under_lease
from solvimon_rillet.workflows.outcome import Result, error_fields

ExportOriginal = Callable[[str], Result]
"""Exports the invoice with this id, and says how that ended."""
KIND = "credit_memo"
MEMO_STEP = "memo_created"


class ExportCreditMemo:
    """The workflow for one connection.

    A credit memo has two effects in Rillet, and the record has a step for each: the memo itself, then its
    applications. A crash between them resumes at the second.
    """

    def __init__(self, connection: Connection, export_original: ExportOriginal) -> None:
        self._connection = connection
        self._ledger = connection.ledger
        self._settings = connection.settings
        self._periods = AccountingPeriods(connection)
        self._applier = CreditApplier(connection)
        self._export_original = export_original

    def run(self, credit_note_id: str, owner: str) -> Result:
        """Export one credit note, or record why not.

        Args:
            credit_note_id: Solvimon's id.
            owner: names this very run; the lease is held under it.

        Raises:
            RetryLater: nothing happened; a later run goes on.
            OutcomeUnknown: it may be in Rillet; a later run finds out before it sends another.
        """
        try:
            preparation.check_id(credit_note_id)
        except NeedsAttention as why:
            return Result(credit_note_id[:64], "rejected", error_fields(why))
        document = Document(self._connection.name, KIND, credit_note_id)
        return under_lease(self._ledger, document, owner, self._export)

    def dry_run(self, credit_note_id: str) -> Result:
        """What ``run`` would send for a credit note, and why; writes nothing anywhere."""
        links = LinkResolver(self._connection, dry_run=True)

        def prepare(note: Invoice, record: Mapping[str, Any]) -> Prepared:
            self._check(note)
            return self._prepare(note, record, links, dry_run=True)

        def applied_to(prepared: Prepared) -> Mapping[str, Any]:
            return {"applied_to": [credited.id for credited in prepared.document.credited_invoices()]}

        document = Document(self._connection.name, KIND, credit_note_id)
        return preparation.dry_run(self._connection, document, prepare, applied_to)

    def _export(self, claim: Claim) -> Result:
        """The steps in order: read, check, originals, map, send once, verify, record; its applications."""
        if claim.done:
            return preparation.already_done(claim)
        links = LinkResolver(self._connection)
        try:
            note = preparation.read_document(self._connection, claim)
            if note.is_credit_note and claim.record.get("step") == MEMO_STEP:
                return self._resume(claim, note)
            self._check(note)
            self._export_originals(note)
            prepared = self._prepare(note, claim.record, links)
        except WrongDocumentType as other:
            self._ledger.discard_claim(claim)
            return Result(claim.document.id, "not_ours", {"reason": str(other)})
        except (NeedsAttention, Skip):
            # It is not to be sent, but an earlier attempt may have put it into Rillet.
            found = find_open_attempt(self._connection, claim, self._find)
            if found and claim.attempt:
                return self._record(claim, found, claim.attempt.totals, [])
            raise
        try:
            found = send_once(
                self._connection,
                claim,
                prepared.mapped,
                create=self._connection.rillet.create_credit_memo,
                find=self._find,
            )
        except SendRefused as refused:
            return record_refusal(self._connection, claim, note, links, self._periods, refused)
        number = prepared.mapped.payload.get("credit_memo_number")
        warnings = [*prepared.warnings, *number_warning(number, found[0].number)]
        return self._record(claim, found, prepared.mapped.totals.as_text(), warnings)

    def _check(self, note: Invoice) -> None:
        """Raise ``NotOurs`` for an invoice, and ``Skip`` for a note that is not for Rillet by rule."""
        if not note.is_credit_note:
            raise WrongDocumentType("It is an invoice, not a credit note.")
        check_eligible(note, self._settings, "export_credit_memo")

    def _prepare(
        self, note: Invoice, record: Mapping[str, Any], links: LinkResolver, *, dry_run: bool = False
    ) -> Prepared:
        """Find the period and the links, and map.

        Raises:
            NeedsAttention: a person must act before it can be sent.
        """
        booked_on = self._periods.booking_day(note, record, dry_run=dry_run)
        resolved = links.resolve(note)
        return Prepared(
            note, resolved, to_rillet_credit_memo(note, resolved.links, self._settings, booked_on)
        )

    def _find(self, _customer_id: str, since: datetime) -> Iterable[CreatedDocument]:
        """All memos since a moment: Rillet's list has no filter by customer (Rillet API v4)."""
        return self._connection.rillet.credit_memos(since)

    def _export_originals(self, note: Invoice) -> None:
        """See that every invoice that the note credits is in Rillet before the note.

        Raises:
            NeedsAttention: an original cannot be booked itself.
            RetryLater, OutcomeUnknown: an original must wait.
        """
        for credited in note.credited_invoices():
            record = self._ledger.read(Document(self._connection.name, "invoice", credited.id)) or {}
            if record.get("state") in FINISHED:
                continue
            result = self._export_original(credited.id)
            if result.outcome == "rejected":
                raise NeedsAttention(
                    Code.ORIGINAL_NOT_EXPORTED,
                    f"It credits {credited.id}, which is rejected itself: {result.facts['message']}",
                    f"{result.facts['remedy']} Retry the invoice, and this credit note after it.",
                )

    def _record(
        self,
        claim: Claim,
        found: Sequence[CreatedDocument],
        totals: Mapping[str, str],
        warnings: Sequence[str],
    ) -> Result:
        """Record the first step, the memo; then go on to the second one."""
        memo_id = found[0].id
        state, facts = outcome_facts(claim.document.id, found, totals, warnings)
        facts = {**facts, "exported_at": int(self._connection.clock()), "step": MEMO_STEP}
        link = {"solvimon_id": claim.document.id}
        self._ledger.remember(self._connection.name, "rillet-credit_memo", memo_id, link)
        if why := deleted_meanwhile(self._ledger, claim, memo_id):
            state, facts = "differs", {**facts, **error_fields(why)}
        if state == "differs":
            self._ledger.finish(claim, state, facts)
            return Result(claim.document.id, state, facts)
        self._ledger.record_step(claim, facts)
        resumed = replace(claim, record={**claim.record, **facts})
        return self._apply(resumed, self._connection.solvimon.invoice(claim.document.id))

    def _resume(self, claim: Claim, note: Invoice) -> Result:
        """Go on with a memo that an earlier run has made."""
        if why := deleted_meanwhile(self._ledger, claim, str(claim.record["rillet_id"])):
            return self._record_deleted(claim, why)
        return self._apply(claim, note)

    def _apply(self, claim: Claim, note: Invoice) -> Result:
        """The second step: apply the memo to what it credits, in one full set, never above what is open."""
        try:
            plan = attempted_plan(claim) or self._plan(claim, note, fresh=application_attempted(claim))
            try:
                self._applier.send(claim, plan)
            except NeedsAttention as why:
                if why.code is Code.RILLET_PERIOD_CLOSED:
                    self._periods.forget()
                # What we knew to be open is not, any more: ask Rillet, and apply what is.
                plan = self._plan(claim, note, fresh=True)
                self._applier.send(claim, plan)
        except NeedsAttention as why:
            if why.code is Code.DELETED_IN_RILLET:
                return self._record_deleted(claim, why)
            not_applied = _application_failed(claim, why)
            self._ledger.reject(claim, not_applied, claim.attempt)
            return Result(claim.document.id, "rejected", error_fields(not_applied))
        self._applier.record_open_amounts(claim, plan)
        return self._record_applied(claim, plan, note)

    def _plan(self, claim: Claim, note: Invoice, *, fresh: bool) -> ApplicationPlan:
        applied_on = str(self._periods.booking_day(note, claim.record) or document_day(note, self._settings))
        return self._applier.plan(claim, note, applied_on, fresh=fresh)

    def _record_deleted(self, claim: Claim, why: NeedsAttention) -> Result:
        """Record that the memo is not in Rillet any more; it is not created again."""
        self._ledger.finish(claim, "differs", error_fields(why))
        shown = {name: claim.record[name] for name in ("rillet_id", "rillet_number", "totals")}
        return Result(claim.document.id, "differs", {**shown, **error_fields(why)})

    def _record_applied(self, claim: Claim, plan: ApplicationPlan, note: Invoice) -> Result:
        totals, planned = claim.record["totals"], plan.applications(claim)
        warnings = list(claim.record.get("warnings", []))
        if note.credited_invoices():
            warnings += plan.notes(claim)
        else:
            warnings.append("The credit note names no invoice; the memo is not applied.")
        facts = {
            "warnings": warnings,
            "applied": money.text(planned.applied, totals["currency"]),
            "unapplied": money.text(planned.rest, totals["currency"]),
            "applied_to": list(planned.amounts),
            "step": "applied",
        }
        self._ledger.finish(claim, "exported", facts)
        shown = {name: claim.record[name] for name in ("rillet_id", "rillet_number", "totals")}
        return Result(claim.document.id, "exported", {**shown, **facts})


def _application_failed(claim: Claim, why: NeedsAttention) -> NeedsAttention:
    memo = claim.record["rillet_id"]
    return NeedsAttention(
        why.code, f"The memo {memo} is in Rillet, but it could not be applied: {why.message}", why.remedy
    )
