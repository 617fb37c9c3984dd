"""The steps of both exports before anything is sent, and their dry run."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, Skip
from solvimon_rillet.events import is_id
from solvimon_rillet.ledger.ledger import FINISHED, Claim, Document
from solvimon_rillet.mapping.document_fields import MappedDocument, document_day
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.customer_links import ResolvedLinks
from solvimon_rillet.workflows.outcome import Result, error_fields

FINAL = "FINAL"
DRAFT_STATUSES = ("OPEN", "DRAFT")
NUMBER_TO_COME = "(number follows)"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that can be sent.

    Attributes:
        document: as Solvimon has it now.
        resolved: the Rillet records that it needs.
        mapped: the payload and its totals.
    """

    document: Invoice
    resolved: ResolvedLinks
    mapped: MappedDocument

    @property
    def warnings(self) -> list[str]:
        """Warnings for a person; none of them prevents the export."""
        return [*self.resolved.warnings, *self.mapped.warnings]


class WrongDocumentType(Exception):
    """The other export handles this document; the text says which type it has."""


def check_id(document_id: str) -> None:
    """Raise ``NeedsAttention`` for a text that cannot be a Solvimon id."""
    if not is_id(document_id):
        raise NeedsAttention(
            Code.INVOICE_NOT_FOUND,
            "This is not a Solvimon id.",
            "Give an id such as invo_AbC123; the Desk shows it in the invoice's address.",
            quoted=repr(document_id[:64]),
        )


def read_document(connection: Connection, claim: Claim) -> Invoice:
    """Read the document from Solvimon; its record keeps number, amount and day from now on."""
    document = connection.solvimon.invoice(claim.document.id)
    claim.document_facts.update(document_facts(document, connection.settings))
    claim.source["document"] = document
    return document


def document_facts(document: Invoice, settings: Settings) -> dict[str, str]:
    """A document's number, customer, billing entity, amount and day, as far as Solvimon states them."""
    total, facts = document.invoice_amount_including_tax, dict[str, str]()
    if document.invoice_number:
        facts["number"] = document.invoice_number
    if document.customer and document.customer.name:
        facts["customer"] = document.customer.name
    if document.payer_id:
        facts["payer_id"] = document.payer_id
    if document.biller_id:
        facts["billing_entity_id"] = document.biller_id
    if total and document.currency:
        facts |= {"amount": money.format_number(total.quantity), "currency": document.currency}
    with contextlib.suppress(NeedsAttention):  # the mapping reports an unknown time zone
        if dated := document_day(document, settings):
            facts["dated"] = dated.isoformat()
    return facts


def dry_run(
    connection: Connection,
    document: Document,
    prepare: Callable[[Invoice, Mapping[str, Any]], Prepared],
    extra_facts: Callable[[Prepared], Mapping[str, Any]],
) -> Result:
    """The payload that a run would send for a document, and its origins; writes nothing anywhere.

    A draft is answered as if it were finalised now.

    Args:
        connection: of the document.
        document: names the document.
        prepare: prepares the document, given its ledger record.
        extra_facts: facts to show beside the payload.
    """
    ledger_state: dict[str, Any] = {}
    try:
        check_id(document.id)
        ledger_state = _ledger_state(connection, document)
        found = connection.solvimon.invoice(document.id)
        if found.status in DRAFT_STATUSES:
            ledger_state |= _draft_facts(found)
            found = _as_finalised(found, connection.clock())
        prepared = prepare(found, ledger_state)
    except WrongDocumentType as other:
        return Result(document.id, "not_ours", {"reason": str(other)})
    except NeedsAttention as why:
        return Result(document.id, "would_reject", {**ledger_state, **error_fields(why)})
    except Skip as why:
        return Result(document.id, "would_skip", {**ledger_state, "reason": why.reason})
    done = ledger_state.get("state_now") in FINISHED
    facts = {
        "payload": prepared.mapped.payload,
        "tie_out": prepared.mapped.totals.as_text(),
        "warnings": [*prepared.warnings, *ledger_state.get("draft", {}).get("open", ())],
        "came_from": prepared.mapped.origins,
        "explanation": prepared.mapped.explanation,
        **extra_facts(prepared),
    }
    return Result(document.id, "already_exported" if done else "would_export", {**ledger_state, **facts})


def _as_finalised(draft: Invoice, now: float) -> Invoice:
    """A draft as it would be if it were finalised now."""
    changes = {
        "status": FINAL,
        "invoice_number": draft.invoice_number or NUMBER_TO_COME,
        "invoice_date": draft.invoice_date or datetime.fromtimestamp(now, UTC),
    }
    return draft.model_copy(update=changes)


def _draft_facts(draft: Invoice) -> dict[str, Any]:
    """The facts of a draft in an answer: its status, and what finalising it may still change."""
    open_facts = []
    if not draft.invoice_number:
        open_facts.append("Solvimon gives it its number when it is finalised.")
    if not draft.invoice_date:
        open_facts.append("It has no date yet; it is taken as dated today.")
    words = "This is what would be sent if it were finalised now; nothing is sent before that."
    return {"draft": {"status": draft.status, "in_words": words, "open": open_facts}}


def _ledger_state(connection: Connection, document: Document) -> dict[str, Any]:
    """The state and the Rillet id of a document in the ledger, for a dry run."""
    record = connection.ledger.read(document) or {}
    facts: dict[str, Any] = {n: record[n] for n in ("rillet_id", "rillet_number") if n in record}
    return {"state_now": record["state"], **facts} if "state" in record else {}
