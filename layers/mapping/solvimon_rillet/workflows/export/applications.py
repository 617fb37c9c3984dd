"""Apply a credit memo to the credited invoices, up to their open amounts.

Rillet replaces the whole set of a memo's applications. So a memo that may have been applied meanwhile, by an
earlier run or by a person, is read first: what is not ours stays in the set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.fingerprint import fingerprint_of, idempotency_key
from solvimon_rillet.formatting import clip
from solvimon_rillet.ledger.document_types import CREDIT_PREFIX
from solvimon_rillet.ledger.ledger import FINISHED, Claim, Document
from solvimon_rillet.mapping.credit_memos import (
    Applications,
    AppliedByHand,
    CreditedInvoice,
    to_applications,
)
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.verification import deleted_in_rillet

MAX_ORIGINALS = 100
"""Invoices that one memo is applied to; its record, below 64 KB, has a row for each."""
_MAX_NOTED_REASON = 120  # bytes
_MAX_SENT = 200  # applications that were sent, of all sets
_LATE_SECONDS = 15 * 60  # within them Rillet may still carry out a call whose answer was lost


@dataclass(frozen=True, slots=True)
class ApplicationPlan:
    """The invoices that a memo is to be applied to, with their open amounts.

    Attributes:
        applied_on: day of the application (YYYY-MM-DD).
        originals: the credited invoices by Solvimon id, in the order of application.
        left_out: the reasons why other invoices are not credited, by Solvimon id.
        already_applied: amounts that an earlier run has applied, by Rillet id, where it may have applied any.
        by_hand: the applications that a person has made; they stay.
    """

    applied_on: str
    originals: Mapping[str, CreditedInvoice]
    left_out: Mapping[str, str]
    already_applied: Mapping[str, Decimal] = field(default_factory=dict)
    by_hand: Sequence[AppliedByHand] = ()

    def applications(self, claim: Claim) -> Applications:
        """The set of applications for the memo of this record."""
        gross, currency = Decimal(claim.record["totals"]["gross"]), claim.record["totals"]["currency"]
        return to_applications(gross, currency, self.applied_on, self.originals.values(), self.by_hand)

    def as_item(self) -> dict[str, Any]:
        """The plan as the record holds it."""
        rows = [
            [identifier, one.rillet_id, *(str(n) for n in (one.open_amount, one.credited) if n is not None)]
            for identifier, one in self.originals.items()
        ]
        by_hand = [
            [one.invoice_id, one.invoice_number, str(one.amount), one.applied_on] for one in self.by_hand
        ]
        return {
            "applied_on": self.applied_on,
            "originals": rows,
            "left_out": dict(self.left_out),
            "applied_by_hand": by_hand,
        }

    def notes(self, claim: Claim) -> list[str]:
        """Notes for a person: the invoices left out, and the reason why a part of the memo stays open."""
        planned, currency = self.applications(claim), claim.record["totals"]["currency"]
        notes = [
            f"A person applied {money.format_amount(one.amount, currency)} {currency} of the memo to the "
            f"invoice {one.invoice_number} in Rillet; that stays."
            for one in self.by_hand
        ]
        notes += [f"Not applied to {identifier}{why}" for identifier, why in self.left_out.items()]
        if planned.unapplied:
            rest = money.format_amount(planned.unapplied, currency)
            notes.append(f"{rest} {currency} stay open on the memo: {self._reason_for_rest(planned)}.")
        return notes

    def _reason_for_rest(self, planned: Applications) -> str:
        """The reason why a part of the memo stays open."""
        if not self.originals and self.by_hand:
            return "apply the rest in Rillet as well, or refund it"
        if not self.originals:
            return f"it could not be applied to {', '.join(self.left_out)}"
        used = [
            identifier
            for identifier, one in self.originals.items()
            if one.open_amount - planned.amounts.get(one.rillet_id, 0) <= 0
        ]
        if not used:
            return "Solvimon credits no more to its invoices"
        every = len(used) == len(self.originals) and not self.left_out
        return f"no more is open on {'its invoices' if every else ', '.join(used)}"


class CreditApplier:
    """Plans and sends the applications of one connection's memos."""

    def __init__(self, connection: Connection) -> None:
        self._name = connection.name
        self._ledger = connection.ledger
        self._rillet = connection.rillet
        self._clock = connection.clock

    def plan(
        self, claim: Claim, note: Invoice, applied_on: str, *, fresh: bool, in_doubt: bool
    ) -> ApplicationPlan:
        """Plan the applications; ask Rillet for the open amounts if those in the ledger are too small.

        Args:
            claim: the memo's record, with its totals.
            note: the credit note.
            applied_on: day of the application.
            fresh: ask Rillet for the open amounts, instead of taking those in the ledger.
            in_doubt: the memo was created by an earlier run, so it may have been applied meanwhile.

        Raises:
            NeedsAttention: the memo was deleted in Rillet.
            RetryLater: an earlier set may still arrive at Rillet, and it is not the one to send now.
        """
        plan = ApplicationPlan(applied_on, {}, {})
        attempted = attempted_plan(claim) if in_doubt else None
        if in_doubt:
            plan = self._with_existing_applications(claim, plan)
            if attempted and not fresh and _as_set(attempted.by_hand) == _as_set(plan.by_hand):
                return replace(attempted, already_applied=plan.already_applied)
            # The open amounts in the ledger may be those of before an earlier set, or a person's.
            fresh = fresh or application_attempted(claim) or bool(plan.by_hand)
        found = self._with_originals(claim, note, plan, fresh=fresh)
        if not fresh and found.originals and found.applications(claim).unapplied:
            found = self._with_originals(claim, note, plan, fresh=True)
        if attempted and found.applications(claim).payload != attempted.applications(claim).payload:
            self._wait_for_late_call(claim)
        return found

    def send(self, claim: Claim, plan: ApplicationPlan) -> None:
        """Record the plan, then apply it: afterwards, Rillet reports smaller open amounts."""
        planned = plan.applications(claim)
        if not planned.amounts or planned.amounts == plan.already_applied:
            return
        self._record(claim, plan)
        memo_id = str(claim.record["rillet_id"])
        # The key follows from the content: each set is applied once, and another set has another key.
        key = idempotency_key(self._name, "applications", memo_id, fingerprint_of(planned.payload))
        self._rillet.apply_credit_memo(memo_id, planned.payload, key)

    def record_refusal(self, claim: Claim, plan: ApplicationPlan) -> None:
        """Record that Rillet refused a set, so that the next run plans another one."""
        self._record(claim, plan, refused=True)

    def _record(self, claim: Claim, plan: ApplicationPlan, *, refused: bool = False) -> None:
        amounts = plan.applications(claim).amounts
        sent = [
            *_sent_applications(claim),
            *([invoice, money.format_number(amount)] for invoice, amount in amounts.items()),
        ]
        unique = [list(row) for row in dict.fromkeys(map(tuple, sent))][-_MAX_SENT:]
        item = {**plan.as_item(), "sent": unique, "sent_at": int(self._clock())}
        self._ledger.record_step(claim, {"applying": {**item, "refused": True} if refused else item})

    def record_open_amounts(self, claim: Claim, plan: ApplicationPlan) -> None:
        """Record the open amounts of the originals, so that the next credit note need not ask Rillet."""
        amounts = plan.applications(claim).amounts
        for solvimon_id, original in plan.originals.items():
            applied = amounts.get(original.rillet_id, Decimal())
            left = original.open_amount - applied
            document = Document(self._name, "invoice", solvimon_id)
            memo = f"{CREDIT_PREFIX}{claim.record['rillet_id']}"
            self._ledger.add_facts(
                document, {"open_amount": money.format_number(left), memo: money.format_number(applied)}
            )

    def _with_existing_applications(self, claim: Claim, plan: ApplicationPlan) -> ApplicationPlan:
        """A plan with what the memo is applied to already: by an earlier run of ours, or by a person."""
        memo = self._rillet.credit_memo(str(claim.record["rillet_id"]))
        if memo is None:
            raise deleted_in_rillet("credit_memo", str(claim.record["rillet_id"]))
        sent, ours, by_hand = _sent_applications(claim), dict[str, Decimal](), list[AppliedByHand]()
        for one in memo.applications:
            if [one.invoice_id, money.format_number(one.amount.amount)] in sent:
                ours[one.invoice_id] = one.amount.amount
                continue
            day = one.application_date.isoformat() if one.application_date else plan.applied_on
            number = one.invoice_number or one.invoice_id
            by_hand.append(AppliedByHand(one.invoice_id, number, one.amount.amount, day))
        return replace(plan, already_applied=ours, by_hand=by_hand)

    def _wait_for_late_call(self, claim: Claim) -> None:
        """Raise ``RetryLater`` while Rillet may still carry out an earlier set, which would replace ours."""
        sent_at = int(claim.record["applying"].get("sent_at", 0))
        if (wait := sent_at + _LATE_SECONDS - self._clock()) > 0:
            raise RetryLater("Rillet may still be applying the memo as an earlier run asked.", after=wait)

    def _with_originals(
        self, claim: Claim, note: Invoice, plan: ApplicationPlan, *, fresh: bool
    ) -> ApplicationPlan:
        originals, left_out = self._originals(claim, note, plan, fresh=fresh)
        return replace(plan, originals=originals, left_out=left_out)

    def _originals(
        self, claim: Claim, note: Invoice, plan: ApplicationPlan, *, fresh: bool
    ) -> tuple[dict[str, CreditedInvoice], dict[str, str]]:
        """The credited invoices by Solvimon id with open amounts, and the reasons for those left out.

        One to which a person has applied the memo is in neither: its amount is the person's.
        """
        # The amounts of an earlier set are not open in Rillet, but the memo may use them again.
        already_applied, by_hand = plan.already_applied, {one.invoice_id for one in plan.by_hand}
        found, left_out = dict[str, CreditedInvoice](), dict[str, str]()
        every = note.credited_invoices()
        if (others := len(every) - MAX_ORIGINALS) > 0:
            left_out[f"{others} more invoices"] = f": a memo is applied to {MAX_ORIGINALS} at most."
        for credited in every[:MAX_ORIGINALS]:
            record = self._ledger.read(Document(self._name, "invoice", credited.id)) or {}
            if record.get("state") not in FINISHED:
                why = record.get("reason") or f"it is {record.get('state', 'unknown here')}"
                left_out[credited.id] = f", which is not in Rillet: {clip(str(why), _MAX_NOTED_REASON)}"
                continue
            currency, totals = claim.record["totals"]["currency"], record["totals"]
            if totals["currency"] != currency:
                left_out[credited.id] = f": it is in {totals['currency']}, not {currency}."
                continue
            if record["rillet_id"] in by_hand:
                continue
            if why := _other_party(claim, record):
                left_out[credited.id] = why
                continue
            open_amount = Decimal(record.get("open_amount", totals["gross"]))
            if fresh:
                invoice = self._rillet.invoice(str(record["rillet_id"]))
                if invoice is None or invoice.amount_due is None:
                    left_out[credited.id] = ", which is not in Rillet any more."
                    continue
                open_amount = invoice.amount_due.amount + already_applied.get(invoice.id, Decimal())
            part = credited.amount.quantity if credited.amount else None
            found[credited.id] = CreditedInvoice(str(record["rillet_id"]), open_amount, part)
        return found, left_out


