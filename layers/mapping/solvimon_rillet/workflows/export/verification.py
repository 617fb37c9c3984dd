"""Compare the document that Rillet booked with the one that was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.ledger.ledger import Claim, Ledger
from solvimon_rillet.rillet.models import ExternalReference, Money, revenue_months
from solvimon_rillet.workflows.outcome import error_fields

DELETED_LINK = "gone-"
"""Prefix of the links that mark Rillet documents deleted before an export recorded them."""


class CreatedDocument(Protocol):
    """A document in Rillet's books: an invoice or a credit memo."""

    @property
    def id(self) -> str:
        """Rillet's id."""

    @property
    def number(self) -> str:
        """Rillet's number."""

    @property
    def day(self) -> str:
        """Its date (YYYY-MM-DD), or an empty text."""

    @property
    def customer_id(self) -> str | None:
        """Rillet's customer."""

    @property
    def external_references(self) -> list[ExternalReference]:
        """Its ids in other systems."""

    @property
    def net_amount(self) -> Money:
        """Before tax."""

    @property
    def taxed_amount(self) -> Money:
        """The tax."""

    @property
    def total(self) -> Money:
        """Gross."""

    @property
    def subsidiary_id(self) -> str | None:
        """Rillet's subsidiary."""

    @property
    def items(self) -> list[Any]:
        """Its lines, as JSON."""

    def refers_to(self, identifier: str) -> bool:
        """Whether one of its external references has this id."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A document that was sent, as Rillet has it.

    Attributes:
        documents: Rillet's documents for it, oldest first; more than one is a double booking.
        totals: net, tax, gross and currency that were sent, as texts.
        notes: how they were found, for a person.
    """

    documents: Sequence[CreatedDocument]
    totals: Mapping[str, str]
    notes: Sequence[str] = ()


def verify_totals(
    ledger: Ledger, claim: Claim, sent: Sent, warnings: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """Compare Rillet's document with what was sent, and remember which Solvimon document it belongs to.

    Returns:
        ``exported`` with the facts to record, or ``differs`` with code, message and remedy as well.
    """
    document, rillet_id = claim.document, sent.documents[0].id
    state, facts = outcome_facts(document.id, sent.documents, sent.totals, [*warnings, *sent.notes])
    ledger.store_link(document.connection, f"rillet-{document.kind}", rillet_id, {"solvimon_id": document.id})
    if why := deleted_meanwhile(ledger, claim, rillet_id):
        return "differs", {**facts, **error_fields(why)}
    return state, facts


def booked_facts(booked: CreatedDocument) -> dict[str, str]:
    """The facts of a booked document for later work: customer, subsidiary, day, and its lines' months."""
    facts = {
        "customer_id": booked.customer_id,
        "subsidiary_id": booked.subsidiary_id,
        "booked_on": booked.day,
        "months": revenue_months(booked.items),
    }
    return {name: value for name, value in facts.items() if value}


def outcome_facts(
    document_id: str, found: Sequence[CreatedDocument], totals: Mapping[str, str], warnings: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """The state of a document that Rillet has, and the facts to record and to answer.

    Args:
        document_id: Solvimon's id.
        found: Rillet's documents for it, oldest first; more than one is a double booking.
        totals: net, tax, gross and currency that were sent.
        warnings: warnings of the mapping.

    Returns:
        ``exported``, or ``differs`` with code, message and remedy.
    """
    first = found[0]
    notes = list(warnings)
    if not first.refers_to(document_id):
        notes.append(
            "Rillet did not keep our external reference. Add the reference type in Rillet (Settings → "
            "External References); without it, a look-up finds the document only by number, date and amount."
        )
    facts: dict[str, Any] = {
        "rillet_id": first.id,
        "rillet_number": first.number,
        "totals": dict(totals),
        "warnings": notes,
    }
    if len(found) > 1:
        return "differs", facts | error_fields(exported_twice([booked.id for booked in found]))
    if mismatch := total_mismatch(first, totals):
        return "differs", facts | {
            "code": Code.TOTAL_DIFFERS.value,
            "message": mismatch,
            "remedy": "Correct it in Rillet by hand, and report the difference to Rillet's support.",
        }
    return "exported", facts


def exported_twice(rillet_ids: Sequence[str]) -> NeedsAttention:
    """The error for a document that Rillet has several times; the first id is the one that counts."""
    return NeedsAttention(
        Code.EXPORTED_TWICE,
        f"Rillet has {len(rillet_ids)} documents for it: {', '.join(rillet_ids)}.",
        f"Delete all but {rillet_ids[0]} in Rillet.",
    )


def deleted_in_rillet(kind: str, rillet_id: str) -> NeedsAttention:
    """The error for an ``invoice`` or ``credit_memo`` that was deleted in Rillet."""
    return NeedsAttention(
        Code.DELETED_IN_RILLET,
        f"The {kind.replace('_', ' ')} {rillet_id} was deleted in Rillet.",
        "If it was a mistake, book it in Rillet by hand; if not, credit the invoice in Solvimon."
        if kind == "invoice"
        else "If it was a mistake, book and apply it in Rillet by hand; if not, bill it again in Solvimon.",
    )


def deleted_meanwhile(ledger: Ledger, claim: Claim, rillet_id: str) -> NeedsAttention | None:
    """The error for a document that was deleted in Rillet while the answer to its creation was lost."""
    if claim.attempt is None:  # this run has just created it; it cannot be deleted yet
        return None
    document = claim.document
    deletion = ledger.find_link(document.connection, f"{DELETED_LINK}{document.kind}", rillet_id)
    return deleted_in_rillet(document.kind, rillet_id) if deletion else None


def number_warning(sent: object, booked: str) -> list[str]:
    """A warning if Rillet gave a document another number than the one that was sent."""
    if not sent or sent == booked:
        return []
    return [f"Rillet gave it the number {booked}; its number in Solvimon is {sent}."]


def total_mismatch(booked: CreatedDocument, totals: Mapping[str, str]) -> str:
    """The difference between the amounts in Rillet and those that were sent; empty if there is none."""
    currency = totals["currency"]
    pairs = (("net", booked.net_amount), ("tax", booked.taxed_amount), ("gross", booked.total))
    parts = [
        f"{name} {money.format_number(amount.amount)} {amount.currency} instead of {totals[name]} {currency}"
        for name, amount in pairs
        if amount.amount != Decimal(totals[name]) or amount.currency != currency
    ]
    return f"Rillet booked {', '.join(parts)}." if parts else ""
