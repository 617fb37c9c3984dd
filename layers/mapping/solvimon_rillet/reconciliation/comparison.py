"""A reconciliation: both sides' documents next to each other, their sums, and what differs. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from solvimon_rillet.reconciliation.differences import (
    FINISHED,
    UNREADABLE,
    absent,
    differences,
    doubled,
    nothing_left,
    open_amount,
)
from solvimon_rillet.reconciliation.documents import RilletDocument, SolvimonDocument
from solvimon_rillet.reconciliation.findings import Finding, FindingType, finding_for, unmatched_in_rillet
from solvimon_rillet.reconciliation.matching import DocumentMatches, ReconciliationContext
from solvimon_rillet.reconciliation.totals import PeriodTotals


@dataclass(slots=True)
class Comparison:
    """What came out.

    Attributes:
        figures: the sums of both sides.
        findings: the differences, the gravest first.
        missing: documents that could be exported now: they are not there, and nobody rejected them.
        not_for_rillet: how many documents are not booked in Rillet, by the rule that says so.
        notes: what a reader should know, although it is no difference.
        others: how many of Rillet's documents of the period did not come from Solvimon.
        documents: how many documents of Solvimon were compared.
    """

    figures: PeriodTotals
    findings: list[Finding]
    missing: list[SolvimonDocument]
    not_for_rillet: Counter[str]
    notes: list[str]
    others: int
    documents: int

    @property
    def tied_out(self) -> bool:
        """Whether both sides agree."""
        return not self.findings and self.figures.agree()


def compare(
    billed: Iterable[SolvimonDocument], booked: Iterable[RilletDocument], known: ReconciliationContext
) -> Comparison:
    """Compare both sides.

    Args:
        billed: Solvimon's final documents of the period.
        booked: Rillet's documents that may belong to them; one that comes twice counts once, the last time.
        known: everything else.
    """
    documents = list(billed)
    partners = DocumentMatches(documents, list(booked))
    wanted = [one for one in documents if not one.not_for_rillet]
    excluded = [one for one in documents if one.not_for_rillet]
    found = Comparison(
        PeriodTotals(), [], [], Counter(one.not_for_rillet for one in excluded), [], 0, len(wanted)
    )
    for one in wanted:
        _document(one, partners, known, found)
    for one in excluded:
        found.notes += [
            f"{one.number or one.id} is not for Rillet ({one.not_for_rillet}); it is there as {there.number}."
            for there in partners.of(one.id)
        ]
    _unmatched_in_rillet(wanted, partners, known, found)
    order = list(FindingType)
    found.findings.sort(key=lambda finding: (order.index(finding.kind), finding.day, finding.number))
    return found


def _document(
    billed: SolvimonDocument, partners: DocumentMatches, known: ReconciliationContext, found: Comparison
) -> None:
    booked = partners.of(billed.id)
    if billed.state == UNREADABLE:
        found.findings.append(absent(billed, known, ""))
        return
    subsidiary = known.subsidiaries.get(billed.biller_id) or (booked[0].subsidiary_id if booked else "")
    found.figures.add_solvimon(_stated(billed, booked), subsidiary, partners.open_in_solvimon(billed))
    if not booked:
        found.findings.append(absent(billed, known, partners.holder_of(billed.rillet_id)))
        if billed.state not in {"rejected", *FINISHED}:
            found.missing.append(billed)
        return
    for one in booked:
        found.figures.add_rillet(one, billed, subsidiary)
    if booked[0].day and booked[0].day != billed.day:
        found.notes.append(f"{billed.number or billed.id} of {billed.day} is booked on {booked[0].day}.")
    if billed.state == "rejected":
        found.notes.append(
            f"{billed.number or billed.id} is in Rillet as {booked[0].number}, and rejected in the ledger: "
            "tell sync_status (resolve) that it is done."
        )
    if note := nothing_left(billed, partners):
        found.notes.append(note)
    these = [*doubled(billed, partners), *differences(billed, partners, known)]
    found.findings += these or open_amount(billed, partners, known)


def _stated(billed: SolvimonDocument, booked: Sequence[RilletDocument]) -> SolvimonDocument:
    """The document with its partner's net or tax where Solvimon does not state it."""
    if not booked:
        return billed
    return replace(billed, net=billed.net or booked[0].net, tax=billed.tax or booked[0].tax)


def _unmatched_in_rillet(
    billed: Sequence[SolvimonDocument],
    partners: DocumentMatches,
    known: ReconciliationContext,
    found: Comparison,
) -> None:
    """Rillet's documents of the period that have no partner."""
    fakes = {match_key(one): one for one in billed if partners.of(one.id)}
    for there in partners.strangers:
        if not known.first <= there.day <= known.last:
            continue
        named = next((identifier for identifier in there.references if identifier in known.ours), "")
        fake = fakes.get(match_key(there))
        if named:
            found.findings.append(
                unmatched_in_rillet(
                    there,
                    FindingType.NOT_IN_SOLVIMON,
                    f"It was booked for {named}, which is no final document of the period in Solvimon.",
                    "See in Solvimon what became of it; delete it in Rillet if it is void.",
                    named,
                )
            )
        elif fake:
            found.findings.append(
                finding_for(
                    fake,
                    FindingType.DOUBLED,
                    f"Rillet has a second document with its number and amount: {there.id}.",
                    f"If it is the same sale, delete {there.id} in Rillet.",
                    partners.of(fake.id)[0],
                    there,
                )
            )
        else:
            found.others += 1
            continue
        found.figures.add_rillet(there)


def match_key(document: SolvimonDocument | RilletDocument) -> tuple[str, str, str, Decimal]:
    """By what two documents look like the same sale."""
    return document.kind, document.number, document.currency, Decimal(document.gross)