def _other_party(claim: Claim, original: Mapping[str, Any]) -> str:
    """The reason why a memo cannot be applied to an invoice of another party; empty if it can."""
    for name, what in (("customer_id", "another customer"), ("subsidiary_id", "another subsidiary")):
        ours, theirs = claim.record.get(name), original.get(name)
        if ours and theirs and ours != theirs:
            return f", which Rillet has in the books of {what}."
    return ""


def application_attempted(claim: Claim) -> bool:
    """Whether an earlier run sent a set of applications, whatever the answer was."""
    return "applying" in claim.record


def attempted_plan(claim: Claim) -> ApplicationPlan | None:
    """The plan that an earlier run may have carried out; ``None`` after a refusal, to plan again."""
    item = claim.record.get("applying")
    if item is None or claim.state == "rejected" or item.get("refused") or "left_out" not in item:
        return None
    rows: Sequence[Any] = item["originals"]
    originals = {row[0]: CreditedInvoice(str(row[1]), *map(Decimal, row[2:])) for row in rows}
    by_hand = [
        AppliedByHand(invoice, number, Decimal(amount), day)
        for invoice, number, amount, day in item.get("applied_by_hand", ())
    ]
    return ApplicationPlan(str(item["applied_on"]), originals, item["left_out"], by_hand=by_hand)


def _sent_applications(claim: Claim) -> list[list[str]]:
    """Invoice and amount of every application that a run has sent for this memo: these are ours."""
    item = claim.written.get("applying") or claim.record.get("applying") or {}
    if "sent" in item:
        return [list(map(str, row)) for row in item["sent"]]
    plan = attempted_plan(replace(claim, record={**claim.record, "state": "sending"}))
    amounts = plan.applications(claim).amounts if plan else {}
    return [[invoice, money.format_number(amount)] for invoice, amount in amounts.items()]


def _as_set(by_hand: Sequence[AppliedByHand]) -> set[tuple[str, Decimal]]:
    return {(one.invoice_id, one.amount) for one in by_hand}
