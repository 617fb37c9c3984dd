"""What differs between a Solvimon document and Rillet's for it. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from solvimon_rillet.mapping.payments import RilletBalance, to_solvimon_payment_state
from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, INVOICE, RilletDocument, SolvimonDocument
from solvimon_rillet.reconciliation.findings import (
    Finding,
    FindingType,
    display_name,
    export_event,
    finding_for,
)
from solvimon_rillet.reconciliation.matching import DocumentMatches, ReconciliationContext

_BY_CONTRACT = {"REVENUE_RECOGNITION_ONLY", "AR_ONLY"}
"""Scopes in which Rillet keeps our number (Rillet API v4, Create an invoice)."""
FINISHED = ("exported", "differs")
UNREADABLE = "unreadable"
UNFINISHED = ("claimed", "sending")


def absent(billed: SolvimonDocument, known: ReconciliationContext, holder: str = "") -> Finding:
    """Why a document is not in Rillet.

    Args:
        billed: the document.
        known: what is known besides.
        holder: the other Solvimon document whose partner the ledger names for it, if there is one.
    """
    what = display_name(billed.kind)
    if billed.state in {"rejected", UNREADABLE}:
        return finding_for(billed, FindingType.REJECTED, billed.message, billed.remedy, code=billed.code)
    if billed.state in FINISHED and holder:
        return finding_for(
            billed,
            FindingType.MISSING,
            f"The ledger says {billed.rillet_id}, which is Rillet's document for {holder}.",
            f"Book it in Rillet by hand and tell sync_status (resolve) the id of that {what}.",
        )
    if billed.rillet_id in known.unreadable:
        return finding_for(
            billed,
            FindingType.REJECTED,
            f"It was booked as {billed.rillet_number or billed.rillet_id}, which Rillet shows in a form that "
            "cannot be read.",
            "Compare it by hand, and report it to Rillet's support with the id.",
        )
    if billed.state in FINISHED:
        asked = billed.rillet_id in known.gone
        missed = "Rillet does not have it any more" if asked else "Rillet's list does not have it"
        return finding_for(
            billed,
            FindingType.DELETED,
            f"It was booked as {billed.rillet_number or billed.rillet_id}; {missed}.",
            "If it was a mistake, book it in Rillet by hand and tell sync_status (resolve); if not, credit "
            "it in Solvimon.",
        )
    if billed.state in UNFINISHED:
        return finding_for(
            billed,
            FindingType.ON_ITS_WAY,
            f"Its export has begun and is not finished; the ledger says {billed.state}.",
            f"It goes on by itself. If it still says so in an hour, {export_event(billed)}.",
        )
    if billed.state == "skipped":
        return finding_for(
            billed,
            FindingType.MISSING,
            "It was skipped by a rule that does not hold any more.",
            f"To export it, {export_event(billed)}.",
        )
    return finding_for(
        billed,
        FindingType.MISSING,
        f"No webhook told of this {what}, and no sweep has found it so far.",
        f"The sweep exports it; at once: {export_event(billed)}. See that Solvimon's webhook is active.",
    )


def differences(
    billed: SolvimonDocument, partners: DocumentMatches, known: ReconciliationContext
) -> Iterator[Finding]:
    """What differs between a document and the first of Rillet's documents for it."""
    booked = partners.of(billed.id)[0]
    yield from _amounts(billed, booked)
    yield from _parties(billed, booked, known)
    yield from _number(billed, booked)
    if billed.kind == CREDIT_MEMO:
        yield from _unapplied(billed, booked, partners)
    elif known.compare_payments:
        yield from _payment(billed, booked, partners)


def doubled(billed: SolvimonDocument, partners: DocumentMatches) -> Iterator[Finding]:
    """More than one document in Rillet; they are counted, not collected."""
    found = partners.of(billed.id)
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        yield finding_for(
            billed,
            FindingType.DOUBLED,
            f"Rillet has {len(found)} documents for it: {ids}.",
            f"Delete all but {found[0].id} in Rillet.",
            *found,
        )


def open_amount(
    billed: SolvimonDocument, partners: DocumentMatches, known: ReconciliationContext
) -> Iterator[Finding]:
    """Another amount due than invoices, credit notes and payments leave.

    Where Solvimon is not to know what is paid, it cannot say what is open.
    """
    booked = partners.of(billed.id)[0]
    here, there = partners.open_in_solvimon(billed), Decimal(booked.open)
    certain = known.compare_payments and not partners.credit_unknown(booked)
    if billed.kind == INVOICE and certain and here != there and partners.credits_settled(billed):
        yield finding_for(
            billed,
            FindingType.OPEN_AMOUNT_DIFFERS,
            f"{there:f} {booked.currency} are open in Rillet; by Solvimon's credit notes and payments it "
            f"should be {here:f}.",
            "See in Rillet which payment or credit memo took more or less off it.",
            booked,
            amount=f"{abs(there - here):f}",
        )


