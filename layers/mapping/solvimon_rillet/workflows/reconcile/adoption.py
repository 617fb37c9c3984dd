"""What a reconciliation writes to the ledger: deletions, edits, what was entered again, what a restore lost.

After the ledger's table was restored to an earlier moment, it does not know what was booked since; an export
would book it again. So exports wait (setting ``ledger_restored_to``), and a reconciliation with ``adopt``
writes the records of all documents that Rillet has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.events import INVOICE_PAYMENT_UPDATED, RILLET, BusEvent, is_id
from solvimon_rillet.ledger import document_types
from solvimon_rillet.ledger.document_types import CREDIT_PREFIX
from solvimon_rillet.ledger.ledger import FINISHED, Document
from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, INVOICE, RilletDocument, SolvimonDocument
from solvimon_rillet.reconciliation.findings import Finding, FindingType
from solvimon_rillet.reconciliation.matching import DocumentMatches, ReconciliationContext
from solvimon_rillet.workflows.export.credit_memo import MEMO_STEP
from solvimon_rillet.workflows.export.restored_ledger import record_adoption
from solvimon_rillet.workflows.export.verification import deleted_in_rillet
from solvimon_rillet.workflows.payments.rillet_changes import RilletChanges
from solvimon_rillet.workflows.status.manual_resolution import ManualResolution, ResolutionRefused

_NOTE = "Adopted from Rillet by a reconciliation"
_TYPES = {INVOICE: document_types.INVOICE, CREDIT_MEMO: document_types.CREDIT_MEMO}


class Adoption:
    """Writes the ledger of one connection by what both sides have."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._name = connection.name
        self._ledger = connection.ledger

    def record_changes(self, findings: Iterable[Finding], gone: frozenset[str]) -> None:
        """Mark what Rillet does not have any more, and memos of another total, as a webhook would."""
        for finding in findings:
            document = Document(self._name, finding.document, finding.solvimon_id)
            ids = finding.rillet_ids[:1]
            if finding.kind is FindingType.DELETED and gone.intersection(ids):
                self._ledger.mark_mismatch(document, deleted_in_rillet(finding.document, ids[0]))
            elif finding.kind is FindingType.AMOUNT_DIFFERS and finding.document == CREDIT_MEMO:
                why = NeedsAttention(Code.TOTAL_DIFFERS, finding.cause, finding.remedy)
                self._ledger.mark_mismatch(document, why)

    def clear_corrected(
        self,
        solvimon: Iterable[SolvimonDocument],
        rillet: Iterable[RilletDocument],
        findings: Iterable[Finding],
    ) -> None:
        """Clear the mark of documents whose total a person has corrected in Rillet, as a webhook would.

        Raises:
            RetryLater: Rillet or the table does not answer.
        """
        booked = {document.id: document for document in rillet}
        differing = {each.solvimon_id for each in findings if each.kind is FindingType.AMOUNT_DIFFERS}
        for billed in solvimon:
            found, marked = booked.get(billed.rillet_id), (billed.state, billed.code)
            if found and marked == ("differs", Code.TOTAL_DIFFERS) and billed.id not in differing:
                document = Document(self._name, billed.kind, billed.id)
                record = self._ledger.read(document) or {}
                facts = {"total": found.gross, "currency": found.currency}
                RilletChanges(self._connection).compare_total(document, record, facts)

    def entered_again(
        self, findings: Sequence[Finding], rillet: Iterable[RilletDocument], gone: frozenset[str]
    ) -> list[BusEvent]:
        """Record that what was entered again is gone as it was booked; take it over by the setting.

        Only a document with our reference and the same total is taken over.

        Returns:
            The events that bring the payments of these invoices to Solvimon.
        """
        booked = {document.id: document for document in rillet}
        differing = {each.solvimon_id for each in findings if each.kind is FindingType.AMOUNT_DIFFERS}
        events = []
        for finding in findings:
            if finding.kind is not FindingType.ENTERED_AGAIN:
                continue
            document = Document(self._name, finding.document, finding.solvimon_id)
            before = str((self._ledger.read(document) or {}).get("rillet_id", ""))
            found = booked[finding.rillet_ids[0]]
            if before in gone:
                self._ledger.mark_mismatch(document, deleted_in_rillet(finding.document, before))
            elif before != found.id:  # an earlier run of this step may have taken it over
                continue
            adopted = self._connection.settings.entered_again == "adopt"
            if not adopted or finding.solvimon_id in differing or document.id not in found.references:
                continue
            try:
                if before != found.id:
                    ManualResolution(self._connection).run(
                        _TYPES[finding.document], finding.solvimon_id, found.id, "Entered again in Rillet"
                    )
            except ResolutionRefused:  # it stays a finding
                continue
            if finding.document == INVOICE:
                events.append(
                    BusEvent(RILLET, INVOICE_PAYMENT_UPDATED, self._name, found.id, "", "", bulk=True)
                )
        return events

    def after_restore(
        self,
        solvimon: Sequence[SolvimonDocument],
        rillet: Sequence[RilletDocument],
        links: Mapping[str, Mapping[str, str]],
    ) -> tuple[list[SolvimonDocument], int]:
        """Write the records of documents that Rillet has and the ledger does not know as exported.

        Returns:
            Solvimon's documents with their new state, and how many documents were adopted.

        Raises:
            RetryLater: a worker holds the lease of a document.
        """
        context = ReconciliationContext("", "", links["customers"], links["subsidiaries"])
        matches, result, adopted = DocumentMatches(solvimon, rillet, context), list[SolvimonDocument](), 0
        for billed in solvimon:
            booked = matches.rillet_documents(billed.id)
            if not booked or billed.state in FINISHED:
                result.append(billed)
                continue
            state = self._adopt(billed, booked)
            adopted += 1
            result.append(
                replace(billed, state=state, rillet_id=booked[0].id, rillet_number=booked[0].number)
            )
        known = {billed.id for billed in solvimon}
        for booked_document in matches.unmatched:
            adopted += self._adopt_of_other_periods(booked_document, known)
        return result, adopted

    def record_restore(self) -> None:
        """Let exports continue: the ledger knows what Rillet has."""
        record_adoption(self._connection)

    def _adopt_of_other_periods(self, booked: RilletDocument, known: set[str]) -> int:
        """Adopt a document that refers to one of Solvimon outside of the period."""
        adopted = 0
        for identifier in booked.references:
            if identifier in known or not (is_id(identifier) and identifier.startswith("invo_")):
                continue
            record = self._ledger.read(Document(self._name, booked.kind, identifier)) or {}
            if record.get("state") not in FINISHED:
                known.add(identifier)
                totals = {name: getattr(booked, name) for name in ("net", "tax", "gross", "currency")}
                self._adopt(SolvimonDocument(booked.kind, identifier, day=booked.day, **totals), [booked])
                adopted += 1
        return adopted

    def _adopt(self, billed: SolvimonDocument, booked: Sequence[RilletDocument]) -> str:
        """Write the record of a document and its links, and return its state."""
        document, first = Document(self._name, billed.kind, billed.id), booked[0]
        state, facts = self._facts(billed, booked)
        # The link comes first: without a record it has no effect; a record without its link misses payments.
        self._ledger.store_link(self._name, f"rillet-{billed.kind}", first.id, {"solvimon_id": billed.id})
        self._ledger.resolve_manually(document, state, facts)
        for invoice_id, amount in first.applied.items():
            link = self._ledger.find_link(self._name, f"rillet-{INVOICE}", invoice_id)
            if link:
                original = Document(self._name, INVOICE, str(link["solvimon_id"]))
                self._ledger.add_facts(original, {f"{CREDIT_PREFIX}{first.id}": amount})
        return state

    def _facts(
        self, billed: SolvimonDocument, booked: Sequence[RilletDocument]
    ) -> tuple[str, dict[str, Any]]:
        first = booked[0]
        totals = {name: getattr(billed, name) or getattr(first, name) for name in ("net", "tax", "gross")}
        facts: dict[str, Any] = {
            "rillet_id": first.id,
            "rillet_number": first.number,
            "totals": {**totals, "currency": billed.currency or first.currency},
            "number": billed.number or first.number,
            "amount": totals["gross"],
            "currency": billed.currency or first.currency,
            "dated": billed.day,
            "customer_id": first.customer_id,
            "subsidiary_id": first.subsidiary_id,
            "billing_entity_id": billed.biller_id,
            "booked_on": first.day,
            "months": first.months,
            "exported_at": int(self._connection.clock()),
            "note": _NOTE,
            "warnings": [],
        }
        facts = {name: value for name, value in facts.items() if value != ""}
        if billed.kind == INVOICE:
            facts |= {"open_amount": first.open, "scope": str(self._connection.settings.invoice_scope)}
        else:
            applied = sum(map(Decimal, first.applied.values()), Decimal())
            facts |= {"applied": f"{applied:f}", "unapplied": first.open, "applied_to": [*first.applied]}
        if len(booked) > 1:
            ids = ", ".join(each.id for each in booked)
            why = NeedsAttention(
                Code.EXPORTED_TWICE,
                f"Rillet has {len(booked)} documents for it: {ids}.",
                f"Delete all but {first.id} in Rillet.",
            )
        elif (Decimal(first.gross), first.currency) != (Decimal(totals["gross"]), facts["currency"]):
            why = NeedsAttention(
                Code.TOTAL_DIFFERS,
                f"Rillet has {first.gross} {first.currency} instead of "
                f"{totals['gross']} {facts['currency']}.",
                "Correct it in Rillet by hand, or credit it in Solvimon and bill it again.",
            )
        elif billed.kind == CREDIT_MEMO and billed.credits and not first.applied:
            # Its application was lost or never done; the next run of its export applies it.
            return "sending", {**facts, "step": MEMO_STEP}
        else:
            return "exported", {**facts, "step": "applied"} if billed.kind == CREDIT_MEMO else facts
        cause = {"code": why.code.value, "message": why.message, "remedy": why.remedy}
        return "differs", {**facts, **cause}
