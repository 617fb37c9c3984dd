"""The findings about a Solvimon document and its match in Rillet. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, RilletDocument, SolvimonDocument
from solvimon_rillet.reconciliation.findings import (
    Finding,
    FindingType,
    display_name,
    export_event,
    finding_for,
    resolve_event,
)
from solvimon_rillet.reconciliation.matching import DocumentMatches, ReconciliationContext
from solvimon_rillet.reconciliation.settlement import credit_findings, payment_findings, unapplied_findings

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
    amounts = list(_amount_findings(billed, booked))
    yield from amounts
    yield from _party_findings(billed, booked, context)
    yield from _moved_findings(billed, booked, compare_lines=not amounts)
    if not matches.is_in_ledger(billed):
        yield from _entered_again_findings(billed, booked, context)
        return
    yield from _number_findings(billed, booked)
    if billed.kind == CREDIT_MEMO:
        yield from unapplied_findings(billed, booked, matches)
        return
    yield from credit_findings(billed, matches, context)
    if context.compare_payments:
        yield from payment_findings(billed, booked, matches, context)


def changed_findings(billed: SolvimonDocument, matches: DocumentMatches) -> Iterator[Finding]:
    """The differences between a document of another period, as the ledger has it, and Rillet's."""
    booked = matches.rillet_documents(billed.id)[0]
    amounts = list(_amount_findings(billed, booked))
    yield from amounts
    yield from _moved_findings(billed, booked, compare_lines=not amounts)


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


def _entered_again_findings(
    billed: SolvimonDocument, booked: RilletDocument, context: ReconciliationContext
) -> Iterator[Finding]:
    """A finding about a document in Rillet that the ledger does not know as the one that was booked."""
    if billed.rillet_id:
        was = billed.rillet_number or billed.rillet_id
        cause = f"It was booked as {was}, which Rillet does not have any more, and entered again as"
    elif billed.id in booked.references:  # an answer that was lost, or a ledger that was restored
        return
    else:
        cause = "Rillet has its number, customer and amount without our reference:"
    yield finding_for(
        billed,
        FindingType.ENTERED_AGAIN,
        f"{cause} {booked.number} ({booked.id}).",
        f"If it is the same sale, {resolve_event(billed, booked.id, context.connection)}; from then on its "
        "payments count.",
        booked,
    )


def _moved_findings(
    billed: SolvimonDocument, booked: RilletDocument, *, compare_lines: bool
) -> Iterator[Finding]:
    """A finding if the document, or its lines, are in another month than they were booked in."""
    parts = []
    if is_moved(billed, booked):
        parts.append(f"it is on {booked.day} instead of {billed.booked_on or billed.day}")
    if compare_lines and billed.months and booked.months and billed.months != booked.months:
        parts.append(f"its lines are recognised in {booked.months} instead of {billed.months}")
    if parts:
        yield finding_for(
            billed,
            FindingType.MOVED_TO_ANOTHER_MONTH,
            f"In Rillet {' and '.join(parts)}.",
            "Move it back in Rillet if that was a mistake. Otherwise both sides differ by it in these "
            "months; say so in your tie-out.",
            booked,
        )


def is_moved(billed: SolvimonDocument, booked: RilletDocument) -> bool:
    """Whether a person moved a document to another month than the one it was booked in.

    A record of before the ledger kept that day may have been booked on the first open day by the setting.
    """
    expected = billed.booked_on or billed.day
    if not booked.day or booked.day[:7] == expected[:7]:
        return False
    return bool(billed.booked_on) or not (booked.day > billed.day and booked.day.endswith("-01"))
