"""The findings about what settles a document: payments, credits, and the amount that is left open. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from solvimon_rillet.mapping.payments import (
    PAID,
    RILLET_OWNER,
    SAFE_REMEDY,
    RilletBalance,
    likely_cause,
    payment_level,
    to_solvimon_payment_state,
)
from solvimon_rillet.reconciliation.documents import INVOICE, RilletDocument, SolvimonDocument
from solvimon_rillet.reconciliation.findings import Finding, FindingType, finding_for
from solvimon_rillet.reconciliation.matching import DocumentMatches, ReconciliationContext

REFUNDED = "REFUNDED"
"""Rillet's status of a memo whose rest was paid out (Rillet API v4, credit memo)."""


def unapplied_note(billed: SolvimonDocument, matches: DocumentMatches) -> str:
    """A note about a memo that is open because its credited invoices are not; else empty."""
    booked = matches.rillet_documents(billed.id)[0]
    if not billed.credits or Decimal(booked.open) <= 0 or _open_invoices(billed, booked, matches):
        return ""
    if booked.status == REFUNDED:
        return f"The memo {booked.number} is refunded: {booked.open} {booked.currency} of it."
    unapplied = f"{booked.open} {booked.currency} of the memo {booked.number} are not applied"
    if not matches.credited_invoices(billed):
        return f"{unapplied}: the invoice it credits was not read from Rillet. Check its open amount there."
    return f"{unapplied}: nothing is open on the invoice it credits. Refund it, or apply it by hand."


def open_amount_findings(
    billed: SolvimonDocument, matches: DocumentMatches, context: ReconciliationContext
) -> Iterator[Finding]:
    """A finding if the open amount differs from what invoices, credit notes and payments leave.

    Without synchronised payments, Solvimon's open amount is not known.
    """
    booked = matches.rillet_documents(billed.id)[0]
    in_solvimon, in_rillet = matches.expected_open(billed), Decimal(booked.open)
    certain = context.compare_payments and not matches.credit_amount_unknown(booked)
    if (
        billed.kind == INVOICE
        and certain
        and in_solvimon != in_rillet
        and matches.credits_fully_applied(billed)
    ):
        yield finding_for(
            billed,
            FindingType.OPEN_AMOUNT_DIFFERS,
            f"{in_rillet:f} {booked.currency} are open in Rillet; by Solvimon's credit notes and payments it "
            f"should be {in_solvimon:f}.",
            "Check in Rillet which payment or credit memo reduced it by another amount.",
            booked,
            amount=f"{abs(in_rillet - in_solvimon):f}",
        )


def credit_findings(
    billed: SolvimonDocument, matches: DocumentMatches, context: ReconciliationContext
) -> Iterator[Finding]:
    """Findings about credits in Rillet for which Solvimon has no credit note on this invoice.

    None where Solvimon counts the invoice as paid as well: then nothing is open on either side.
    """
    booked = matches.rillet_documents(billed.id)[0]
    credits = matches.credits_without_note(booked)
    if not credits.total or _settled_on_both_sides(billed, booked):
        return
    verb = "Closed" if Decimal(booked.open) <= 0 else "Reduced"
    if credits.own:
        amount, numbers = _sum_and_numbers(credits.own)
        yield finding_for(
            billed,
            FindingType.CREDITED_IN_RILLET,
            f"{verb} by a memo of Rillet's own, {amount:f} {booked.currency} ({numbers}); "
            f"{matches.open_in_solvimon(billed):f} {billed.currency} are open in Solvimon.",
            'Set credits_in_rillet to "mark", or mark it paid in Solvimon by hand, so that nobody is '
            "reminded. To credit it in Solvimon instead, delete the memo in Rillet first.",
            booked,
            amount=f"{amount:f}",
        )
    if credits.used:
        amount, numbers = _sum_and_numbers(credits.used)
        yield finding_for(
            billed,
            FindingType.CREDIT_USED_ELSEWHERE,
            f"{verb} by {amount:f} {booked.currency} of {numbers}, which credits another invoice in "
            "Solvimon.",
            f"Apply {numbers} in Rillet to the invoice that it credits, or leave it: then the open amounts "
            "of both invoices differ by it.",
            booked,
            amount=f"{amount:f}",
        )


