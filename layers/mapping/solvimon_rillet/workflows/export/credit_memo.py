"""Export a finalised credit note to Rillet: one credit memo, one set of applications to what it credits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, Culprit, NeedsAttention, RetryLater, Skip
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, INVOICE
from solvimon_rillet.ledger.ledger import FINISHED, Claim, Document
from solvimon_rillet.mapping.credit_memos import to_rillet_credit_memo
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.mapping.eligibility import check_eligible
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export import preparation
from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
from solvimon_rillet.workflows.export.applications import ApplicationPlan, CreditApplier
from solvimon_rillet.workflows.export.credited_parties import CreditedParties
from solvimon_rillet.workflows.export.export_lease import export_under_lease
from solvimon_rillet.workflows.export.link_resolver import LinkResolver
from solvimon_rillet.workflows.export.look_up import lists_of
from solvimon_rillet.workflows.export.preparation import Prepared, WrongDocumentType
from solvimon_rillet.workflows.export.send_once import find_open_attempt, send_once
from solvimon_rillet.workflows.export.verification import (
    Sent,
    booked_facts,
    deleted_meanwhile,
    number_warning,
    verify_totals,
)
from solvimon_rillet.workflows.outcome import Result, error_fields

ExportOriginal = Callable[[str], Result]
"""Exports the invoice with this id."""
MEMO_STEP = "memo_created"


class ExportCreditMemo:
    """Exports the credit notes of one connection.

    A credit memo has two effects in Rillet, and the record has a step for each: the memo itself, then its
    applications. After a crash between them, the next run resumes at the second.
    """

    def __init__(self, connection: Connection, export_original: ExportOriginal) -> None:
        self._connection = connection
        self._ledger = connection.ledger
        self._settings = connection.settings
        self._periods = AccountingPeriods(connection)
        self._applier = CreditApplier(connection)
        self._export_original = export_original
        self._lists = lists_of(connection.rillet, CREDIT_MEMO.name)

    def run(self, credit_note_id: str, owner: str, *, on_request: bool = False) -> Result:
        """Export one credit note, or record why not.

        Args:
            credit_note_id: Solvimon's id.
            owner: names this run; it holds the lease.
            on_request: a person named it; an id that Solvimon does not have is not recorded.

        Raises:
            RetryLater: nothing happened; a later run continues.
            OutcomeUnknown: Rillet may have the memo; a later run checks before it sends another.
        """
        document = self._document(credit_note_id)
        return export_under_lease(self._connection, document, owner, self._export, on_request=on_request)

    def dry_run(self, credit_note_id: str) -> Result:
        """The payload that ``run`` would send for a credit note, and its origins; writes nothing anywhere."""
        prepare = partial(self._check_and_prepare, dry_run=True)
        return preparation.dry_run(self._connection, self._document(credit_note_id), prepare, _applied_to)

    def _export(self, claim: Claim) -> Result:
        """Read, export the originals, prepare, send once, verify, record; then apply the memo."""
        try:
            note = preparation.read_document(self._connection, claim)
            if note.is_credit_note and claim.record.get("step") == MEMO_STEP:
                return self._resume(claim, note)
            self._check_eligible(note)
            self._export_originals(note)
            prepared = self._prepare(note, claim.record)
        except (NeedsAttention, Skip):
            # It must not be sent, but an earlier attempt may have created it in Rillet.
            if earlier := find_open_attempt(self._connection, claim, self._lists):
                return self._record(claim, earlier, [])
            raise
        create = self._connection.rillet.create_credit_memo
        sent = send_once(self._connection, claim, prepared, create=create, lists=self._lists)
        number = number_warning(prepared.mapped.payload.get("credit_memo_number"), sent.documents[0].number)
        return self._record(claim, sent, [*prepared.warnings, *number])

    def _check_and_prepare(self, note: Invoice, record: Mapping[str, Any], *, dry_run: bool) -> Prepared:
        self._check_eligible(note)
        return self._prepare(note, record, dry_run=dry_run)

    def _check_eligible(self, note: Invoice) -> None:
        """Raise ``WrongDocumentType`` for an invoice, and ``Skip`` for a note that is not eligible."""
        if not note.is_credit_note:
            raise WrongDocumentType("It is an invoice, not a credit note.")
        check_eligible(note, self._settings, "export_credit_memo")

    def _prepare(self, note: Invoice, record: Mapping[str, Any], *, dry_run: bool = False) -> Prepared:
        """Find the accounting period, the parties of the credited invoice and the links, and map.

        Raises:
            NeedsAttention: a person must act before it can be sent.
        """
        booked_on = self._periods.booking_day(note, record, dry_run=dry_run)
        resolver = LinkResolver(self._connection, dry_run=dry_run)
        parties = CreditedParties(self._connection, resolver, dry_run=dry_run).of(note, record)
        resolved = resolver.resolve(note, parties)
        try:
            mapped = to_rillet_credit_memo(note, resolved.links, self._settings, booked_on)
        except NeedsAttention as why:
            raise resolver.explain(why, note, resolved.links) from why
        return Prepared(note, resolved, mapped)

    def _export_originals(self, note: Invoice) -> None:
        """Export each credited invoice that is not in Rillet yet, before the note.

        Raises:
            NeedsAttention: an original cannot be booked.
            RetryLater, OutcomeUnknown: an original must wait.
        """
        for credited in note.credited_invoices():
            record = self._ledger.read(Document(self._connection.name, INVOICE.name, credited.id)) or {}
            if record.get("state") in FINISHED:
                continue
            result = self._export_original(credited.id)
            if result.outcome == "rejected":
                raise NeedsAttention(
                    Code.ORIGINAL_NOT_EXPORTED,
                    f"It credits {credited.id}, which is rejected itself.",
                    f"{result.facts['remedy']} Retry the invoice, and this credit note after it.",
                    quoted=result.facts["message"],
                    about=Culprit("invoice", credited.id, str(record.get("number", ""))),
                )

    def _record(self, claim: Claim, sent: Sent, warnings: Sequence[str]) -> Result:
        """Verify and record the first step, the memo; then continue with the second."""
        state, facts = verify_totals(self._ledger, claim, sent, warnings)
        facts = {**facts, "exported_at": int(self._connection.clock()), "step": MEMO_STEP}
        kept = {**facts, **booked_facts(sent.documents[0])}
        if state == "differs":
            self._ledger.finish(claim, state, kept)
            return Result(claim.document.id, state, facts)
        self._ledger.record_step(claim, kept)
        resumed = replace(claim, record={**claim.record, **kept})
        # An earlier attempt may have created the memo, which a person may have applied since.
        in_doubt = bool(claim.open_attempts)
        note = self._connection.solvimon.invoice(claim.document.id)
        return self._apply(resumed, note, in_doubt=in_doubt)

    def _resume(self, claim: Claim, note: Invoice) -> Result:
        """Continue with a memo that an earlier run created."""
        if why := deleted_meanwhile(self._ledger, claim, str(claim.record["rillet_id"])):
            return self._record_deleted(claim, why)
        return self._apply(claim, note, in_doubt=True)

    def _apply(self, claim: Claim, note: Invoice, *, in_doubt: bool) -> Result:
        """The second step: apply the memo to its invoices, in one full set, up to their open amounts."""
        try:
            plan = self._send_applications(claim, note, in_doubt=in_doubt)
        except NeedsAttention as why:
            if why.code is Code.DELETED_IN_RILLET:
                return self._record_deleted(claim, why)
            not_applied = _application_failed(claim, why)
            self._ledger.reject(claim, not_applied, None)
            return Result(claim.document.id, "rejected", error_fields(not_applied))
        self._applier.record_open_amounts(claim, plan)
        return self._record_applied(claim, plan, note)

    def _send_applications(self, claim: Claim, note: Invoice, *, in_doubt: bool) -> ApplicationPlan:
        """Plan and send the applications, and return the plan that Rillet took.

        Raises:
            NeedsAttention: Rillet refuses what is open there now.
            RetryLater: what is open there changed between plan and refusal.
        """
        plan = self._plan(claim, note, fresh=False, in_doubt=in_doubt)
        try:
            self._applier.send(claim, plan)
            return plan
        except NeedsAttention as why:
            self._forget_closed_period(why)
        # The known open amounts are outdated: ask Rillet, and apply up to the current ones.
        plan = self._plan(claim, note, fresh=True, in_doubt=in_doubt)
        try:
            self._applier.send(claim, plan)
            return plan
        except NeedsAttention as why:
            self._forget_closed_period(why)
            now = self._plan(claim, note, fresh=True, in_doubt=in_doubt)
            if now.applications(claim).payload == plan.applications(claim).payload:
                raise
            self._applier.record_refusal(claim, plan)
        raise RetryLater("What is open on the credited invoices has just changed.", after=5)

    def _forget_closed_period(self, why: NeedsAttention) -> None:
        if why.code is Code.RILLET_PERIOD_CLOSED:
            self._periods.forget()

    def _plan(self, claim: Claim, note: Invoice, *, fresh: bool, in_doubt: bool) -> ApplicationPlan:
        applied_on = str(self._periods.booking_day(note, claim.record) or document_day(note, self._settings))
        return self._applier.plan(claim, note, applied_on, fresh=fresh, in_doubt=in_doubt)

    def _record_deleted(self, claim: Claim, why: NeedsAttention) -> Result:
        """Record that the memo was deleted in Rillet; it is not created again."""
        self._ledger.finish(claim, "differs", error_fields(why))
        return Result(claim.document.id, "differs", {**_memo_facts(claim), **error_fields(why)})

    def _record_applied(self, claim: Claim, plan: ApplicationPlan, note: Invoice) -> Result:
        """Record the second step; the export is complete."""
        totals, planned = claim.record["totals"], plan.applications(claim)
        warnings = list(claim.record.get("warnings", []))
        if note.credited_invoices():
            warnings += plan.notes(claim)
        else:
            warnings.append("The credit note names no invoice; the memo is not applied.")
        facts = {
            "warnings": warnings,
            "applied": money.format_amount(planned.applied, totals["currency"]),
            "unapplied": money.format_amount(planned.unapplied, totals["currency"]),
            "applied_to": [*(one.invoice_id for one in plan.by_hand), *planned.amounts],
            "step": "applied",
        }
        if plan.by_hand:
            by_hand = sum((one.amount for one in plan.by_hand), Decimal())
            facts["applied_by_hand"] = money.format_amount(by_hand, totals["currency"])
        self._ledger.finish(claim, "exported", facts)
        return Result(claim.document.id, "exported", {**_memo_facts(claim), **facts})

    def _document(self, credit_note_id: str) -> Document:
        return Document(self._connection.name, CREDIT_MEMO.name, credit_note_id)


def _applied_to(prepared: Prepared) -> Mapping[str, Any]:
    return {"applied_to": [credited.id for credited in prepared.document.credited_invoices()]}


def _memo_facts(claim: Claim) -> dict[str, Any]:
    return {name: claim.record[name] for name in ("rillet_id", "rillet_number", "totals")}


def _application_failed(claim: Claim, why: NeedsAttention) -> NeedsAttention:
    memo = claim.record["rillet_id"]
    return NeedsAttention(
        why.code,
        f"The memo {memo} is in Rillet, but it could not be applied: {why.own_words}",
        why.remedy,
        quoted=why.quoted,
        about=why.about,
    )
