"""A person says what became of a document: it was booked in Rillet by hand, or it is not for Rillet."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, INVOICE, DocumentType
from solvimon_rillet.ledger.ledger import Document
from solvimon_rillet.rillet.models import CreditMemo, Invoice
from solvimon_rillet.workflows.export.preparation import document_facts

BookedDocument = Invoice | CreditMemo


class ResolutionRefused(Exception):
    """What was said cannot be; the text says why, the remedy what to do instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class ManualResolution:
    """Writes a person's word about one connection's documents into the ledger."""

    def __init__(self, connection: Connection) -> None:
        self._name = connection.name
        self._settings = connection.settings
        self._ledger = connection.ledger
        self._solvimon = connection.solvimon
        self._rillet = connection.rillet
        self._clock = connection.clock

    def run(self, kind: DocumentType, document_id: str, rillet_id: str | None, note: str) -> dict[str, Any]:
        """Settle a document.

        Args:
            kind: invoice or credit memo.
            document_id: Solvimon's id.
            rillet_id: Rillet's document that it was booked as; ``None`` if it is not for Rillet.
            note: who says so, and why.

        Raises:
            Refused: it cannot be so.
            NeedsAttention: Solvimon or Rillet refuses to tell.
            RetryLater: a worker is at it, or a service does not answer.
        """
        document = Document(self._name, kind.name, document_id)
        record = self._ledger.read(document) or {}
        if (left := int(record.get("lease_until", 0)) - int(self._clock())) > 0:
            raise RetryLater(f"{document_id} is being worked on at this moment.", after=left)
        _check_resolvable(kind, record, rillet_id)
        about = {} if record else self._solvimon_facts(kind, document_id)
        if rillet_id is None:
            return self._not_for_rillet(kind, document, {**record, **about}, about, note)
        return self._booked_by_hand(kind, document, {**record, **about}, about, rillet_id, note)

    def _solvimon_facts(self, kind: DocumentType, document_id: str) -> dict[str, str]:
        """What Solvimon says of a document that the ledger has not seen."""
        found = self._solvimon.invoice(document_id)
        if found.is_credit_note != (kind is CREDIT_MEMO):
            right = CREDIT_MEMO if found.is_credit_note else INVOICE
            raise ResolutionRefused(
                f"{document_id} is no {kind.id_name.removesuffix('_id')}.", f"Say {right.id_name}."
            )
        return document_facts(found, self._settings)

    def _not_for_rillet(
        self, kind: DocumentType, document: Document, known: Item, about: Mapping[str, str], note: str
    ) -> dict[str, Any]:
        facts: dict[str, Any] = {"reason": f"Handled by hand: {note}", "by_hand": True, "note": note}
        warnings = _open_attempt_warnings(known)
        if known.get("rillet_id") and known.get("attempt"):
            # Rillet may answer the old key with the document that is gone.
            facts["attempt"] = {**known["attempt"], "open": False}
        if known.get("rillet_id"):
            facts |= {"rillet_id": "", "rillet_number": ""}  # or payments would go on following
        before = self._ledger.resolve_manually(
            document, "skipped", {**about, **facts, "applying": None, "step": ""}
        )
        self._forget_link(kind, before, None)
        again = kind.ask(self._name, document.id)
        return {
            **self._answer_head(kind, document, before),
            "state": "skipped",
            "reason": facts["reason"],
            "warnings": warnings,
            "what_now": "It stays so, whatever webhooks and sweeps say. To export it all the same, invoke:",
            "undo": again,
        }

    def _booked_by_hand(
        self,
        kind: DocumentType,
        document: Document,
        known: Item,
        about: Mapping[str, str],
        rillet_id: str,
        note: str,
    ) -> dict[str, Any]:
        found = self._find_in_rillet(kind, document, rillet_id)
        warnings = [*_total_warnings(found, known), *_open_attempt_warnings(known)]
        facts = {**_booked_facts(found), "by_hand": True, "note": note, "warnings": warnings}
        facts["exported_at"] = int(self._clock())
        # The link comes first: without the record it is nothing, the record without it misses payments.
        link = {"solvimon_id": document.id}
        self._ledger.remember(self._name, f"rillet-{kind.name}", rillet_id, link)
        before = self._ledger.resolve_manually(document, "exported", {**about, **facts})
        self._forget_link(kind, before, rillet_id)
        told = {name: facts[name] for name in ("rillet_id", "rillet_number", "totals", "warnings")}
        answer = {**self._answer_head(kind, document, before), "state": "exported", **told}
        if kind is INVOICE:
            answer["what_now"] = "Payments follow from now on. For those that Rillet has already, invoke:"
            answer["payments"] = {
                "function": "mark_invoice_paid",
                "event": {"connection": self._name, "invoice_ids": [document.id]},
            }
        return answer

    def _answer_head(self, kind: DocumentType, document: Document, before: Item) -> dict[str, Any]:
        was = before.get("state", "unknown here")
        return {"connection": self._name, kind.id_name: document.id, "was": was}

    def _find_in_rillet(self, kind: DocumentType, document: Document, rillet_id: str) -> BookedDocument:
        """Rillet's document, if it can be this one."""
        what = "credit memo" if kind is CREDIT_MEMO else "invoice"
        found: BookedDocument | None = (
            self._rillet.credit_memo(rillet_id) if kind is CREDIT_MEMO else self._rillet.invoice(rillet_id)
        )
        if found is None:
            raise ResolutionRefused(
                f"resolve.rillet_id: Rillet has no {what} {rillet_id}.",
                f"Give the id of the {what}, as Rillet shows it in its address; it is a UUID.",
            )
        if other := self._other_owner(kind, document, found):
            raise ResolutionRefused(
                f"resolve.rillet_id: the {what} {rillet_id} belongs to {other} already.",
                f"Give the {what} that was booked for {document.id}, or resolve {other} first.",
            )
        return found

    def _other_owner(self, kind: DocumentType, document: Document, found: BookedDocument) -> str | None:
        """The Solvimon document that Rillet's belongs to, if it is another one."""
        link = self._ledger.link(self._name, f"rillet-{kind.name}", found.id)
        if link and link["solvimon_id"] != document.id:
            owner = str(link["solvimon_id"])
            record = self._ledger.read(Document(self._name, kind.name, owner)) or {}
            if record.get("rillet_id") == found.id and record.get("state") != "skipped":
                return owner
        ours = self._settings.reference_types.invoice
        named = [r.id for r in found.external_references if r.type == ours]
        return named[0] if named and document.id not in named else None

    def _forget_link(self, kind: DocumentType, before: Item, rillet_id: str | None) -> None:
        """A Rillet document that was thought to be this one is not any more."""
        if before.get("rillet_id") and before["rillet_id"] != rillet_id:
            self._ledger.forget(self._name, f"rillet-{kind.name}", str(before["rillet_id"]))


