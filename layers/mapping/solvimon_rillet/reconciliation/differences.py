"""The findings about a Solvimon document and its match in Rillet. Pure."""

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
"""Scopes in which Rillet keeps Solvimon's number (Rillet API v4, Create an invoice)."""
FINISHED = ("exported", "differs")
UNREADABLE = "unreadable"
UNFINISHED = ("claimed", "sending")


def missing_finding(
    billed: SolvimonDocument, context: ReconciliationContext, other_document: str = ""
) -> Finding:
    """The finding about a document that is not in Rillet, with its cause.

    Args:
        billed: the document.
        context: the period, the links and the rest that is known.
        other_document: id of another Solvimon document that Rillet's document matches; empty if none does.
    """
    document_name = display_name(billed.kind)
    if billed.state in {"rejected", UNREADABLE}:
        return finding_for(billed, FindingType.REJECTED, billed.message, billed.remedy, code=billed.code)
    if billed.state in FINISHED and other_document:
        return finding_for(
            billed,
            FindingType.MISSING,
            f"The ledger says {billed.rillet_id}, which is Rillet's document for {other_document}.",
            f"Book it in Rillet by hand and give sync_status (resolve) the id of that {document_name}.",
        )
    if billed.rillet_id in context.unreadable_ids:
        return finding_for(
            billed,
            FindingType.REJECTED,
            f"It was booked as {billed.rillet_number or billed.rillet_id}, which Rillet shows in a form that "
            "cannot be read.",
            "Compare it by hand, and report it to Rillet's support with the id.",
        )
    if billed.state in FINISHED:
        known_deleted = billed.rillet_id in context.deleted_ids
        evidence = "Rillet does not have it any more" if known_deleted else "Rillet's list does not have it"
        return finding_for(
            billed,
            FindingType.DELETED,
            f"It was booked as {billed.rillet_number or billed.rillet_id}; {evidence}.",
            "If it was a mistake, book it in Rillet by hand and resolve it with sync_status (resolve); if "
            "not, credit it in Solvimon.",
        )
    if billed.state in UNFINISHED:
        return finding_for(
            billed,
            FindingType.ON_ITS_WAY,
            f"Its export has begun and is not finished; the ledger says {billed.state}.",
            f"It continues automatically. If it is still not finished in an hour, {export_event(billed)}.",
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
        f"No webhook has reported this {document_name}, and no sweep has found it so far.",
        f"The sweep will export it; to export it now, {export_event(billed)}. Check that Solvimon's "
        "webhook is active.",
    )


def difference_findings(
    billed: SolvimonDocument, matches: DocumentMatches, context: ReconciliationContext
) -> Iterator[Finding]:
    """The differences between a document and its first match in Rillet."""
    booked = matches.rillet_documents(billed.id)[0]
    yield from _amount_findings(billed, booked)
    yield from _party_findings(billed, booked, context)
    yield from _number_findings(billed, booked)
    if billed.kind == CREDIT_MEMO:
        yield from _unapplied_findings(billed, booked, matches)
    elif context.compare_payments:
        yield from _payment_findings(billed, booked, matches)


def duplicate_findings(billed: SolvimonDocument, matches: DocumentMatches) -> Iterator[Finding]:
    """A finding if a document has several matches in Rillet."""
    found = matches.rillet_documents(billed.id)
    if len(found) > 1:
        ids = ", ".join(match.id for match in found)
        yield finding_for(
            billed,
            FindingType.DOUBLED,
            f"Rillet has {len(found)} documents for it: {ids}.",
            f"Delete all but {found[0].id} in Rillet.",
            *found,
        )


def open_amount_findings(
    billed: SolvimonDocument, matches: DocumentMatches, context: ReconciliationContext
) -> Iterator[Finding]:
    """A finding if the open amount differs from what invoices, credit notes and payments leave.

    Without synchronised payments, Solvimon's open amount is not known.
    """
    booked = matches.rillet_documents(billed.id)[0]
    in_solvimon, in_rillet = matches.open_in_solvimon(billed), Decimal(booked.open)
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


def unapplied_note(billed: SolvimonDocument, matches: DocumentMatches) -> str:
    """A note about a memo that is open because its credited invoices are not; else empty."""
    booked = matches.rillet_documents(billed.id)[0]
    if not billed.credits or Decimal(booked.open) <= 0 or _open_invoices(billed, booked, matches):
        return ""
    unapplied = f"{booked.open} {booked.currency} of the memo {booked.number} are not applied"
    if not matches.credited_invoices(billed):
        return f"{unapplied}: the invoice it credits was not read from Rillet. Check its open amount there."
    return f"{unapplied}: nothing is open on the invoice it credits. Refund it, or apply it by hand."


