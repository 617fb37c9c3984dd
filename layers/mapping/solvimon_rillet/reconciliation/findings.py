"""The findings of a reconciliation: each difference with its cause and its remedy."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from solvimon_rillet.reconciliation.documents import INVOICE, RilletDocument, SolvimonDocument

ABOUT_CUSTOMER = "customer"
"""What a finding is about that is no document."""


class FindingType(StrEnum):
    """Types of differences, the most severe first."""

    DOUBLED = "doubled"
    DELETED = "deleted"
    ENTERED_AGAIN = "entered_again"
    MISSING = "missing"
    REJECTED = "rejected"
    ON_ITS_WAY = "on_its_way"
    AMOUNT_DIFFERS = "amount_differs"
    CUSTOMER_DIFFERS = "customer_differs"
    SUBSIDIARY_DIFFERS = "subsidiary_differs"
    NUMBER_DIFFERS = "number_differs"
    MOVED_TO_ANOTHER_MONTH = "moved_to_another_month"
    MEMO_UNAPPLIED = "memo_unapplied"
    MEMO_REFUNDED = "memo_refunded"
    CREDITED_IN_RILLET = "credited_in_rillet"
    CREDIT_USED_ELSEWHERE = "credit_used_elsewhere"
    PAID_IN_SOLVIMON = "paid_in_solvimon"
    PAYMENT_DIFFERS = "payment_differs"
    OPEN_AMOUNT_DIFFERS = "open_amount_differs"
    NOT_IN_SOLVIMON = "not_in_solvimon"
    CUSTOMER_OUTDATED = "customer_outdated"


HEADINGS = {
    FindingType.DOUBLED: "Booked more than once in Rillet",
    FindingType.DELETED: "Deleted in Rillet",
    FindingType.ENTERED_AGAIN: "Entered by hand in Rillet, to be confirmed",
    FindingType.MISSING: "Missing in Rillet",
    FindingType.REJECTED: "Rejected: action required",
    FindingType.ON_ITS_WAY: "On the way to Rillet",
    FindingType.AMOUNT_DIFFERS: "Another amount in Rillet",
    FindingType.CUSTOMER_DIFFERS: "Another customer in Rillet",
    FindingType.SUBSIDIARY_DIFFERS: "Another subsidiary in Rillet",
    FindingType.NUMBER_DIFFERS: "Another number in Rillet",
    FindingType.MOVED_TO_ANOTHER_MONTH: "Moved to another month in Rillet",
    FindingType.MEMO_UNAPPLIED: "Credit memo not applied",
    FindingType.MEMO_REFUNDED: "Credit memo refunded, its invoice still open",
    FindingType.CREDITED_IN_RILLET: "Credited by a memo of Rillet's own",
    FindingType.CREDIT_USED_ELSEWHERE: "Credit used for another invoice",
    FindingType.PAID_IN_SOLVIMON: "Paid in Solvimon, open in Rillet",
    FindingType.PAYMENT_DIFFERS: "Another payment state in Solvimon",
    FindingType.OPEN_AMOUNT_DIFFERS: "Another open amount in Rillet",
    FindingType.NOT_IN_SOLVIMON: "In Rillet, but not final in Solvimon",
    FindingType.CUSTOMER_OUTDATED: "Customer with other data in Rillet",
}
"""Headings of the types in a report."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference.

    Attributes:
        kind: the type of difference.
        document: ``invoice``, ``credit_memo`` or ``customer``; a customer has no day and no amount.
        solvimon_id: Solvimon's id, if there is one.
        number: Solvimon's number, else Rillet's; the name of a customer.
        day: the document's date (YYYY-MM-DD).
        currency: of the amount.
        amount: gross or the difference, in major units.
        rillet_ids: ids of Rillet's documents.
        cause: what is wrong.
        remedy: what to do about it.
        code: the row of ``docs/errors.md``, for a rejected document.
        customer: the customer's name, else its id.
        effect: by how much the finding changes Rillet's gross less Solvimon's, with its sign; empty if by
            nothing.
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
    customer: str = ""
    effect: str = ""

    def as_row(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {
            "kind": self.kind.value,
            "document": self.document,
            "solvimon_id": self.solvimon_id,
            "number": self.number,
            "customer": self.customer,
            "date": self.day,
            "currency": self.currency,
            "amount": self.amount,
            "effect": self.effect,
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
    """A finding about a Solvimon document and its matches in Rillet."""
    ids = tuple(document.id for document in booked) or ((billed.rillet_id,) if billed.rillet_id else ())
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
        billed.customer or billed.customer_id,
    )


def unmatched_in_rillet(
    booked: RilletDocument,
    kind: FindingType,
    cause: str,
    remedy: str,
    solvimon_id: str = "",
    customer: str = "",
) -> Finding:
    """A finding about a Rillet document that has no match in Solvimon."""
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
        customer=customer or booked.customer_id,
    )


def resolve_event(billed: SolvimonDocument, rillet_id: str, connection: str) -> str:
    """The invocation that records a document entered by hand, for a remedy."""
    name = "invoice_id" if billed.kind == INVOICE else "credit_note_id"
    note = "Entered again in Rillet"
    event = {"connection": connection, "resolve": {name: billed.id, "rillet_id": rillet_id, "note": note}}
    return f"invoke sync_status with {json.dumps(event)}"


def display_name(document: str) -> str:
    """The name of a document type in a sentence."""
    return {INVOICE: "invoice", ABOUT_CUSTOMER: "customer"}.get(document, "credit note")


def export_event(billed: SolvimonDocument) -> str:
    """The invocation that exports a document, for a remedy."""
    function, name = (
        ("export_invoice", "invoice_ids")
        if billed.kind == INVOICE
        else ("export_credit_memo", "credit_note_ids")
    )
    return f'invoke {function} with {{"{name}": ["{billed.id}"]}}'
