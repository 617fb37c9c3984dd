"""Comparing what Rillet has with what was sent."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.ledger.ledger import Claim, Ledger
from solvimon_rillet.rillet.models import Money

DELETED_LINK = "gone-"
"""Links of Rillet documents that were deleted before anybody knew them as ours, by kind."""


class CreatedDocument(Protocol):
    """A document in Rillet's books: an invoice or a credit memo."""

    @property
    def id(self) -> str:
        """Rillet's id."""

    @property
    def number(self) -> str:
        """Rillet's number."""

    @property
    def net_amount(self) -> Money:
        """Before tax."""

    @property
    def taxed_amount(self) -> Money:
        """The tax."""

    @property
    def total(self) -> Money:
        """Gross."""

    def refers_to(self, identifier: str) -> bool:
        """Whether one of its external references has this id."""


def outcome_facts(
    document_id: str, found: Sequence[CreatedDocument], totals: Mapping[str, str], warnings: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """The state of a document that Rillet has, and the facts to record and tell.

    Args:
        document_id: Solvimon's id.
        found: Rillet's documents for it, oldest first; more than one is a double booking.
        totals: net, tax, gross and currency that were sent.
        warnings: what the mapping had to say.

    Returns:
        ``exported``, or ``differs`` with code, message and remedy.
    """
    first = found[0]
    notes = list(warnings)
    if not first.refers_to(document_id):
        notes.append(
            "Rillet did not keep our external reference; add the reference type in Rillet (Settings → "
            "External References), or later look-ups cannot find it."
        )
    facts: dict[str, Any] = {
        "rillet_id": first.id,
        "rillet_number": first.number,
        "totals": dict(totals),
        "warnings": notes,
    }
    if len(found) > 1:
        ids = ", ".join(booked.id for booked in found)
        return "differs", facts | {
            "code": Code.EXPORTED_TWICE.value,
            "message": f"Rillet has {len(found)} documents for it: {ids}.",
            "remedy": f"Delete all but {first.id} in Rillet.",
        }
    if said := total_mismatch(first, totals):
        return "differs", facts | {
            "code": Code.TOTAL_DIFFERS.value,
            "message": said,
            "remedy": "Correct it in Rillet by hand, and report the difference to Rillet's support.",
        }
    return "exported", facts


def deleted_in_rillet(kind: str, rillet_id: str) -> NeedsAttention:
    """The error for an ``invoice`` or ``credit_memo`` that somebody deleted in Rillet."""
    return NeedsAttention(
        Code.DELETED_IN_RILLET,
        f"The {kind.replace('_', ' ')} {rillet_id} was deleted in Rillet.",
        "If it was a mistake, book it in Rillet by hand; if not, credit the invoice in Solvimon."
        if kind == "invoice"
        else "If it was a mistake, book and apply it in Rillet by hand; if not, bill it again in Solvimon.",
    )


def deleted_meanwhile(ledger: Ledger, claim: Claim, rillet_id: str) -> NeedsAttention | None:
    """The error for a document that was deleted in Rillet while the answer to its creation was lost."""
    if claim.attempt is None:  # it was created a moment ago; nobody can have deleted it
        return None
    document = claim.document
    gone = ledger.link(document.connection, f"{DELETED_LINK}{document.kind}", rillet_id)
    return deleted_in_rillet(document.kind, rillet_id) if gone else None


def number_warning(sent: object, booked: str) -> list[str]:
    """A warning where Rillet gave a document another number than ours."""
    if not sent or sent == booked:
        return []
    return [f"Rillet numbered it {booked}; in Solvimon it is {sent}."]


def total_mismatch(booked: CreatedDocument, totals: Mapping[str, str]) -> str:
    """How Rillet's amounts differ from ours, or an empty text."""
    currency = totals["currency"]
    pairs = (("net", booked.net_amount), ("tax", booked.taxed_amount), ("gross", booked.total))
    parts = [
        f"{name} {money.plain(there.amount)} {there.currency} instead of {totals[name]} {currency}"
        for name, there in pairs
        if there.amount != Decimal(totals[name]) or there.currency != currency
    ]
    return f"Rillet booked {', '.join(parts)}." if parts else ""