def credit_note_text(billed: SolvimonDocument, matches: DocumentMatches) -> str:
    """A note about credits that only Rillet has on an invoice that is settled on both sides; else empty."""
    booked = matches.rillet_documents(billed.id)[0]
    credits = matches.credits_without_note(booked)
    if not credits.total or not _settled_on_both_sides(billed, booked):
        return ""
    amount, numbers = _sum_and_numbers([*credits.own, *credits.used])
    return (
        f"{billed.number or billed.id}: {amount:f} {booked.currency} are credited in Rillet only "
        f"({numbers}); Solvimon counts the invoice as paid."
    )


def unapplied_findings(
    billed: SolvimonDocument, booked: RilletDocument, matches: DocumentMatches
) -> Iterator[Finding]:
    """A finding if a memo is not applied, although an invoice that it credits is open.

    An open amount that comes from a larger memo is no second difference.
    """
    open_invoices = _open_invoices(billed, booked, matches)
    if booked.status == REFUNDED:
        if open_invoices:
            numbers = ", ".join(invoice.number for invoice in open_invoices)
            yield finding_for(
                billed,
                FindingType.MEMO_REFUNDED,
                f"The memo {booked.number} is refunded, so it cannot be applied, and {numbers} is open.",
                f"Collect {numbers}, or take the refund back in Rillet and apply the memo to {numbers}.",
                booked,
            )
        return
    if Decimal(booked.open) > max(Decimal(), Decimal(booked.gross) - Decimal(billed.gross)) and open_invoices:
        numbers = ", ".join(invoice.number for invoice in open_invoices)
        yield finding_for(
            billed,
            FindingType.MEMO_UNAPPLIED,
            f"{booked.open} {booked.currency} of the memo {booked.number} are not applied, and "
            f"{numbers} is open.",
            f"Apply the memo to {numbers} in Rillet.",
            booked,
            amount=booked.open,
        )


def payment_findings(
    billed: SolvimonDocument,
    booked: RilletDocument,
    matches: DocumentMatches,
    context: ReconciliationContext,
) -> Iterator[Finding]:
    """A finding if the payment state differs; only if the amounts agree, because it follows from them."""
    gross, due = Decimal(booked.gross), Decimal(booked.open)
    if not gross or gross != Decimal(billed.gross) or matches.credit_amount_unknown(booked):
        return
    only_in_rillet = matches.credits_without_note(booked).total
    received = gross - due - matches.applied_to(booked)
    counted = received + only_in_rillet if context.mark_credits else received
    state = to_solvimon_payment_state(RilletBalance(booked.status, gross, due, counted))
    in_solvimon = "PAID" if billed.payment_status == "OVERPAID" else billed.payment_status
    if only_in_rillet and _settled_on_both_sides(billed, booked):
        return
    if payment_level(in_solvimon) > state.level and billed.owner != RILLET_OWNER:
        paid = Decimal(billed.gross if payment_level(in_solvimon) == PAID.level else billed.paid)
        yield finding_for(
            billed,
            FindingType.PAID_IN_SOLVIMON,
            f"Solvimon says {in_solvimon} of its own ({paid:f} {billed.currency}); {booked.open} "
            f"{booked.currency} are due in Rillet. {likely_cause(received, due, booked.currency)}",
            SAFE_REMEDY,
            booked,
            amount=booked.open,
        )
    elif in_solvimon != state.payment_status:
        yield finding_for(
            billed,
            FindingType.PAYMENT_DIFFERS,
            f"In Rillet it is {state.payment_status} ({booked.open} {booked.currency} are due); Solvimon "
            f"says {in_solvimon}.",
            f'Invoke mark_invoice_paid with {{"invoice_ids": ["{billed.id}"]}}. Check that Rillet\'s '
            "webhook is active.",
            booked,
        )


def _open_invoices(
    billed: SolvimonDocument, booked: RilletDocument, matches: DocumentMatches
) -> list[RilletDocument]:
    """The invoices that a credit note credits and that its memo can still be applied to."""
    invoices = matches.credited_invoices(billed)
    return [
        invoice for invoice in invoices if Decimal(invoice.open) > 0 and invoice.currency == booked.currency
    ]


def _settled_on_both_sides(billed: SolvimonDocument, booked: RilletDocument) -> bool:
    return payment_level(billed.payment_status) == PAID.level and Decimal(booked.open) <= 0


def _sum_and_numbers(entries: Sequence[tuple[Decimal, str]]) -> tuple[Decimal, str]:
    return sum((amount for amount, _ in entries), Decimal()), ", ".join(number for _, number in entries)
