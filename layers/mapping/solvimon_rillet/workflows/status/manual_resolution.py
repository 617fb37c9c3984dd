"""Manual resolution: a document was booked in Rillet by hand, or it is not for Rillet."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, RetryLater
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, INVOICE, DocumentType
from solvimon_rillet.ledger.ledger import Document
from solvimon_rillet.rillet.models import CreditMemo, Invoice
from solvimon_rillet.settings import InvoiceScope
from solvimon_rillet.workflows.export.preparation import document_facts

BookedDocument = Invoice | CreditMemo
UNBILLED = "UNBILLED"
"""Rillet's status of an invoice that is not marked as sent."""


class ResolutionRefused(Exception):
    """The ledger or Rillet contradicts the resolution; the text says why, the remedy what to do instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class ManualResolution:
    """Records manual resolutions of one connection's documents in the ledger."""

    def __init__(self, connection: Connection) -> None:
        self._name = connection.name
        self._settings = connection.settings
        self._ledger = connection.ledger
        self._solvimon = connection.solvimon
        self._rillet = connection.rillet
        self._clock = connection.clock

    def run(self, kind: DocumentType, document_id: str, rillet_id: str | None, note: str) -> dict[str, Any]:
        """Resolve a document.

        Args:
            kind: invoice or credit memo.
            document_id: Solvimon's id.
            rillet_id: the Rillet document that was booked for it; ``None`` if it is not for Rillet.
            note: who resolves it, and why.

        Raises:
            ResolutionRefused: the ledger or Rillet contradicts it.
            NeedsAttention: Solvimon or Rillet refuses to answer.
            RetryLater: a function works on the document, or a service does not answer.
        """
        document = Document(self._name, kind.name, document_id)
        record = self._ledger.read(document) or {}
        if (left := int(record.get("lease_until", 0)) - int(self._clock())) > 0:
            raise RetryLater(f"A function is working on {document_id} at this moment.", after=left)
        _check_resolvable(kind, record, rillet_id)
        about = {} if record else self._solvimon_facts(kind, document_id)
        seen, record = record, {**record, **about}
        if rillet_id is None:
            return self._not_for_rillet(kind, document, record, about, note, seen)
        return self._booked_by_hand(kind, document, record, about, rillet_id, note, seen)

    def _solvimon_facts(self, kind: DocumentType, document_id: str) -> dict[str, str]:
        """Number, amount and day from Solvimon, for a document that the ledger does not know."""
        found = self._solvimon.invoice(document_id)
        if found.is_credit_note != (kind is CREDIT_MEMO):
            right = CREDIT_MEMO if found.is_credit_note else INVOICE
            requested = "a credit note" if kind is CREDIT_MEMO else "an invoice"
            raise ResolutionRefused(
                f"{document_id} is not {requested}.",
                f"Use {right.id_name} instead.",
            )
        return document_facts(found, self._settings)

    def _not_for_rillet(
        self,
        kind: DocumentType,
        document: Document,
        record: Item,
        about: Mapping[str, str],
        note: str,
        seen: Item,
    ) -> dict[str, Any]:
        """Record that the document is not for Rillet; webhooks and sweeps then leave it alone."""
        facts: dict[str, Any] = {"reason": f"Handled by hand: {note}", "by_hand": True, "note": note}
        warnings = _open_attempt_warnings(record)
        looked_for = record.get("code") == Code.POSSIBLY_IN_RILLET  # the person found that Rillet has it not
        if record.get("attempt") and (record.get("rillet_id") or looked_for):
            # Rillet may answer the old key with the deleted document.
            facts |= {"attempt": {**record["attempt"], "open": False}, "replaced": []}
        if record.get("rillet_id"):
            facts |= {"rillet_id": "", "rillet_number": ""}  # stops the synchronisation of payments
        before = self._ledger.resolve_manually(
            document, "skipped", {**about, **facts, "applying": None, "step": ""}, seen
        )
        self._forget_link(kind, before, None)
        again = kind.invocation(self._name, document.id)
        return {
            **self._answer_head(kind, document, before),
            "state": "skipped",
            "reason": facts["reason"],
            "warnings": warnings,
            "what_now": "Webhooks and sweeps do not change this. To export it after all, invoke:",
            "undo": again,
        }

    def _booked_by_hand(
        self,
        kind: DocumentType,
        document: Document,
        record: Item,
        about: Mapping[str, str],
        rillet_id: str,
        note: str,
        seen: Item,
    ) -> dict[str, Any]:
        """Record the Rillet document that a person booked for the document."""
        found = self._find_in_rillet(kind, document, rillet_id)
        warnings = [*_total_warnings(found, record), *_open_attempt_warnings(record)]
        facts = {**_booked_facts(found), "by_hand": True, "note": note, "warnings": warnings}
        facts["exported_at"] = int(self._clock())
        facts["warnings"] = [*warnings, *self._mark_as_sent(found)]
        # The link comes first: without a record it has no effect; a record without its link misses payments.
        link = {"solvimon_id": document.id}
        self._ledger.store_link(self._name, f"rillet-{kind.name}", rillet_id, link)
        before = self._ledger.resolve_manually(document, "exported", {**about, **facts}, seen)
        self._forget_link(kind, before, rillet_id)
        shown = {name: facts[name] for name in ("rillet_id", "rillet_number", "totals", "warnings")}
        answer = {**self._answer_head(kind, document, before), "state": "exported", **shown}
        if kind is INVOICE:
            answer["what_now"] = (
                "Later payments follow automatically. For payments that Rillet has already, invoke:"
            )
            answer["payments"] = {
                "function": "mark_invoice_paid",
                "event": {"connection": self._name, "invoice_ids": [document.id]},
            }
        return answer

    def _mark_as_sent(self, found: BookedDocument) -> list[str]:
        """Mark an invoice as sent that Rillet holds as unbilled, so that Rillet does not mail it.

        Returns:
            A warning if Rillet refuses.
        """
        is_full = self._settings.mark_as_sent and self._settings.invoice_scope is InvoiceScope.FULL
        if not is_full or not isinstance(found, Invoice) or found.status != UNBILLED:
            return []
        try:
            self._rillet.mark_invoice_as_sent(found.id)
        except NeedsAttention as why:
            return [f"Rillet holds it as unbilled and may mail it; mark it as sent by hand. {why.message}"]
        return []

    def _answer_head(self, kind: DocumentType, document: Document, before: Item) -> dict[str, Any]:
        was = before.get("state", "unknown here")
        return {"connection": self._name, kind.id_name: document.id, "was": was}

    def _find_in_rillet(self, kind: DocumentType, document: Document, rillet_id: str) -> BookedDocument:
        """Rillet's document, unless it belongs to another one of Solvimon."""
        noun = "credit memo" if kind is CREDIT_MEMO else "invoice"
        found: BookedDocument | None = (
            self._rillet.credit_memo(rillet_id) if kind is CREDIT_MEMO else self._rillet.invoice(rillet_id)
        )
        if found is None:
            raise ResolutionRefused(
                f"resolve.rillet_id: Rillet has no {noun} {rillet_id}.",
                f"Give the id of the {noun}: the UUID in its address in Rillet.",
            )
        if other := self._other_owner(kind, document, found):
            raise ResolutionRefused(
                f"resolve.rillet_id: the {noun} {rillet_id} belongs to {other} already.",
                f"Give the {noun} that was booked for {document.id}, or resolve {other} first.",
            )
        return found

    def _other_owner(self, kind: DocumentType, document: Document, found: BookedDocument) -> str | None:
        """The other Solvimon document that Rillet's document belongs to, if there is one."""
        link = self._ledger.find_link(self._name, f"rillet-{kind.name}", found.id)
        if link and link["solvimon_id"] != document.id:
            owner = str(link["solvimon_id"])
            record = self._ledger.read(Document(self._name, kind.name, owner)) or {}
            if record.get("rillet_id") == found.id and record.get("state") != "skipped":
                return owner
        types = self._settings.reference_types.invoice_types
        named = [each.id for each in found.external_references if each.type in types]
        return named[0] if named and document.id not in named else None

    def _forget_link(self, kind: DocumentType, before: Item, rillet_id: str | None) -> None:
        """Forget the link of the Rillet document that was recorded before."""
        if before.get("rillet_id") and before["rillet_id"] != rillet_id:
            self._ledger.delete_link(self._name, f"rillet-{kind.name}", str(before["rillet_id"]))


