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
        mark_credits: whether a credit that only Rillet has counts as paid in Solvimon.
        known_memos: Rillet ids of the memos that the ledger records, whatever their date.
        connection: its name, for remedies.
    """

    first: str
    last: str
    customers: Mapping[str, str] = field(default_factory=dict)
    subsidiaries: Mapping[str, str] = field(default_factory=dict)
    booked_ids: frozenset[str] = frozenset()
    deleted_ids: frozenset[str] = frozenset()
    unreadable_ids: frozenset[str] = frozenset()
    compare_payments: bool = True
    mark_credits: bool = False
    known_memos: frozenset[str] = frozenset()
    connection: str = "default"


@dataclass(slots=True)
class CreditsOfInvoice:
    """The memos that are applied to an invoice in Rillet without a credit note of Solvimon for it.

    Attributes:
        own: amount and number of each memo that Rillet has of its own, such as for a bad debt.
        used: amount and number of each memo of ours that credits another invoice.
    """

    own: list[tuple[Decimal, str]] = field(default_factory=list)
    used: list[tuple[Decimal, str]] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """The sum of both."""
        return sum((amount for amount, _ in (*self.own, *self.used)), ZERO)


class DocumentMatches:
    """Both sides' documents, matched.

    A match is found by our reference, else by the ledger, else by number, amount, customer and subsidiary. A
    number alone is no identity: another customer or subsidiary may have the same.

    Args:
        billed: Solvimon's documents.
        booked: Rillet's documents.
        context: the links, and the memos that the ledger records.

    Attributes:
        unmatched: Rillet's documents without a match.
    """

    def __init__(
        self,
        billed: Sequence[SolvimonDocument],
        booked: Sequence[RilletDocument],
        context: ReconciliationContext,
    ) -> None:
        by_id = {document.id: document for document in booked}
        self._context = context
        self._by_solvimon_id: defaultdict[str, list[RilletDocument]] = defaultdict(list)
        self._solvimon_ids: dict[str, str] = {}
        self._match_by_reference(billed, by_id)
        self._match_by_ledger(billed, by_id)
        self._match_by_number(billed, by_id)
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
        self._credits = self._credits_without_note({document.id: document for document in billed}, by_id)

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

    def credits_without_note(self, booked: RilletDocument) -> CreditsOfInvoice:
        """The credits of a Rillet invoice for which Solvimon has no credit note on it."""
        return self._credits.get(booked.id, CreditsOfInvoice())

    def is_in_ledger(self, billed: SolvimonDocument) -> bool:
        """Whether the document that the ledger names is among Rillet's."""
        return any(booked.id == billed.rillet_id for booked in self.rillet_documents(billed.id))

    def credits_fully_applied(self, billed: SolvimonDocument) -> bool:
        """Whether every credit note on an invoice is in Rillet as a memo and applied in full."""
        memos = [
            self.rillet_documents(credit_note.id)[:1] for credit_note in self._credit_notes.get(billed.id, ())
        ]
        return all(memo and Decimal(memo[0].open) <= 0 for memo in memos)

    def open_in_solvimon(self, billed: SolvimonDocument) -> Decimal:
        """The open amount in Solvimon, by its own credit notes and payments only."""
        if billed.kind == CREDIT_MEMO or billed.payment_status in {"PAID", "OVERPAID"}:
            return ZERO
        booked = next(iter(self.rillet_documents(billed.id)), None)
        credited = self._credited_in_solvimon(billed, booked)
        balance = Decimal(billed.gross) - Decimal(billed.paid) - credited
        if billed.payment_status == "PARTIALLY_PAID" and not (Decimal(billed.paid) and balance > 0):
            applied = self.applied_to(booked) if booked else ZERO
            balance = Decimal(booked.open if booked else billed.gross) + applied - credited
        return max(ZERO, balance)

    def expected_open(self, billed: SolvimonDocument) -> Decimal:
        """The open amount that Rillet should have: gross, less what is credited there, less payments.

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

    def _credited_in_solvimon(self, billed: SolvimonDocument, booked: RilletDocument | None) -> Decimal:
        """The amount of Solvimon's credit notes on an invoice, wherever their memos are applied.

        Of a credit note on several invoices, Rillet's applications say which part is for which. The notes of
        other periods count by what their memos take off.
        """
        notes = self._credit_notes.get(billed.id, ())
        credited, memos = ZERO, set[str]()
        for credit_note in notes:
            memo = next(iter(self.rillet_documents(credit_note.id)), None)
            memos |= {memo.id} if memo else set()
            if len(credit_note.credits) == 1 or memo is None:
                credited += Decimal(credit_note.gross) if credit_note.credits[0] == billed.id else ZERO
                continue
            credited += Decimal(memo.applied.get(booked.id, "0")) if booked else ZERO
            credited += Decimal(memo.open) if credit_note.credits[0] == billed.id else ZERO
        if booked is None:
            return credited
        by_notes = sum((Decimal(m.applied.get(booked.id, "0")) for m in self._memos if m.id in memos), ZERO)
        return credited + self.applied_to(booked) - by_notes - self.credits_without_note(booked).total

    def _credits_without_note(
        self, billed: Mapping[str, SolvimonDocument], booked: Mapping[str, RilletDocument]
    ) -> dict[str, CreditsOfInvoice]:
        """By Rillet invoice, the credits for which Solvimon has no credit note on it."""
        self._memos = [document for document in booked.values() if document.kind == CREDIT_MEMO]
        found: defaultdict[str, CreditsOfInvoice] = defaultdict(CreditsOfInvoice)
        for memo in self._memos:
            credit_note = billed.get(self.solvimon_id_of(memo.id))
            for invoice_id, amount in memo.applied.items():
                solvimon_id = self.solvimon_id_of(invoice_id)
                entry = (Decimal(amount), memo.number)
                if credit_note is None and not self._is_ours(memo):
                    found[invoice_id].own.append(entry)
                elif credit_note and solvimon_id and not {solvimon_id, invoice_id} & {*credit_note.credits}:
                    found[invoice_id].used.append(entry)
        return dict(found)

    def _is_ours(self, memo: RilletDocument) -> bool:
        """Whether a memo of another period was booked for a credit note of Solvimon."""
        known = memo.id in self._context.known_memos
        return known or any(reference.startswith("invo_") for reference in memo.references)

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

    def _match_by_number(
        self, billed: Sequence[SolvimonDocument], booked: Mapping[str, RilletDocument]
    ) -> None:
        """Match what a person entered without our reference, for documents that have no other match."""
        unmatched: dict[tuple[str, str, str, Decimal], list[RilletDocument]] = {}
        for document in booked.values():
            if document.number and document.id not in self._solvimon_ids:
                unmatched.setdefault(match_key(document), []).append(document)
        for ours in billed if unmatched else ():
            if self._by_solvimon_id.get(ours.id) or not ours.number or ours.not_for_rillet:
                continue
            customer = self._context.customers.get(ours.customer_id, "")
            subsidiary = self._context.subsidiaries.get(ours.biller_id, "")
            for theirs in unmatched.get(match_key(ours), ()):
                if theirs.id not in self._solvimon_ids and is_same_party(theirs, customer, subsidiary):
                    self._by_solvimon_id[ours.id].append(theirs)
                    self._solvimon_ids[theirs.id] = ours.id
                    break


def match_key(document: SolvimonDocument | RilletDocument) -> tuple[str, str, str, Decimal]:
    """The attributes by which two documents of one customer look like the same sale."""
    return document.kind, document.number, document.currency, Decimal(document.gross)


def is_same_party(booked: RilletDocument, customer_id: str, subsidiary_id: str) -> bool:
    """Whether a document of Rillet is of a customer and in a subsidiary, as far as both are known."""
    pairs = ((booked.customer_id, customer_id), (booked.subsidiary_id, subsidiary_id))
    known = [(one, other) for one, other in pairs if one and other]
    return bool(known) and all(one == other for one, other in known)
