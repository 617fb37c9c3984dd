"""The events on the bus: ids, not payloads. A handler reads the document again."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from solvimon_rillet.solvimon.types import CREDIT_TYPES, RILLET_INVOICE_ID_FIELD

SOLVIMON = "solvimon"
RILLET = "rillet"
INVOICE_FINALISED = "Invoice Finalised"
CREDIT_NOTE_FINALISED = "Credit Note Finalised"
CUSTOMER_UPDATED = "Customer Updated"
INVOICE_PAYMENT_UPDATED = "Invoice Payment Updated"
RILLET_DOCUMENT_CHANGED = "Rillet Document Changed"

# An invoice that becomes FINAL in one step may announce itself as created or updated.
_FINAL_ACTIONS = {"INVOICE.STATUS_TO_FINAL", "INVOICE.CREATED", "INVOICE.UPDATED"}
_ID_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_AMOUNT = re.compile(r"-?[0-9]{1,24}(\.[0-9]{1,12})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MAX_TEXT_LENGTH = 64  # characters of a state or a time; an event on the bus has at most 256 KB
_MAX_ACTOR_LENGTH = 100  # as of ledger.actor, which is above this module
_CREATED = "CREATED"
_RILLET_EVENTS = {
    ("INVOICE", _CREATED): RILLET_DOCUMENT_CHANGED,
    ("INVOICE", "UPDATED"): INVOICE_PAYMENT_UPDATED,
    ("INVOICE", "PAYMENT_UPDATED"): INVOICE_PAYMENT_UPDATED,
    ("INVOICE", "DELETED"): RILLET_DOCUMENT_CHANGED,
    ("CREDIT_MEMO", _CREATED): RILLET_DOCUMENT_CHANGED,
    ("CREDIT_MEMO", "UPDATED"): RILLET_DOCUMENT_CHANGED,
    ("CREDIT_MEMO", "DELETED"): RILLET_DOCUMENT_CHANGED,
}


def is_id(value: object) -> bool:
    """Whether a value can be a vendor's id: no path, no separator of our own keys, of a sane length."""
    return isinstance(value, str) and _ID_FORM.fullmatch(value) is not None


class MalformedEvent(ValueError):
    """An event with a missing or invalid field; the message names it."""


@dataclass(frozen=True, slots=True)
class BusEvent:
    """A hint that a document of a connection changed.

    Attributes:
        source: the vendor that sent it.
        detail_type: what happened.
        connection: the name of the connection.
        id: the vendor's id of the document.
        event_id: identical for every delivery of the same event.
        occurred_at: when, by the vendor's clock (ISO 8601).
        facts: amounts and state of the document from a signed event, which saves a read.
        bulk: whether it is part of a back-fill, which has a lower priority than live work.
        by: who asked for it; empty for an event of a vendor. Only a queue's message has it: the bus is
            archived, and holds no personal data.
        requested: whether a person named the document, whose id may be mistyped.
    """

    source: str
    detail_type: str
    connection: str
    id: str
    event_id: str
    occurred_at: str
    facts: Mapping[str, str] = field(default_factory=dict)
    bulk: bool = False
    by: str = ""
    requested: bool = False

    def detail(self) -> dict[str, object]:
        """The ``detail`` of the event on the bus."""
        return {
            "connection": self.connection,
            "id": self.id,
            "event_id": self.event_id,
            "occurred_at": self.occurred_at,
            **({"facts": dict(self.facts)} if self.facts else {}),
            **({"priority": "bulk"} if self.bulk else {}),
            **({"requested": True} if self.requested else {}),
        }

    def to_queue_message(self) -> str:
        """The event in the form in which EventBridge puts it on a queue."""
        detail = {**self.detail(), **({"by": self.by} if self.by else {})}
        return json.dumps({"source": self.source, "detail-type": self.detail_type, "detail": detail})

    @classmethod
    def from_queue(cls, body: str) -> Self:
        """Read an event that EventBridge put on a queue.

        Raises:
            MalformedEvent: it is not such an event.
        """
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            raise MalformedEvent("the body is not JSON") from None
        detail = event.get("detail") if isinstance(event, dict) else None
        if not isinstance(detail, dict):
            raise MalformedEvent("detail: is missing")
        for name in ("connection", "id"):
            if not is_id(detail.get(name)):
                raise MalformedEvent(f"detail.{name}: should be a name or id")
        return cls(
            str(event.get("source", "")),
            str(event.get("detail-type", "")),
            detail["connection"],
            detail["id"],
            str(detail.get("event_id", "")),
            str(detail.get("occurred_at", "")),
            _string_facts(detail.get("facts")),
            detail.get("priority") == "bulk",
            _bounded_text(detail.get("by"), _MAX_ACTOR_LENGTH),
            detail.get("requested") is True,
        )


