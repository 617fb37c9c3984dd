"""The history of one document: its data, its status, the next step, and every attempt."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from solvimon_rillet import money
from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.ledger.document_types import (
    CREDIT_MEMO,
    CREDIT_PREFIX,
    CUSTOMER,
    INVOICE,
    PAYMENT,
    DocumentType,
)
from solvimon_rillet.ledger.ledger import FINISHED, UNFINISHED, Document, Ledger
from solvimon_rillet.workflows.status.document_place import location_text
from solvimon_rillet.workflows.status.entries import customer_name, wait_of
from solvimon_rillet.workflows.status.open_work import what_to_do
from solvimon_rillet.workflows.status.texts import without_email_addresses
from solvimon_rillet.workflows.status.wording import title_of
from solvimon_rillet.workflows.status.write_back_text import write_back_fields

if TYPE_CHECKING:
    from solvimon_rillet.settings import Settings

_DOCUMENT_STATE_TEXTS = {
    "claimed": "Work has begun; nothing is sent yet.",
    "sending": "Work has begun and is not finished.",
    "exported": "In Rillet.",
    "differs": "Rillet does not have it as it was booked.",
    "rejected": "Rejected: a person must fix the cause first.",
    "skipped": "Not for Rillet.",
    "synced": "The customer in Rillet is as in Solvimon.",
    "marked": "Solvimon has the latest payment state from Rillet.",
}
_EVENT_TEXTS = {
    "rejected": "It was rejected.",
    "skipped": "It was skipped.",
    "exported": "It was booked in Rillet.",
    "differs": "It was found to differ in Rillet.",
    "synced": "The customer was synchronised to Rillet.",
    "marked": "The payment state was synchronised to Solvimon.",
    "sent": "It was sent to Rillet.",
    "refused": "Rillet refused it; the next attempt uses another date.",
    "answer_lost": "The answer was lost: Rillet may or may not have it.",
    "waits": "It had to wait.",
    "invoice_created": "The invoice is in Rillet; it is marked as sent next.",
    "memo_created": "The memo is in Rillet; its applications follow.",
    "applying": "The memo's applications were sent to Rillet.",
    "payment_status": "The payment state was sent to Solvimon.",
    "asked_again": "A person requested it again.",
    "settled_by_hand": "A person resolved it manually.",
}
_SENT_FIELDS = {"key": "idempotency_key", "payload_hash": "payload_hash", "totals": "totals"}


class DocumentHistory:
    """Describes one connection's documents, from the ledger alone.

    Args:
        connection: its name.
        ledger: the ledger.
        clock: unix seconds.
        secret_name: the name of a vendor's secret.
        settings: of the connection, for the addresses of documents; ``None`` if they cannot be used.
    """

    def __init__(
        self,
        connection: str,
        ledger: Ledger,
        clock: Callable[[], float],
        secret_name: Callable[[str], str],
        settings: "Settings | None",
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._clock = clock
        self._secret_name = secret_name
        self._settings = settings

    def describe(self, kind: DocumentType, document_id: str) -> dict[str, Any]:
        """The history of a document.

        Raises:
            RetryLater: the ledger does not answer.
        """
        record = self._read(kind, document_id)
        answer: dict[str, Any] = {
            "connection": self._connection,
            kind.id_name: document_id,
            "number": None,
            "customer": None,
            "title": None,
            "culprit": None,
            "act": None,
            "links": {"desk": None, "rillet": None},
        }
        if not record:
            return answer | self._unknown_document(kind, document_id)
        if kind is not CUSTOMER and self._settings:
            answer["links"] = _links(self._settings, kind, document_id, record)
        answer |= self._record_fields(kind, document_id, record)
        if kind is INVOICE:
            answer["payment"] = self._payment_fields(document_id, record)
            answer["credits"] = self._applied_credits(record)
        return answer

    def _read(self, kind: DocumentType, document_id: str) -> Item | None:
        return self._ledger.read(Document(self._connection, kind.name, document_id))

    def _record_fields(self, kind: DocumentType, document_id: str, record: Item) -> dict[str, Any]:
        header = ("number", "dated", "rillet_id", "rillet_number", "totals", "scope")
        details = ("applied", "unapplied", "changed", "warnings", "note")
        state = str(record["state"])
        return {
            **_amount_fields(record),
            **{name: record[name] for name in header if record.get(name)},
            "customer": customer_name(record),
            "state": state,
            "in_words": _DOCUMENT_STATE_TEXTS.get(state, state),
            "where": location_text(kind, record, self._clock()),
            **{
                name: without_email_addresses(record[name])
                for name in ("code", "message", "reason")
                if name in record
            },
            **self._next_step(kind, document_id, record),
            **{name: record[name] for name in details if name in record},
            **write_back_fields(record),
            "known_since": format_timestamp(record.get("created_at", record["updated_at"])),
            "last_change": format_timestamp(record["updated_at"]),
            "attempts": [_attempt_fields(entry) for entry in record.get("history", [])],
        }

    def _next_step(self, kind: DocumentType, document_id: str, record: Item) -> dict[str, Any]:
        """The next step for a person, with the events for it."""
        state, again = record["state"], kind.invocation(self._connection, document_id)
        if state in UNFINISHED:
            document, now = Document(self._connection, kind.name, document_id), int(self._clock())
            wait = wait_of(document, record, now)
            act = what_to_do(wait, kind, self._connection, [document_id], self._secret_name)
            return {**act, **({"retry": again} if wait.needs_person else {})}
        if state == "rejected":
            about = record.get("about") or None
            by_hand = self._manual_resolution_event(kind, document_id)
            return {
                "title": title_of(str(record.get("code", "")), about),
                "culprit": dict(about) if about else None,
                "what_to_do": without_email_addresses(record.get("remedy", "")),
                "retry": again,
                "act": again,
                **by_hand,
            }
        if state == "differs":
            return {
                "what_to_do": without_email_addresses(record.get("remedy", "")),
                **self._manual_resolution_event(kind, document_id),
            }
        if state == "skipped":
            return {
                "what_to_do": "Nothing, if the reason is right. Otherwise, fix the cause and retry it.",
                "retry": again,
                "act": again,
            }
        return {"what_to_do": "Nothing."}

    def _manual_resolution_event(self, kind: DocumentType, document_id: str) -> dict[str, Any]:
        """The event that resolves the document manually, to be filled in."""
        if not kind.retries_by_code:
            return {}
        form = {"rillet_id": "its id in Rillet, or null if it is not for Rillet", "note": "who did what"}
        event = {"connection": self._connection, "resolve": {kind.id_name: document_id, **form}}
        return {"if_done_by_hand": {"function": "sync_status", "event": event}}

    def _payment_fields(self, document_id: str, invoice: Item) -> dict[str, Any]:
        record = self._read(PAYMENT, document_id)
        if not record:
            booked = invoice["state"] in FINISHED
            return {"in_words": f"Rillet has reported no payment{'' if booked else ': it is not booked'}."}
        names = {"payment_status": "payment_status", "seen_at": "rillet_said_at", "recorded": "recorded"}
        fields = self._record_fields(PAYMENT, document_id, record)
        return {**{shown: record[name] for name, shown in names.items() if name in record}, **fields}

    def _applied_credits(self, record: Item) -> list[dict[str, Any]]:
        """The amounts that our credit memos have credited to an invoice."""
        found = []
        for name, amount in sorted(record.items()):
            if name.startswith(CREDIT_PREFIX):
                memo = name.removeprefix(CREDIT_PREFIX)
                link = self._ledger.find_link(self._connection, "rillet-credit_memo", memo) or {}
                shown = money.format_amount(Decimal(amount), record["totals"]["currency"])
                note_id = link.get("solvimon_id")
                found.append({"credit_note_id": note_id, "rillet_id": memo, "amount": shown})
        return found

    def _unknown_document(self, kind: DocumentType, document_id: str) -> dict[str, Any]:
        """The answer for an id that the ledger does not know."""
        for other in (INVOICE, CREDIT_MEMO, CUSTOMER):
            if other is not kind and self._read(other, document_id):
                ask = {"connection": self._connection, other.id_name: document_id}
                words = f"The ledger does not know it as {kind.id_name}, but as {other.id_name}."
                return {"known": False, "in_words": words, "ask_instead": ask}
        return {
            "known": False,
            "in_words": f"The ledger of the connection {self._connection} does not know it.",
            "what_it_means": [
                "Its webhook has not arrived yet, or was lost; in that case the next sweep finds it.",
                "It is not final in Solvimon, or it is dated before the connection's start_date.",
                "It belongs to another connection, or the id is wrong.",
            ],
            "what_to_do": "Check it with a dry run:",
            "dry_run": kind.invocation(self._connection, document_id, dry_run=True),
        }


def _amount_fields(record: Item) -> dict[str, str]:
    """The document's amount and its open amount in Rillet, in the vendors' format."""
    fields = {}
    if "amount" in record:
        currency = record["currency"]
        fields = {"amount": money.format_amount(Decimal(record["amount"]), currency), "currency": currency}
    if "open_amount" in record and "totals" in record:
        fields["open_amount"] = money.format_amount(
            Decimal(record["open_amount"]), record["totals"]["currency"]
        )
    return fields


def _attempt_fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of the audit trail: time, event, data sent, data received."""
    what = str(entry["what"])
    fields: dict[str, Any] = {"at": format_timestamp(entry["at"]), "what": what}
    fields["in_words"] = _EVENT_TEXTS.get(what, what)
    if "since" in entry:
        fields |= {"since": format_timestamp(entry["since"]), "times": entry["times"]}
    if "by" in entry:
        fields["by"] = entry["by"]
    shown = {"at", "what", "since", "times", "by"}
    rest = {name: value for name, value in entry.items() if name not in shown}
    if what in {"sent", "refused"}:
        fields["sent"] = {_SENT_FIELDS[name]: value for name, value in rest.items() if name in _SENT_FIELDS}
    elif rest:
        fields["came_back" if what != "settled_by_hand" else "said"] = without_email_addresses(rest)
    return fields


def _links(settings: "Settings", kind: DocumentType, document_id: str, record: Item) -> dict[str, str | None]:
    """The addresses of a document in Solvimon's Desk and in Rillet, as far as the settings know them."""
    rillet_id, is_memo = str(record.get("rillet_id") or ""), kind is CREDIT_MEMO
    return {
        "desk": settings.solvimon.invoice_link(document_id),
        "rillet": settings.rillet.document_link(rillet_id, is_credit_memo=is_memo) if rillet_id else None,
    }
