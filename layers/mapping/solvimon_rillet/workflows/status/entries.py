"""The records behind the status: read in batches, with what a list shows of each, and why it waits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.formatting import format_duration, format_timestamp
from solvimon_rillet.ledger.document_types import DOCUMENT_TYPES, INVOICE, PAYMENT, DocumentType
from solvimon_rillet.ledger.ledger import UNFINISHED, Document, Ledger
from solvimon_rillet.workflows.status.texts import without_email_addresses
from solvimon_rillet.workflows.status.wording import STATE_WORDS

STALLED_SECONDS = 3600
"""Waiting work is tried at least every quarter of an hour; after an hour without a try it is stalled."""
TYPES = {kind.name: kind for kind in DOCUMENT_TYPES}
_ATTRIBUTES = (
    "listed",
    "state",
    "number",
    "customer",
    "amount",
    "currency",
    "dated",
    "code",
    "message",
    "about",
    "reason",
    "rillet_id",
    "rillet_number",
    "created_at",
    "updated_at",
    "lease_until",
    "history",
    "indexed_at",
)
_ENDED_TEXT = "A run ended in the middle (crash or time-out); its message is on the queue again."
_LOST = "The answer was lost. Rillet may have it; the next run checks before it sends anything."


@dataclass(frozen=True, slots=True)
class DocumentWait:
    """The reason why a document waits.

    Attributes:
        reason: the cause, without the act.
        act: what ends it, as the error says; empty if it says nothing.
        needs_person: whether time alone does not end it.
        is_credential: whether the connection is broken.
        is_running: whether a function works on it now.
        since: the first try, in unix seconds.
        next_try: unix seconds; ``None`` if it is not known.
    """

    reason: str
    act: str = ""
    needs_person: bool = False
    is_credential: bool = False
    is_running: bool = False
    since: int = 0
    next_try: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A document's record; ``facts`` are those of the document, which a payment has from its invoice."""

    document: Document
    record: Item
    facts: Item

    @property
    def kind(self) -> DocumentType:
        """Its type."""
        return TYPES[self.document.kind]

    @property
    def state(self) -> str:
        """The state of its record."""
        return str(self.record["state"])

    @property
    def money(self) -> tuple[str, Decimal] | None:
        """Currency and amount, if they are known."""
        if "amount" not in self.facts:
            return None
        return str(self.facts["currency"]), Decimal(self.facts["amount"])

    def wait(self, now: int) -> DocumentWait | None:
        """The reason why it waits; ``None`` if it does not."""
        return wait_of(self.document, self.record, now) if self.state in UNFINISHED else None

    def as_row(self, now: int) -> dict[str, Any]:
        """The document as a list shows it."""
        record, wait, priced = self.record, self.wait(now), self.money
        message = record.get("message") or record.get("reason") or (wait.reason if wait else None)
        return {
            "kind": self.kind.name,
            "id": self.document.id,
            "number": self.facts.get("number"),
            "customer": customer_name(self.facts),
            "date": self.facts.get("dated"),
            "amount": money.format_amount(priced[1], priced[0]) if priced else None,
            "currency": priced[0] if priced else None,
            "state": self.state,
            "state_text": self._state_text(wait),
            "code": record.get("code"),
            "message": without_email_addresses(message),
            "rillet_id": self.facts.get("rillet_id") or None,
            "rillet_number": self.facts.get("rillet_number") or None,
            "updated_at": format_timestamp(record["updated_at"]),
        }

    def _state_text(self, wait: DocumentWait | None) -> str:
        if wait is None:
            return STATE_WORDS.get(self.state, self.state)
        if wait.is_running:
            return "Being sent"
        return "Needs you" if wait.needs_person else "Waiting"


def customer_name(record: Mapping[str, Any]) -> str | None:
    """The customer's name, from the document or from the cause that names it."""
    about = record.get("about") or {}
    named = record.get("customer") or (about.get("name") if about.get("kind") == "customer" else None)
    return str(named) if named else None


def wait_of(document: Document, record: Mapping[str, Any], now: int) -> DocumentWait:
    """The reason why an unfinished document waits."""
    last = (record.get("history") or [{}])[-1]
    what, quiet = last.get("what"), now - int(record["updated_at"])
    since = int(record.get("created_at") or record["updated_at"])
    reason, _, act = str(last.get("reason", "")).replace(document.id, "It", 1).partition(". ")
    reason = without_email_addresses(reason.removesuffix(".") + ".")
    if what == "waits" and last.get("needs_person"):
        act = without_email_addresses(act)
        return DocumentWait(
            reason, act, needs_person=True, is_credential=True, since=since, next_try=last.get("next")
        )
    if int(record.get("lease_until", 0)) > now and what not in {"answer_lost", "waits"}:
        return DocumentWait("A function is working on it.", is_running=True, since=since)
    if quiet > STALLED_SECONDS:
        stalled = f"Nothing has happened for {format_duration(quiet)}"
        return DocumentWait(
            f"{stalled}; its message may be in the dead-letter queue.", needs_person=True, since=since
        )
    if what == "waits":
        return DocumentWait(reason, since=since, next_try=last.get("next"))
    return DocumentWait(
        _LOST if what == "answer_lost" else _ENDED_TEXT, since=since, next_try=last.get("next")
    )


def read_entries(ledger: Ledger, documents: Iterable[Document]) -> list[DocumentEntry]:
    """The records of documents, in their order; a document without record is left out.

    Raises:
        RetryLater: the ledger does not answer.
    """
    wanted = list(dict.fromkeys(documents))
    invoices = [_invoice_of(document) for document in wanted if document.kind == PAYMENT.name]
    records = ledger.read_many([*wanted, *invoices], _ATTRIBUTES)
    return [
        DocumentEntry(document, record, records.get(_invoice_of(document), record))
        for document in wanted
        if (record := records.get(document)) and "state" in record and "updated_at" in record
    ]


def _invoice_of(document: Document) -> Document:
    """The document whose facts count: a payment's invoice, otherwise itself."""
    is_payment = document.kind == PAYMENT.name
    return Document(document.connection, INVOICE.name, document.id) if is_payment else document