def _string_facts(facts: object) -> dict[str, str]:
    return {str(k): v for k, v in facts.items() if isinstance(v, str)} if isinstance(facts, Mapping) else {}


def event_from_solvimon_webhook(connection: str, body: bytes) -> BusEvent | None:
    """The bus event for a verified Solvimon webhook, or ``None`` for one that we do not use.

    The envelope has no event id (dossier 3.3): deliveries of the same event have the same body.
    """
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return None
    data = envelope.get("data") if isinstance(envelope, dict) else None
    if not isinstance(data, Mapping):
        return None
    document_id = data.get("id")
    if not isinstance(document_id, str) or not is_id(document_id):
        return None
    detail_type = _detail_type(str(envelope.get("type")), data)
    if detail_type is None:
        return None
    digest = hashlib.sha256(body).hexdigest()[:32]
    return BusEvent(
        SOLVIMON, detail_type, connection, document_id, digest, str(envelope.get("created_at") or "")
    )


def event_from_solvimon_record(connection: str, row: Mapping[str, Any]) -> BusEvent | None:
    """The bus event for a final document from Solvimon's list, instead of its webhook's event."""
    document_id = row.get("id")
    if not isinstance(document_id, str) or not is_id(document_id):
        return None
    detail_type = CREDIT_NOTE_FINALISED if str(row.get("type")) in CREDIT_TYPES else INVOICE_FINALISED
    return BusEvent(SOLVIMON, detail_type, connection, document_id, "", "")


def _detail_type(action: str, data: Mapping[str, Any]) -> str | None:
    if action == "CUSTOMER.UPDATED":
        return CUSTOMER_UPDATED
    final = action == "INVOICE.STATUS_TO_FINAL" or (
        action in _FINAL_ACTIONS and data.get("status") == "FINAL"
    )
    if not final or (action == "INVOICE.UPDATED" and _shows_rillet_id(data)):
        return None
    return CREDIT_NOTE_FINALISED if str(data.get("type")) in CREDIT_TYPES else INVOICE_FINALISED


def _shows_rillet_id(data: Mapping[str, Any]) -> bool:
    """Whether Solvimon shows a document as exported, so that its update needs no work.

    Our own writes announce themselves so: Rillet's id and number, a payment state. A field under another
    reference (setting ``custom_fields.invoice``) is not seen here; then the ledger ends the event.
    """
    values = data.get("custom_fields")
    return any(
        isinstance(each, Mapping)
        and each.get("reference") == RILLET_INVOICE_ID_FIELD
        and bool(each.get("value"))
        for each in (values if isinstance(values, list) else ())
    )


