"""What a reconciliation finds: each difference with its cause and its remedy, in plain words."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from solvimon_rillet.reconciliation.documents import INVOICE, RilletDocument, SolvimonDocument


class FindingType(StrEnum):
    """Kinds of differences, the gravest first."""

    DOUBLED = "doubled"
    DELETED = "deleted"
    MISSING = "missing"
    REJECTED = "rejected"
    ON_ITS_WAY = "on_its_way"
    AMOUNT_DIFFERS = "amount_differs"
    CUSTOMER_DIFFERS = "customer_differs"
    SUBSIDIARY_DIFFERS = "subsidiary_differs"
    NUMBER_DIFFERS = "number_differs"
    MEMO_UNAPPLIED = "memo_unapplied"
    PAYMENT_DIFFERS = "payment_differs"
    OPEN_AMOUNT_DIFFERS = "open_amount_differs"
    NOT_IN_SOLVIMON = "not_in_solvimon"


HEADINGS = {
    FindingType.DOUBLED: "Booked more than once in Rillet",
    FindingType.DELETED: "Deleted in Rillet",
    FindingType.MISSING: "Missing in Rillet",
    FindingType.REJECTED: "Rejected: a person must act",
    FindingType.ON_ITS_WAY: "On the way to Rillet",
    FindingType.AMOUNT_DIFFERS: "Another amount in Rillet",
    FindingType.CUSTOMER_DIFFERS: "Another customer in Rillet",
    FindingType.SUBSIDIARY_DIFFERS: "Another subsidiary in Rillet",
    FindingType.NUMBER_DIFFERS: "Another number in Rillet",
    FindingType.MEMO_UNAPPLIED: "Credit memo not applied",
    FindingType.PAYMENT_DIFFERS: "Another payment state in Solvimon",
    FindingType.OPEN_AMOUNT_DIFFERS: "Another open amount in Rillet",
    FindingType.NOT_IN_SOLVIMON: "In Rillet, but not final in Solvimon",
}
"""How the kinds are called in a report."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference.

    Attributes:
        kind: what differs.
        document: ``invoice`` or ``credit_memo``.
        solvimon_id: Solvimon's id, if there is one.
        number: Solvimon's number, else Rillet's.
        day: the document's date (YYYY-MM-DD).
        currency: of the amount.
        amount: gross, in major units; what the difference is about.
        rillet_ids: Rillet's documents.
        cause: what is wrong.
        remedy: what to do about it.
        code: the row of ``docs/errors.md``, for what was rejected.
    """

    kind: FindingType
    document: str
    solvimon_id: str
    number: str
    day: str
    currency: str
    amount: str
    rillet_ids: tuple[str, ...]
    cause: str
    remedy: str
    code: str = ""

    def as_row(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {
            "kind": self.kind.value,
            "document": self.document,
            "solvimon_id": self.solvimon_id,
            "number": self.number,
            "date": self.day,
            "currency": self.currency,
            "amount": self.amount,
            "rillet_ids": list(self.rillet_ids),
            "cause": self.cause,
            "remedy": self.remedy,
            **({"code": self.code} if self.code else {}),
        }


def finding_for(
    billed: SolvimonDocument,
    kind: FindingType,
    cause: str,
    remedy: str,
    *booked: RilletDocument,
    code: str = "",
    amount: str = "",
) -> Finding:
    """A finding about a Solvimon document and Rillet's documents for it."""
    ids = tuple(one.id for one in booked) or ((billed.rillet_id,) if billed.rillet_id else ())
    return Finding(
        kind,
        billed.kind,
        billed.id,
        billed.number or billed.id,
        billed.day,
        billed.currency,
        amount or billed.gross,
        ids,
        cause,
        remedy,
        code,
    )


def unmatched_in_rillet(
    booked: RilletDocument, kind: FindingType, cause: str, remedy: str, solvimon_id: str = ""
) -> Finding:
    """A finding about a Rillet document that has no partner in Solvimon."""
    return Finding(
        kind,
        booked.kind,
        solvimon_id,
        booked.number,
        booked.day,
        booked.currency,
        booked.gross,
        (booked.id,),
        cause,
        remedy,
    )


def display_name(document: str) -> str:
    """What a kind of document is called in a sentence."""
    return "invoice" if document == INVOICE else "credit note"


def export_event(billed: SolvimonDocument) -> str:
    """The event that exports a document on request, for a remedy."""
    function, name = (
        ("export_invoice", "invoice_ids")
        if billed.kind == INVOICE
        else ("export_credit_memo", "credit_note_ids")
    )
    return f'invoke {function} with {{"{name}": ["{billed.id}"]}}'