def nothing_left(billed: SolvimonDocument, partners: DocumentMatches) -> str:
    """A note about a memo that is open because nothing is open on what it credits; else empty."""
    booked = partners.of(billed.id)[0]
    if not billed.credits or Decimal(booked.open) <= 0 or _still_open(billed, booked, partners):
        return ""
    left = f"{booked.open} {booked.currency} of the memo {booked.number} are not applied"
    if not partners.originals(billed):
        return f"{left}: what it credits was not read from Rillet. See in Rillet what is open on it."
    return f"{left}: nothing is open on what it credits. Refund it, or apply it by hand."


def _amounts(billed: SolvimonDocument, booked: RilletDocument) -> Iterator[Finding]:
    pairs = (
        ("net", billed.net, booked.net),
        ("tax", billed.tax, booked.tax),
        ("gross", billed.gross, booked.gross),
    )
    parts = [
        f"{name} {there} {booked.currency} instead of {here} {billed.currency}"
        for name, here, there in pairs
        if here and (Decimal(here) != Decimal(there) or billed.currency != booked.currency)
    ]
    if parts:
        apart = abs(Decimal(booked.gross) - Decimal(billed.gross))
        yield finding_for(
            billed,
            FindingType.AMOUNT_DIFFERS,
            f"Rillet has {', '.join(parts)}.",
            "Correct it in Rillet by hand, or credit it in Solvimon and bill it again.",
            booked,
            amount=f"{apart:f}" if billed.currency == booked.currency and apart else "",
        )


def _parties(
    billed: SolvimonDocument, booked: RilletDocument, known: ReconciliationContext
) -> Iterator[Finding]:
    customer = known.customers.get(billed.customer_id)
    if customer and booked.customer_id and customer != booked.customer_id:
        yield finding_for(
            billed,
            FindingType.CUSTOMER_DIFFERS,
            f"Rillet has it under the customer {booked.customer_id}; Solvimon's customer "
            f"{billed.customer_id} is linked to {customer}.",
            "Correct the customer in Rillet, or the link (custom field) on the customer in Solvimon.",
            booked,
        )
    subsidiary = known.subsidiaries.get(billed.biller_id)
    if subsidiary and booked.subsidiary_id and subsidiary != booked.subsidiary_id:
        yield finding_for(
            billed,
            FindingType.SUBSIDIARY_DIFFERS,
            f"Rillet has it under the subsidiary {booked.subsidiary_id} instead of {subsidiary}.",
            "Correct the subsidiary in Rillet, or the link on the billing entity in Solvimon.",
            booked,
        )


def _number(billed: SolvimonDocument, booked: RilletDocument) -> Iterator[Finding]:
    """Another number than Rillet gave it when it was booked, or than ours where that one must stay."""
    expected = billed.rillet_number
    if billed.number and (billed.kind == CREDIT_MEMO or billed.scope in _BY_CONTRACT):
        expected = billed.number
    if expected and booked.number != expected:
        yield finding_for(
            billed,
            FindingType.NUMBER_DIFFERS,
            f"Rillet calls it {booked.number}; it should be {expected}.",
            "Correct the number in Rillet.",
            booked,
        )


def _unapplied(
    billed: SolvimonDocument, booked: RilletDocument, partners: DocumentMatches
) -> Iterator[Finding]:
    """A memo that is not applied, although something is open on what it credits.

    What is open because the memo is larger than ours is no second difference.
    """
    left = _still_open(billed, booked, partners)
    if Decimal(booked.open) > max(Decimal(), Decimal(booked.gross) - Decimal(billed.gross)) and left:
        numbers = ", ".join(one.number for one in left)
        yield finding_for(
            billed,
            FindingType.MEMO_UNAPPLIED,
            f"{booked.open} {booked.currency} of the memo {booked.number} are not applied, and "
            f"{numbers} is open.",
            f"Apply the memo to {numbers} in Rillet.",
            booked,
            amount=booked.open,
        )


def _still_open(
    billed: SolvimonDocument, booked: RilletDocument, partners: DocumentMatches
) -> list[RilletDocument]:
    """The invoices that a note credits and that its memo could still be applied to."""
    originals = partners.originals(billed)
    return [one for one in originals if Decimal(one.open) > 0 and one.currency == booked.currency]


def _payment(
    billed: SolvimonDocument, booked: RilletDocument, partners: DocumentMatches
) -> Iterator[Finding]:
    """Another payment state; only where the amounts agree, for it follows from them."""
    gross, due = Decimal(booked.gross), Decimal(booked.open)
    if not gross or gross != Decimal(billed.gross) or partners.credit_unknown(booked):
        return
    received = gross - due - partners.applied_to(booked)
    state = to_solvimon_payment_state(RilletBalance(booked.status, gross, due, received))
    here = "PAID" if billed.payment_status == "OVERPAID" else billed.payment_status
    if here != state.payment_status:
        yield finding_for(
            billed,
            FindingType.PAYMENT_DIFFERS,
            f"In Rillet it is {state.payment_status} ({booked.open} {booked.currency} are due); Solvimon "
            f"says {here}.",
            f'Invoke mark_invoice_paid with {{"invoice_ids": ["{billed.id}"]}}. See that Rillet\'s webhook '
            "is active.",
            booked,
        )
