"""Export a finalised credit note to Rillet: one credit memo, one set of applications to what it credits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.books import Books
from solvimon_rillet.errors import Code, NeedsAttention, Skip
from solvimon_rillet.hashing import hash_of
from solvimon_rillet.ledger import FINISHED, Claim, Document, Ledger
from solvimon_rillet.linking import idempotency_key
from solvimon_rillet.mapping.credit_memos import (
    Applications,
    Original,
    to_applications,
    to_rillet_credit_memo,
)
from solvimon_rillet.mapping.documents import document_day
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.booking import Booked, booked_facts, number_note
from solvimon_rillet.workflows.exporting import Export
from solvimon_rillet.workflows.results import Result, in_words

ExportOriginal = Callable[[str], Result]
MEMO_STEP = "memo_created"
CREDIT = "credit_"  # facts of an invoice's record: what each of our memos has taken off it


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a memo is to be applied to, from what was open before.

    Attributes:
        applied_on: day of the application (YYYY-MM-DD).
        originals: the credited invoices by Solvimon id, in the order in which they are served.
        notes: why others are left out.
    """

    applied_on: str
    originals: Mapping[str, Original]
    notes: Sequence[str]

    def applications(self, claim: Claim) -> Applications:
        """The set that follows for the memo of this record."""
        gross, currency = Decimal(claim.record["totals"]["gross"]), claim.record["totals"]["currency"]
        return to_applications(gross, currency, self.applied_on, self.originals.values())

    def as_item(self) -> dict[str, Any]:
        """The plan as the record holds it."""
        rows = [
            [identifier, one.rillet_id, *(str(n) for n in (one.open_amount, one.credited) if n is not None)]
            for identifier, one in self.originals.items()
        ]
        return {"applied_on": self.applied_on, "originals": rows, "notes": list(self.notes)}


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
        books: Books,
        clock: Callable[[], float],
        export_original: ExportOriginal,
    ) -> None:
        super().__init__(connection, settings, ledger, solvimon, rillet, books, clock)
        self._export_original = export_original

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
            return Result(credit_note_id, "would_reject", {**known, **in_words(why)})
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
                self._ledger.abandon(claim)
                return Result(note.id, "not_ours", {"reason": "It is an invoice, not a credit note."})
            if claim.record.get("step") == MEMO_STEP:
                return self._apply(claim, note)
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
            self._ledger.begin(claim, attempt)
            try:
                found = self._sent(claim, attempt, mapped)
            except NeedsAttention as why:
                return self._after_refusal(claim, note, attempt, linker, why)
        warnings += number_note(mapped.payload.get("credit_memo_number"), found[0].number)
        return self._book(claim, found, mapped.totals.as_text(), warnings)

    def _create(self, payload: Mapping[str, object], key: str) -> Booked:
        return self._rillet.create_credit_memo(payload, key)

    def _listed(self, customer_id: str, since: datetime) -> Iterable[Booked]:
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
        self, claim: Claim, found: Sequence[Booked], totals: Mapping[str, str], warnings: Sequence[str]
    ) -> Result:
        """Record the first step, the memo; then go on to the second one."""
        state, facts = booked_facts(claim.document.id, found, totals, warnings)
        facts = {**facts, "exported_at": int(self._clock())}
        if state == "differs":
            self._ledger.finish(claim, state, facts)
            return Result(claim.document.id, state, facts)
        link = {"solvimon_id": claim.document.id}
        self._ledger.remember(self._connection, "rillet-credit_memo", found[0].id, link)
        kept = {**facts, "step": MEMO_STEP}
        self._ledger.progress(claim, kept)
        resumed = replace(claim, record={**claim.record, **kept})
        return self._apply(resumed, self._solvimon.invoice(claim.document.id))

    def _apply(self, claim: Claim, note: Invoice) -> Result:
        """The second step: apply the memo to what it credits, in one full set, never above what is open."""
        try:
            plan = _begun(claim) or self._plan(claim, note, fresh=False)
            try:
                self._send(claim, plan)
            except NeedsAttention as why:
                if why.code is Code.RILLET_PERIOD_CLOSED:
                    self._books.forget()
                # What we knew to be open is not, any more: ask Rillet, and apply what is.
                plan = self._plan(claim, note, fresh=True)
                self._send(claim, plan)
        except NeedsAttention as why:
            return self._reject(claim, _not_applied(claim, why), claim.attempt)
        self._note_open_amounts(claim, plan)
        return self._finish(claim, plan, note)

    def _plan(self, claim: Claim, note: Invoice, *, fresh: bool) -> _Plan:
        """What to apply; Rillet is asked what is open if the ledger knows of too little."""
        applied_on = str(self._booking_day(note, claim.record) or document_day(note, self._settings))
        plan = _Plan(applied_on, *self._originals(note, claim, fresh=fresh))
        if not fresh and plan.originals and plan.applications(claim).rest:
            return _Plan(applied_on, *self._originals(note, claim, fresh=True))
        return plan

    def _originals(
        self, note: Invoice, claim: Claim, *, fresh: bool
    ) -> tuple[dict[str, Original], list[str]]:
        """The credited invoices by Solvimon id, with what is open on them, and why some are left out.

        Args:
            note: the credit note.
            claim: its record, with the memo's totals.
            fresh: ask Rillet what is open, instead of taking what the ledger knows.
        """
        found, notes = dict[str, Original](), list[str]()
        for credited in note.credited_invoices():
            record = self._ledger.read(Document(self._connection, "invoice", credited.id)) or {}
            if record.get("state") not in FINISHED:
                why = record.get("reason") or f"it is {record.get('state', 'unknown here')}"
                notes.append(f"Not applied to {credited.id}, which is not in Rillet: {why}")
                continue
            currency, totals = claim.record["totals"]["currency"], record["totals"]
            if totals["currency"] != currency:
                notes.append(f"Not applied to {credited.id}: it is in {totals['currency']}, not {currency}.")
                continue
            open_amount = Decimal(record.get("open_amount", totals["gross"]))
            if fresh:
                invoice = self._rillet.invoice(str(record["rillet_id"]))
                if invoice is None or invoice.amount_due is None:
                    notes.append(f"Not applied to {credited.id}, which is not in Rillet any more.")
                    continue
                open_amount = invoice.amount_due.amount
            part = credited.amount.quantity if credited.amount else None
            found[credited.id] = Original(str(record["rillet_id"]), open_amount, part)
        return found, notes

    def _send(self, claim: Claim, plan: _Plan) -> None:
        """Apply what is planned; the plan is written before, because Rillet says less is open afterwards."""
        planned = plan.applications(claim)
        if not planned.applied:
            return
        self._ledger.progress(claim, {"applying": plan.as_item()})
        memo_id = str(claim.record["rillet_id"])
        # The key is of the content: a set is applied once, and another set is not answered by an old key.
        key = idempotency_key(self._connection, "applications", memo_id, hash_of(planned.payload))
        self._rillet.apply_credit_memo(memo_id, planned.payload, key)

    def _note_open_amounts(self, claim: Claim, plan: _Plan) -> None:
        """Keep what is open on the originals now, so that the next credit note need not ask Rillet."""
        amounts = plan.applications(claim).amounts
        for solvimon_id, original in plan.originals.items():
            applied = amounts.get(original.rillet_id, Decimal())
            left = original.open_amount - applied
            document = Document(self._connection, "invoice", solvimon_id)
            memo = f"{CREDIT}{claim.record['rillet_id']}"
            self._ledger.note(document, {"open_amount": money.plain(left), memo: money.plain(applied)})

    def _finish(self, claim: Claim, plan: _Plan, note: Invoice) -> Result:
        totals, planned = claim.record["totals"], plan.applications(claim)
        told = [*claim.record.get("warnings", []), *plan.notes]
        if not note.credited_invoices():
            told.append("The credit note names no invoice; the memo is not applied.")
        elif planned.rest:
            rest = money.text(planned.rest, totals["currency"])
            told.append(
                f"{rest} {totals['currency']} stay open on the memo: no more is open on its invoices."
            )
        facts = {
            "warnings": told,
            "applied": money.text(planned.applied, totals["currency"]),
            "unapplied": money.text(planned.rest, totals["currency"]),
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


def _begun(claim: Claim) -> _Plan | None:
    """The plan that an earlier run may have carried out; a refused one it did not."""
    item = claim.record.get("applying")
    if item is None or claim.state == "rejected":
        return None
    rows = {row[0]: Original(str(row[1]), *map(Decimal, row[2:])) for row in item["originals"]}
    return _Plan(str(item["applied_on"]), rows, item["notes"])
