"""The comparison of both sides' documents, with their totals and differences. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from solvimon_rillet.reconciliation.differences import (
    FINISHED,
    UNREADABLE,
    changed_findings,
    difference_findings,
    duplicate_findings,
    is_moved,
    missing_finding,
)
from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, INVOICE, RilletDocument, SolvimonDocument
from solvimon_rillet.reconciliation.findings import Finding, FindingType, finding_for, unmatched_in_rillet
from solvimon_rillet.reconciliation.matching import (
    DocumentMatches,
    ReconciliationContext,
    is_same_party,
    match_key,
)
from solvimon_rillet.reconciliation.settlement import (
    credit_note_text,
    open_amount_findings,
    unapplied_note,
)
from solvimon_rillet.reconciliation.totals import PeriodTotals


@dataclass(slots=True)
class Comparison:
    """The result of a reconciliation.

    Attributes:
        totals: the totals of both sides.
        findings: the differences, the most severe first.
        missing: documents that can be exported now: not in Rillet, and not rejected.
        not_for_rillet: number of documents that are not eligible for Rillet, by rule.
        notes: observations that are not differences.
        other_documents: number of Rillet's documents of the period that did not come from Solvimon.
        documents: number of Solvimon's documents that were compared.
        doubled: the findings about several documents of Rillet that carry the reference of one of Solvimon.
    """

    totals: PeriodTotals
    findings: list[Finding]
    missing: list[SolvimonDocument]
    not_for_rillet: Counter[str]
    notes: list[str]
    other_documents: int
    documents: int
    doubled: list[Finding] = field(default_factory=list)

    @property
    def tied_out(self) -> bool:
        """Whether both sides agree."""
        return not self.findings and self.totals.agree()


def compare(
    billed: Iterable[SolvimonDocument],
    booked: Iterable[RilletDocument],
    context: ReconciliationContext,
    earlier: Iterable[SolvimonDocument] = (),
    late: Iterable[SolvimonDocument] = (),
) -> Comparison:
    """Compare both sides.

    Args:
        billed: Solvimon's final documents of the period.
        booked: Rillet's documents that may match them; of two with the same id the last one counts.
        context: the period, the links and the rest that is known.
        earlier: documents of other periods, as the ledger has them, that changed in Rillet since. They are in
            no total.
        late: documents that were made in the period, are dated outside of it, and are not exported yet. They
            are in no total either.
    """
    documents, others, back_dated = list(billed), list(earlier), list(late)
    matches = DocumentMatches([*documents, *others, *back_dated], list(booked), context)
    eligible = [document for document in documents if not document.not_for_rillet]
    ineligible = [document for document in documents if document.not_for_rillet]
    comparison = Comparison(
        PeriodTotals(),
        [],
        [],
        Counter(document.not_for_rillet for document in ineligible),
        [],
        0,
        len(eligible),
    )
    for document in eligible:
        _compare_document(document, matches, context, comparison)
    for document in ineligible:
        comparison.notes += [
            f"{document.number or document.id} is not for Rillet ({document.not_for_rillet}); it is in "
            f"Rillet as {rillet_document.number}."
            for rillet_document in matches.rillet_documents(document.id)
        ]
    for document in others:
        if matches.rillet_documents(document.id):
            comparison.findings += duplicate_findings(document, matches)
            comparison.findings += changed_findings(document, matches)
    for document in back_dated:
        if not matches.rillet_documents(document.id):
            _add_missing(document, matches, context, comparison)
    _add_unmatched(eligible, matches, context, comparison)
    order = list(FindingType)
    comparison.findings.sort(key=lambda finding: (order.index(finding.kind), finding.day, finding.number))
    return comparison


def _compare_document(
    billed: SolvimonDocument, matches: DocumentMatches, context: ReconciliationContext, comparison: Comparison
) -> None:
    booked = matches.rillet_documents(billed.id)
    if billed.state == UNREADABLE:
        comparison.findings.append(missing_finding(billed, context, ""))
        return
    subsidiary = context.subsidiaries.get(billed.biller_id) or (booked[0].subsidiary_id if booked else "")
    comparison.totals.add_solvimon(
        _with_missing_amounts(billed, booked), subsidiary, matches.open_in_solvimon(billed)
    )
    if not booked:
        _add_missing(billed, matches, context, comparison, effect=-_signed_gross(billed))
        return
    for document in booked:
        month = "" if is_moved(billed, document) else billed.day[:7]
        comparison.totals.add_rillet(document, month, subsidiary)
    if booked[0].day and booked[0].day != billed.day and not is_moved(billed, booked[0]):
        comparison.notes.append(f"{billed.number or billed.id} of {billed.day} is booked on {booked[0].day}.")
    if billed.state == "rejected":
        comparison.notes.append(
            f"{billed.number or billed.id} is in Rillet as {booked[0].number}, and rejected in the ledger: "
            "resolve it with sync_status (resolve)."
        )
    texts = [unapplied_note(billed, matches)]
    texts += [credit_note_text(billed, matches)] if billed.kind == INVOICE else []
    comparison.notes += filter(None, texts)
    doubled = [*duplicate_findings(billed, matches)]
    if billed.state in FINISHED:
        comparison.doubled += doubled
    findings = [*doubled, *difference_findings(billed, matches, context)]
    findings = [_with_effect(finding, billed, booked) for finding in findings]
    comparison.findings += findings or open_amount_findings(billed, matches, context)


def _add_missing(
    billed: SolvimonDocument,
    matches: DocumentMatches,
    context: ReconciliationContext,
    comparison: Comparison,
    *,
    effect: Decimal | None = None,
) -> None:
    finding = missing_finding(billed, context, matches.solvimon_id_of(billed.rillet_id))
    comparison.findings.append(replace(finding, effect=f"{effect:f}") if effect else finding)
    if billed.state not in {"rejected", *FINISHED}:
        comparison.missing.append(billed)


def _signed_gross(document: SolvimonDocument | RilletDocument) -> Decimal:
    """The gross amount as the totals have it: credit notes and memos take theirs off."""
    return -Decimal(document.gross) if document.kind == CREDIT_MEMO else Decimal(document.gross)


def _with_effect(finding: Finding, billed: SolvimonDocument, booked: Sequence[RilletDocument]) -> Finding:
    """A finding with its effect on the difference of both sides' gross amounts."""
    effect = Decimal()
    if finding.kind is FindingType.DOUBLED:
        effect = sum(
            (_signed_gross(each) for each in booked[1:] if each.currency == billed.currency), Decimal()
        )
    if finding.kind is FindingType.AMOUNT_DIFFERS and booked[0].currency == billed.currency:
        effect = _signed_gross(booked[0]) - _signed_gross(billed)
    return replace(finding, effect=f"{effect:f}") if effect else finding