def _check_resolvable(kind: DocumentType, record: Item, rillet_id: str | None) -> None:
    """Check that there is something to resolve.

    Raises:
        ResolutionRefused: this integration exported the document, and Rillet still has it as booked.
    """
    recorded_id, state = record.get("rillet_id"), record.get("state")
    if not recorded_id or record.get("by_hand") or state == "differs":
        return
    if state == "exported":
        raise ResolutionRefused(
            f"Rillet already has it as {record.get('rillet_number')} ({recorded_id}): nothing to resolve.",
            "Invoke sync_status with its id to see its history.",
        )
    if rillet_id != recorded_id:  # a memo whose applications are not done
        raise ResolutionRefused(
            f"Rillet already has {record.get('rillet_number')} ({recorded_id}) for it.",
            f"Finish it there and resolve it with this rillet_id, or invoke {kind.function} with its id.",
        )


def _booked_facts(found: BookedDocument) -> dict[str, Any]:
    """The facts of a booked document for its record, from Rillet."""
    totals = {
        name: money.format_amount(amount.amount, found.total.currency)
        for name, amount in (("net", found.net_amount), ("tax", found.taxed_amount), ("gross", found.total))
    }
    facts: dict[str, Any] = {
        "rillet_id": found.id,
        "rillet_number": found.number,
        "totals": {**totals, "currency": found.total.currency},
    }
    if isinstance(found, Invoice):
        return {**facts, "open_amount": money.format_number((found.amount_due or found.total).amount)}
    parts = {"applied": found.applied_amount, "unapplied": found.remaining_amount}
    applied = {name: money.format_amount(part.amount, part.currency) for name, part in parts.items() if part}
    return {**facts, **applied, "applied_to": [a.invoice_id for a in found.applications], "step": "applied"}


def _total_warnings(found: BookedDocument, record: Item) -> list[str]:
    """A warning if Rillet's total is not Solvimon's; credits are positive in Rillet."""
    if "amount" not in record:
        return []
    billed = abs(Decimal(record["amount"])) if isinstance(found, CreditMemo) else Decimal(record["amount"])
    if (found.total.amount, found.total.currency) == (billed, record["currency"]):
        return []
    return [
        f"Rillet has {money.format_number(found.total.amount)} {found.total.currency}, Solvimon "
        f"{money.format_number(billed)} {record['currency']}."
    ]


def _open_attempt_warnings(record: Item) -> list[str]:
    """A warning if an earlier attempt may have created the document in Rillet."""
    attempt = record.get("attempt") or {}
    if not attempt.get("open") or record.get("rillet_id"):
        return []
    return [
        "An earlier answer from Rillet was lost. Check in Rillet whether it has the document a second time."
    ]
