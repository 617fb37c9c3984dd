"""What both exports do before anything is sent, in a run and in a dry run."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, Skip
from solvimon_rillet.events import is_id
from solvimon_rillet.ledger.ledger import FINISHED, Claim, Document
from solvimon_rillet.mapping.document_fields import MappedDocument, document_day
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.link_resolver import ResolvedLinks
from solvimon_rillet.workflows.outcome import Result, error_fields


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
        """What a person should know of it, although it can be sent."""
        return [*self.resolved.warnings, *self.mapped.warnings]


class WrongDocumentType(Exception):
    """The document is of another workflow; the text says which."""


def check_id(document_id: str) -> None:
    """Raise ``NeedsAttention`` for a text that cannot be a Solvimon id."""
    if not is_id(document_id):
        raise NeedsAttention(
            Code.INVOICE_NOT_FOUND,
            f"{document_id[:64]!r} is not a Solvimon id.",
            "Give an id such as invo_AbC123; the Desk shows it in the invoice's address.",
        )


def read_document(connection: Connection, claim: Claim) -> Invoice:
    """The document as it is in Solvimon now; its record keeps number, amount and day from here on."""
    document = connection.solvimon.invoice(claim.document.id)
    claim.about.update(document_facts(document, connection.settings))
    return document


def document_facts(document: Invoice, settings: Settings) -> dict[str, str]:
    """A document's number, gross amount, currency and day, as far as Solvimon says them."""
    total, facts = document.invoice_amount_including_tax, dict[str, str]()
    if document.invoice_number:
        facts["number"] = document.invoice_number
    if total and document.currency:
        facts |= {"amount": money.plain(total.quantity), "currency": document.currency}
    with contextlib.suppress(NeedsAttention):  # a time zone that nobody knows is reported later
        if dated := document_day(document, settings):
            facts["dated"] = dated.isoformat()
    return facts


def already_done(claim: Claim) -> Result:
    """The result for a document that is in Rillet already, or was settled by a person."""
    names = ("rillet_id", "rillet_number", "totals", "warnings", "code", "message", "remedy", "reason")
    facts = {name: claim.record[name] for name in names if name in claim.record}
    return Result(claim.document.id, "already_exported" if claim.state == "exported" else claim.state, facts)


def dry_run(
    connection: Connection,
    document: Document,
    prepare: Callable[[Invoice, Mapping[str, Any]], Prepared],
    more: Callable[[Prepared], Mapping[str, Any]],
) -> Result:
    """What a run would send for a document, and why; writes nothing anywhere.

    Args:
        connection: of the document.
        document: what is asked for.
        prepare: prepares it, with its ledger record.
        more: facts to show beside the payload.
    """
    recorded: dict[str, Any] = {}
    try:
        check_id(document.id)
        recorded = _ledger_state(connection, document)
        prepared = prepare(connection.solvimon.invoice(document.id), recorded)
    except WrongDocumentType as other:
        return Result(document.id, "not_ours", {"reason": str(other)})
    except NeedsAttention as why:
        return Result(document.id, "would_reject", {**recorded, **error_fields(why)})
    except Skip as why:
        return Result(document.id, "would_skip", {**recorded, "reason": why.reason})
    done = recorded.get("state_now") in FINISHED
    facts = {
        "payload": prepared.mapped.payload,
        "tie_out": prepared.mapped.totals.as_text(),
        "warnings": prepared.warnings,
        "came_from": prepared.mapped.origins,
        **more(prepared),
    }
    return Result(document.id, "already_exported" if done else "would_export", {**recorded, **facts})


def _ledger_state(connection: Connection, document: Document) -> dict[str, Any]:
    """What the ledger says of a document, for a dry run."""
    record = connection.ledger.read(document) or {}
    facts: dict[str, Any] = {n: record[n] for n in ("rillet_id", "rillet_number") if n in record}
    return {"state_now": record["state"], **facts} if "state" in record else {}