def _with_missing_amounts(billed: SolvimonDocument, booked: Sequence[RilletDocument]) -> SolvimonDocument:
    """The document with its match's net or tax where Solvimon does not state it."""
    if not booked:
        return billed
    return replace(billed, net=billed.net or booked[0].net, tax=billed.tax or booked[0].tax)


def _add_unmatched(
    billed: Sequence[SolvimonDocument],
    matches: DocumentMatches,
    context: ReconciliationContext,
    comparison: Comparison,
) -> None:
    """Add findings for Rillet's documents of the period that match none of Solvimon's."""
    document_by_key = {
        match_key(document): document for document in billed if matches.rillet_documents(document.id)
    }
    names = {
        customer: document.customer
        for document in billed
        if document.customer and (customer := context.customers.get(document.customer_id))
    }
    for rillet_document in matches.unmatched:
        if not context.first <= rillet_document.day <= context.last:
            continue
        solvimon_id = next(
            (reference for reference in rillet_document.references if reference in context.booked_ids), ""
        )
        lookalike = document_by_key.get(match_key(rillet_document))
        if lookalike:
            first = matches.rillet_documents(lookalike.id)[0]
            if not is_same_party(rillet_document, first.customer_id, first.subsidiary_id):
                lookalike = None
        if solvimon_id:
            finding = unmatched_in_rillet(
                rillet_document,
                FindingType.NOT_IN_SOLVIMON,
                f"It was booked for {solvimon_id}, which is no final document of the period in Solvimon.",
                "Check its state in Solvimon; delete it in Rillet if it is void.",
                solvimon_id,
                names.get(rillet_document.customer_id, ""),
            )
        elif lookalike:
            finding = finding_for(
                lookalike,
                FindingType.DOUBLED,
                f"Rillet has a second document with its number and amount: {rillet_document.id}.",
                f"If it is the same sale, delete {rillet_document.id} in Rillet.",
                matches.rillet_documents(lookalike.id)[0],
                rillet_document,
            )
        else:
            comparison.other_documents += 1
            continue
        comparison.findings.append(replace(finding, effect=f"{_signed_gross(rillet_document):f}"))
        comparison.totals.add_rillet(rillet_document)
