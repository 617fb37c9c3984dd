"""The matches between Rillet's documents and Solvimon's, and their open amounts. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, INVOICE, RilletDocument, SolvimonDocument

ZERO = Decimal()


@dataclass(frozen=True, slots=True)
class ReconciliationContext:
    """The period and the facts that a comparison needs besides the documents.

    Attributes:
        first: first day of the period (YYYY-MM-DD).
        last: last day of the period.
        customers: Rillet's customer id by Solvimon's.
        subsidiaries: Rillet's subsidiary id by Solvimon's billing entity id.
        booked_ids: Solvimon ids that the ledger records as booked in this period.
        deleted_ids: Rillet ids that were looked up and do not exist in Rillet.
        unreadable_ids: Rillet ids of documents that are not as Rillet documents them.
        compare_payments: whether payments are synchronised to Solvimon.
    """

    first: str
    last: str
    customers: Mapping[str, str] = field(default_factory=dict)
    subsidiaries: Mapping[str, str] = field(default_factory=dict)
    booked_ids: frozenset[str] = frozenset()
    deleted_ids: frozenset[str] = frozenset()
    unreadable_ids: frozenset[str] = frozenset()
    compare_payments: bool = True


class DocumentMatches:
    """Both sides' documents, matched.

    Args:
        billed: Solvimon's documents.
        booked: Rillet's documents.

    Attributes:
        unmatched: Rillet's documents without a match.
    """

    def __init__(self, billed: Sequence[SolvimonDocument], booked: Sequence[RilletDocument]) -> None:
        by_id = {document.id: document for document in booked}
        self._by_solvimon_id: defaultdict[str, list[RilletDocument]] = defaultdict(list)
        self._solvimon_ids: dict[str, str] = {}
        self._match_by_reference(billed, by_id)
        self._match_by_ledger(billed, by_id)
        for document in billed:  # the one that the ledger names first
            self._by_solvimon_id[document.id].sort(
                key=lambda booked_document, ledger_id=document.rillet_id: booked_document.id != ledger_id  # type: ignore[misc]
            )
        self._by_reference: defaultdict[str, list[RilletDocument]] = defaultdict(list)
        for booked_document in by_id.values():
            for identifier in dict.fromkeys(booked_document.references):
                self._by_reference[identifier].append(booked_document)
        self.unmatched = [document for document in by_id.values() if document.id not in self._solvimon_ids]
        self._applied: defaultdict[str, Decimal] = defaultdict(Decimal)
        for memo in by_id.values():
            for invoice_id, amount in memo.applied.items():
                self._applied[invoice_id] += Decimal(amount)
        self._credit_notes: defaultdict[str, list[SolvimonDocument]] = defaultdict(list)
        for document in billed:
            for identifier in document.credits:
                self._credit_notes[identifier].append(document)

    def rillet_documents(self, solvimon_id: str) -> list[RilletDocument]:
        """Rillet's documents that match one of Solvimon's, the one that the ledger names first."""
        return self._by_solvimon_id.get(solvimon_id, [])

    def solvimon_id_of(self, rillet_id: str) -> str:
        """The Solvimon id that a document of Rillet matches; empty if there is none."""
        return self._solvimon_ids.get(rillet_id, "")

    def credited_invoices(self, credit_note: SolvimonDocument) -> list[RilletDocument]:
        """The invoices in Rillet that a credit note credits, including those from before the period."""
        found = [
            self.rillet_documents(identifier)[:1] or self._by_reference.get(identifier, [])[:1]
            for identifier in credit_note.credits
        ]
        return [document for documents in found for document in documents if document.kind == INVOICE]

    def credit_amount_unknown(self, booked: RilletDocument) -> bool:
        """Whether an invoice is credited by its status, and no memo that was read states the amount."""
        credited = booked.status in {"CREDITED", "PARTIALLY_CREDITED"}
        return credited and not self.applied_to(booked)

    def applied_to(self, booked: RilletDocument) -> Decimal:
        """The amount of memos applied to a Rillet invoice."""
        return self._applied.get(booked.id, ZERO)

    def credits_fully_applied(self, billed: SolvimonDocument) -> bool:
        """Whether every credit note on an invoice is in Rillet as a memo and applied in full."""
        memos = [
            self.rillet_documents(credit_note.id)[:1] for credit_note in self._credit_notes.get(billed.id, ())
        ]
        return all(memo and Decimal(memo[0].open) <= 0 for memo in memos)

    def open_in_solvimon(self, billed: SolvimonDocument) -> Decimal:
        """The open amount in Solvimon: gross, less credit notes, less payments.

        Solvimon knows the paid amount of an invoice only if payments are recorded there. Otherwise Rillet's
        open amount is used for one that is partly paid. It is also used if nothing would be open: then
        Solvimon's paid amount is outdated, from a time before a payment was partly undone.
        """
        if billed.kind == CREDIT_MEMO or billed.payment_status in {"PAID", "OVERPAID"}:
            return ZERO
        booked, gross, paid = (
            next(iter(self.rillet_documents(billed.id)), None),
            Decimal(billed.gross),
            Decimal(billed.paid),
        )
        balance = max(ZERO, gross - paid - self._credited(billed, booked))
        if billed.payment_status == "PARTIALLY_PAID" and not (paid and balance):
            return Decimal(booked.open) if booked else gross
        return balance

    def _credited(self, billed: SolvimonDocument, booked: RilletDocument | None) -> Decimal:
        """The credited amount of an invoice: applied in Rillet, or not applied yet.

        The unapplied part of a credit note is expected on the first invoice that it credits.
        """
        credited = self.applied_to(booked) if booked else ZERO
        for credit_note in self._credit_notes.get(billed.id, ()):
            if credit_note.credits[0] == billed.id:
                memo = next(iter(self.rillet_documents(credit_note.id)), None)
                credited += Decimal(memo.open if memo else credit_note.gross)
        return credited

    def _match_by_reference(
        self, billed: Sequence[SolvimonDocument], booked: Mapping[str, RilletDocument]
    ) -> None:
        kinds = {document.id: document.kind for document in billed}
        for booked_document in booked.values():
            for identifier in dict.fromkeys(booked_document.references):
                if kinds.get(identifier) == booked_document.kind:
                    self._by_solvimon_id[identifier].append(booked_document)
                    self._solvimon_ids[booked_document.id] = identifier

    def _match_by_ledger(
        self, billed: Sequence[SolvimonDocument], booked: Mapping[str, RilletDocument]
    ) -> None:
        """Match documents without a reference to Solvimon, such as manual resolutions, by the ledger."""
        for document in billed:
            match = booked.get(document.rillet_id)
            if match and match.kind == document.kind and match.id not in self._solvimon_ids:
                self._by_solvimon_id[document.id].append(match)
                self._solvimon_ids[match.id] = document.id