def _amount_findings(billed: SolvimonDocument, booked: RilletDocument) -> Iterator[Finding]:
    pairs = (
        ("net", billed.net, booked.net),
        ("tax", billed.tax, booked.tax),
        ("gross", billed.gross, booked.gross),
    )
    parts = [
        f"{name} {in_rillet} {booked.currency} instead of {in_solvimon} {billed.currency}"
        for name, in_solvimon, in_rillet in pairs
        if in_solvimon and (Decimal(in_solvimon) != Decimal(in_rillet) or billed.currency != booked.currency)
    ]
    if parts:
        difference = abs(Decimal(booked.gross) - Decimal(billed.gross))
        yield finding_for(
            billed,
            FindingType.AMOUNT_DIFFERS,
            f"Rillet has {', '.join(parts)}.",
            "Correct it in Rillet by hand, or credit it in Solvimon and bill it again.",
            booked,
            amount=f"{difference:f}" if billed.currency == booked.currency and difference else "",
        )


def _party_findings(
    billed: SolvimonDocument, booked: RilletDocument, context: ReconciliationContext
) -> Iterator[Finding]:
    customer = context.customers.get(billed.customer_id)
    if customer and booked.customer_id and customer != booked.customer_id:
        yield finding_for(
            billed,
            FindingType.CUSTOMER_DIFFERS,
            f"Rillet has it under the customer {booked.customer_id}; Solvimon's customer "
            f"{billed.customer_id} is linked to {customer}.",
            "Correct the customer in Rillet, or the link (custom field) on the customer in Solvimon.",
            booked,
        )
    subsidiary = context.subsidiaries.get(billed.biller_id)
    if subsidiary and booked.subsidiary_id and subsidiary != booked.subsidiary_id:
        yield finding_for(
            billed,
            FindingType.SUBSIDIARY_DIFFERS,
            f"Rillet has it under the subsidiary {booked.subsidiary_id} instead of {subsidiary}.",
            "Correct the subsidiary in Rillet, or the link on the billing entity in Solvimon.",
            booked,
        )


def _number_findings(billed: SolvimonDocument, booked: RilletDocument) -> Iterator[Finding]:
    """A finding if the number is not Rillet's own, or not Solvimon's where Rillet must keep that one."""
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


def _unapplied_findings(
    billed: SolvimonDocument, booked: RilletDocument, matches: DocumentMatches
) -> Iterator[Finding]:
    """A finding if a memo is not applied, although an invoice that it credits is open.

    An open amount that comes from a larger memo is no second difference.
    """
    open_invoices = _open_invoices(billed, booked, matches)
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


def _open_invoices(
    billed: SolvimonDocument, booked: RilletDocument, matches: DocumentMatches
) -> list[RilletDocument]:
    """The invoices that a credit note credits and that its memo can still be applied to."""
    invoices = matches.credited_invoices(billed)
    return [
        invoice for invoice in invoices if Decimal(invoice.open) > 0 and invoice.currency == booked.currency
    ]


def _payment_findings(
    billed: SolvimonDocument, booked: RilletDocument, matches: DocumentMatches
) -> Iterator[Finding]:
    """A finding if the payment state differs; only if the amounts agree, because it follows from them."""
    gross, due = Decimal(booked.gross), Decimal(booked.open)
    if not gross or gross != Decimal(billed.gross) or matches.credit_amount_unknown(booked):
        return
    received = gross - due - matches.applied_to(booked)
    state = to_solvimon_payment_state(RilletBalance(booked.status, gross, due, received))
    in_solvimon = "PAID" if billed.payment_status == "OVERPAID" else billed.payment_status
    if in_solvimon != state.payment_status:
        yield finding_for(
            billed,
            FindingType.PAYMENT_DIFFERS,
            f"In Rillet it is {state.payment_status} ({booked.open} {booked.currency} are due); Solvimon "
            f"says {in_solvimon}.",
            f'Invoke mark_invoice_paid with {{"invoice_ids": ["{billed.id}"]}}. Check that Rillet\'s '
            "webhook is active.",
            booked,
        )
