"""Which of Rillet's documents belong to which of Solvimon's, and what is open on them. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, Billed, Booked

NOTHING = Decimal()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the documents.

    Attributes:
        first: first day of the period (YYYY-MM-DD).
        last: last day of the period.
        customers: Rillet's customer by Solvimon's.
        subsidiaries: Rillet's subsidiary by Solvimon's billing entity.
        ours: Solvimon ids that the ledger has as booked in this period.
        gone: Rillet ids that Rillet was asked for and does not have.
        compare_payments: whether Solvimon is to know what is paid.
    """

    first: str
    last: str
    customers: Mapping[str, str] = field(default_factory=dict)
    subsidiaries: Mapping[str, str] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    compare_payments: bool = True


class Partners:
    """Both sides' documents, put together.

    Args:
        billed: Solvimon's documents.
        booked: Rillet's documents.

    Attributes:
        strangers: Rillet's documents without a partner.
    """

    def __init__(self, billed: Sequence[Billed], booked: Sequence[Booked]) -> None:
        by_id = {one.id: one for one in booked}
        self._of: defaultdict[str, list[Booked]] = defaultdict(list)
        taken = self._by_reference(billed, by_id) | self._by_ledger(billed, by_id)
        for one in billed:  # the one that we booked ourselves first
            self._of[one.id].sort(key=lambda there, ours=one.rillet_id: there.id != ours)  # type: ignore[misc]
        self.strangers = [one for one in by_id.values() if one.id not in taken]
        self._applied: defaultdict[str, Decimal] = defaultdict(Decimal)
        for memo in by_id.values():
            for invoice_id, amount in memo.applied.items():
                self._applied[invoice_id] += Decimal(amount)
        self._notes: defaultdict[str, list[Billed]] = defaultdict(list)
        for one in billed:
            for identifier in one.credits:
                self._notes[identifier].append(one)

    def of(self, solvimon_id: str) -> list[Booked]:
        """Rillet's documents for one of Solvimon's, the one that we booked first."""
        return self._of.get(solvimon_id, [])

    def applied_to(self, booked: Booked) -> Decimal:
        """What memos take off a Rillet invoice."""
        return self._applied.get(booked.id, NOTHING)

    def credits_settled(self, billed: Billed) -> bool:
        """Whether every credit note on an invoice is in Rillet as a memo and applied in full."""
        memos = [self.of(note.id)[:1] for note in self._notes.get(billed.id, ())]
        return all(memo and Decimal(memo[0].open) <= 0 for memo in memos)

    def open_in_solvimon(self, billed: Billed) -> Decimal:
        """What is open by Solvimon's word: gross, less credit notes, less what is paid.

        Solvimon knows how much of an invoice is paid only where payments are recorded there; else what
        Rillet says of one that is partly paid is taken.
        """
        if billed.kind == CREDIT_MEMO or billed.payment_status in {"PAID", "OVERPAID"}:
            return NOTHING
        booked, gross, paid = (
            next(iter(self.of(billed.id)), None),
            Decimal(billed.gross),
            Decimal(billed.paid),
        )
        if billed.payment_status == "PARTIALLY_PAID" and not paid:
            return Decimal(booked.open) if booked else gross
        return max(NOTHING, gross - paid - self._credited(billed, booked))

    def _credited(self, billed: Billed, booked: Booked | None) -> Decimal:
        """What is credited of an invoice: by what Rillet applies, and by notes that it does not apply."""
        off = self.applied_to(booked) if booked else NOTHING
        for note in self._notes.get(billed.id, ()):
            if not any(booked and booked.id in memo.applied for memo in self.of(note.id)):
                off += Decimal(note.gross)
        return off

    def _by_reference(self, billed: Sequence[Billed], booked: Mapping[str, Booked]) -> set[str]:
        kinds, taken = {one.id: one.kind for one in billed}, set[str]()
        for there in booked.values():
            for identifier in dict.fromkeys(there.references):
                if kinds.get(identifier) == there.kind:
                    self._of[identifier].append(there)
                    taken.add(there.id)
        return taken

    def _by_ledger(self, billed: Sequence[Billed], booked: Mapping[str, Booked]) -> set[str]:
        """What the ledger names and what does not refer to us: settled by hand, or without its reference."""
        taken = set[str]()
        for one in billed:
            there = booked.get(one.rillet_id)
            if there and there.kind == one.kind and there not in self._of[one.id]:
                self._of[one.id].append(there)
                taken.add(there.id)
        return taken
