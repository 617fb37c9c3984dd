"""Which of Rillet's documents belong to which of Solvimon's, and what is open on them. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, INVOICE, RilletDocument, SolvimonDocument

NOTHING = Decimal()


@dataclass(frozen=True, slots=True)
class ReconciliationContext:
    """What is known besides the documents.

    Attributes:
        first: first day of the period (YYYY-MM-DD).
        last: last day of the period.
        customers: Rillet's customer by Solvimon's.
        subsidiaries: Rillet's subsidiary by Solvimon's billing entity.
        ours: Solvimon ids that the ledger has as booked in this period.
        gone: Rillet ids that Rillet was asked for and does not have.
        unreadable: Rillet ids of documents whose form is another one than Rillet's document says.
        compare_payments: whether Solvimon is to know what is paid.
    """

    first: str
    last: str
    customers: Mapping[str, str] = field(default_factory=dict)
    subsidiaries: Mapping[str, str] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    compare_payments: bool = True


class DocumentMatches:
    """Both sides' documents, put together.

    Args:
        billed: Solvimon's documents.
        booked: Rillet's documents.

    Attributes:
        strangers: Rillet's documents without a partner.
    """

    def __init__(self, billed: Sequence[SolvimonDocument], booked: Sequence[RilletDocument]) -> None:
        by_id = {one.id: one for one in booked}
        self._of: defaultdict[str, list[RilletDocument]] = defaultdict(list)
        self._holders: dict[str, str] = {}
        self._by_reference(billed, by_id)
        self._by_ledger(billed, by_id)
        for one in billed:  # the one that we booked ourselves first
            self._of[one.id].sort(key=lambda there, ours=one.rillet_id: there.id != ours)  # type: ignore[misc]
        self._referred: defaultdict[str, list[RilletDocument]] = defaultdict(list)
        for there in by_id.values():
            for identifier in dict.fromkeys(there.references):
                self._referred[identifier].append(there)
        self.strangers = [one for one in by_id.values() if one.id not in self._holders]
        self._applied: defaultdict[str, Decimal] = defaultdict(Decimal)
        for memo in by_id.values():
            for invoice_id, amount in memo.applied.items():
                self._applied[invoice_id] += Decimal(amount)
        self._notes: defaultdict[str, list[SolvimonDocument]] = defaultdict(list)
        for one in billed:
            for identifier in one.credits:
                self._notes[identifier].append(one)

    def of(self, solvimon_id: str) -> list[RilletDocument]:
        """Rillet's documents for one of Solvimon's, the one that we booked first."""
        return self._of.get(solvimon_id, [])

    def holder_of(self, rillet_id: str) -> str:
        """The Solvimon document to which a document of Rillet belongs; empty if there is none."""
        return self._holders.get(rillet_id, "")

    def originals(self, note: SolvimonDocument) -> list[RilletDocument]:
        """The invoices in Rillet that a credit note credits, also those from before the period."""
        found = [
            self.of(identifier)[:1] or self._referred.get(identifier, [])[:1] for identifier in note.credits
        ]
        return [one for these in found for one in these if one.kind == INVOICE]

    def credit_unknown(self, booked: RilletDocument) -> bool:
        """Whether Rillet says that an invoice is credited, and no memo that was read says how much."""
        credited = booked.status in {"CREDITED", "PARTIALLY_CREDITED"}
        return credited and not self.applied_to(booked)

    def applied_to(self, booked: RilletDocument) -> Decimal:
        """What memos take off a Rillet invoice."""
        return self._applied.get(booked.id, NOTHING)

    def credits_settled(self, billed: SolvimonDocument) -> bool:
        """Whether every credit note on an invoice is in Rillet as a memo and applied in full."""
        memos = [self.of(note.id)[:1] for note in self._notes.get(billed.id, ())]
        return all(memo and Decimal(memo[0].open) <= 0 for memo in memos)

    def open_in_solvimon(self, billed: SolvimonDocument) -> Decimal:
        """What is open by Solvimon's word: gross, less credit notes, less what is paid.

        Solvimon knows how much of an invoice is paid only where payments are recorded there; else what
        Rillet says of one that is partly paid is taken. So it is where nothing would be open: then the paid
        amount is that of a time when all was paid, before a part of it was undone.
        """
        if billed.kind == CREDIT_MEMO or billed.payment_status in {"PAID", "OVERPAID"}:
            return NOTHING
        booked, gross, paid = (
            next(iter(self.of(billed.id)), None),
            Decimal(billed.gross),
            Decimal(billed.paid),
        )
        left = max(NOTHING, gross - paid - self._credited(billed, booked))
        if billed.payment_status == "PARTIALLY_PAID" and not (paid and left):
            return Decimal(booked.open) if booked else gross
        return left

    def _credited(self, billed: SolvimonDocument, booked: RilletDocument | None) -> Decimal:
        """What is credited of an invoice: what Rillet applies, and what it does not apply yet.

        The rest of a credit note is expected on the first invoice that it credits.
        """
        off = self.applied_to(booked) if booked else NOTHING
        for note in self._notes.get(billed.id, ()):
            if note.credits[0] == billed.id:
                memo = next(iter(self.of(note.id)), None)
                off += Decimal(memo.open if memo else note.gross)
        return off

    def _by_reference(self, billed: Sequence[SolvimonDocument], booked: Mapping[str, RilletDocument]) -> None:
        kinds = {one.id: one.kind for one in billed}
        for there in booked.values():
            for identifier in dict.fromkeys(there.references):
                if kinds.get(identifier) == there.kind:
                    self._of[identifier].append(there)
                    self._holders[there.id] = identifier

    def _by_ledger(self, billed: Sequence[SolvimonDocument], booked: Mapping[str, RilletDocument]) -> None:
        """What the ledger names and what does not refer to us: settled by hand, or without its reference."""
        for one in billed:
            there = booked.get(one.rillet_id)
            if there and there.kind == one.kind and there.id not in self._holders:
                self._of[one.id].append(there)
                self._holders[there.id] = one.id