def event_from_rillet_webhook(
    connection: str, entity: str, event: str, event_id: str, body: bytes
) -> BusEvent | None:
    """The bus event for a verified Rillet webhook, or ``None`` for one of the 23 kinds that we do not use.

    A body is the invoice or credit memo itself, or only its id for a deletion (Rillet API v4, webhooks). A
    payment as body, which an integrator saw, names its invoice.

    Args:
        connection: the connection that received it.
        entity: header ``X-Rillet-Entity``, in any case, with ``-`` or ``_``.
        event: header ``X-Rillet-Event``, likewise.
        event_id: header ``X-Rillet-Id``.
        body: the raw body.
    """
    entity_and_event = (_normalized_name(entity), _normalized_name(event))
    detail_type = _RILLET_EVENTS.get(entity_and_event)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if detail_type is None:
        return None
    if isinstance(content, str) and is_id(content):
        facts = {"entity": entity_and_event[0], "deleted": "true"}
        return BusEvent(RILLET, detail_type, connection, content, event_id, "", facts)
    if not isinstance(content, Mapping):
        return None
    is_payment = "invoice_id" in content and "total" not in content
    document_id = content.get("invoice_id" if is_payment else "id")
    if not isinstance(document_id, str) or not is_id(document_id):
        return None
    facts = {"entity": entity_and_event[0], **({} if is_payment else _rillet_facts(content))}
    if entity_and_event[1] == _CREATED:
        facts["created"] = "true"
    return BusEvent(
        RILLET,
        detail_type,
        connection,
        document_id,
        event_id,
        _bounded_text(content.get("updated_at")),
        facts,
    )


def event_from_rillet_record(connection: str, row: Mapping[str, Any]) -> BusEvent | None:
    """The bus event for an invoice from Rillet's list, instead of its webhook's event."""
    document_id = row.get("id")
    if not isinstance(document_id, str) or not is_id(document_id):
        return None
    facts = {"entity": "INVOICE", **_rillet_facts(row)}
    updated_at = _bounded_text(row.get("updated_at"))
    return BusEvent(RILLET, INVOICE_PAYMENT_UPDATED, connection, document_id, "", updated_at, facts)


def double_booking_event(connection: str, kind: str, rillet_id: str, solvimon_id: str) -> BusEvent:
    """The bus event for a document of Rillet that looks like a second one of a Solvimon document.

    Args:
        connection: name of the connection.
        kind: ``invoice`` or ``credit_memo``.
        rillet_id: the second document.
        solvimon_id: the Solvimon document.
    """
    facts = {"entity": kind.upper(), "double_of": solvimon_id}
    return BusEvent(RILLET, RILLET_DOCUMENT_CHANGED, connection, rillet_id, "", "", facts)


def _normalized_name(name: str) -> str:
    return name.strip().upper().replace("-", "_")


def _bounded_text(value: object, limit: int = _MAX_TEXT_LENGTH) -> str:
    return value if isinstance(value, str) and len(value) <= limit else ""


def _rillet_facts(content: Mapping[str, Any]) -> dict[str, str]:
    """State, amounts, parties, and the ids of the document in other systems.

    A field that is not as Rillet documents it is left out; a handler that needs it reads it from Rillet.
    """
    facts = {name: text for name in ("status", "updated_at") if (text := _bounded_text(content.get(name)))}
    amounts = {name: content[name] for name in ("total", "amount_due") if _is_money(content.get(name))}
    currencies = {amount["currency"] for amount in amounts.values()}
    if len(currencies) == 1:
        facts |= {name: amount["amount"] for name, amount in amounts.items()}
        facts["currency"] = currencies.pop()
    parties = {name: content.get(name) for name in ("customer_id", "subsidiary_id")}
    facts |= {name: str(party) for name, party in parties.items() if is_id(party)}
    references = content.get("external_references")
    ids = [r.get("id") for r in references if isinstance(r, Mapping)] if isinstance(references, list) else []
    reference_ids = ",".join(str(identifier) for identifier in ids[:20] if is_id(identifier))
    return facts | ({"references": reference_ids} if reference_ids else {})


def _is_money(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    amount, currency = value.get("amount"), value.get("currency")
    return (
        isinstance(amount, str)
        and isinstance(currency, str)
        and _AMOUNT.fullmatch(amount) is not None
        and _CURRENCY.fullmatch(currency) is not None
    )