def _check_resolvable(kind: DocumentType, record: Item, rillet_id: str | None) -> None:
    """See that there is something to settle.

    Raises:
        Refused: the document is in Rillet by our own hand, and nobody has touched it there.
    """
    known, state = record.get("rillet_id"), record.get("state")
    if not known or record.get("by_hand") or state == "differs":
        return
    if state == "exported":
        raise ResolutionRefused(
            f"It is in Rillet already as {record.get('rillet_number')} ({known}); nothing is to be resolved.",
            "Ask sync_status for its story.",
        )
    if rillet_id != known:  # a memo whose applications are not done
        raise ResolutionRefused(
            f"Rillet has {record.get('rillet_number')} ({known}) of it already.",
            f"Finish it there, and resolve it with rillet_id {known}; or invoke {kind.function} with its id.",
        )


def _booked_facts(found: BookedDocument) -> dict[str, Any]:
    """What the record of a booked document holds, as Rillet has it."""
    totals = {
        name: money.text(amount.amount, found.total.currency)
        for name, amount in (("net", found.net_amount), ("tax", found.taxed_amount), ("gross", found.total))
    }
    facts: dict[str, Any] = {
        "rillet_id": found.id,
        "rillet_number": found.number,
        "totals": {**totals, "currency": found.total.currency},
    }
    if isinstance(found, Invoice):
        return {**facts, "open_amount": money.plain((found.amount_due or found.total).amount)}
    parts = {"applied": found.applied_amount, "unapplied": found.remaining_amount}
    told = {name: money.text(part.amount, part.currency) for name, part in parts.items() if part}
    return {**facts, **told, "applied_to": [a.invoice_id for a in found.applications], "step": "applied"}


def _total_warnings(found: BookedDocument, known: Item) -> list[str]:
    """A warning where Rillet's total is not Solvimon's; credits are positive in Rillet."""
    if "amount" not in known:
        return []
    ours = abs(Decimal(known["amount"])) if isinstance(found, CreditMemo) else Decimal(known["amount"])
    if (found.total.amount, found.total.currency) == (ours, known["currency"]):
        return []
    return [
        f"Rillet has {money.plain(found.total.amount)} {found.total.currency}, Solvimon "
        f"{money.plain(ours)} {known['currency']}."
    ]


def _open_attempt_warnings(known: Item) -> list[str]:
    """A warning where an attempt of our own may have arrived."""
    attempt = known.get("attempt") or {}
    if not attempt.get("open") or known.get("rillet_id"):
        return []
    return [
        "An answer of Rillet was lost earlier: look there whether it has the document through us as well."
    ]
