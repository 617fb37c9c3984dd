"""Documents as rows and links, for all pages that name one."""

from dataclasses import dataclass
from urllib.parse import quote

from solvimon_rillet.panel.reading import Json, text

MARKS = {
    "claimed": "sends",
    "sending": "sends",
    "exported": "booked",
    "synced": "booked",
    "marked": "booked",
    "differs": "differs",
    "rejected": "needs",
    "skipped": "skipped",
    "waiting": "waits",
}
STATES = {
    "claimed": "Being sent",
    "sending": "Being sent",
    "exported": "Booked",
    "synced": "Booked",
    "marked": "Booked",
    "differs": "Differs",
    "rejected": "Needs you",
    "skipped": "Skipped",
}
_BY_TEXT = {
    "Booked": "booked",
    "Being sent": "sends",
    "Waiting": "waits",
    "Needs you": "needs",
    "Differs": "differs",
    "Skipped": "skipped",
    "Rehearsed": "skipped",
}
ID_NAMES = {
    "invoice": "invoice_id",
    "credit_memo": "credit_note_id",
    "customer": "customer_id",
    "payment": "invoice_id",
}
"""The kinds of documents, and the names of their ids in events."""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document in a list."""

    kind: str
    id: str
    path: str
    number: str
    customer: str
    date: str
    amount: str
    currency: str
    mark: str
    state: str
    rillet_number: str
    changed: str
    message: str


def document_row(row: Json) -> DocumentRow:
    """A row of an answer."""
    kind, identity, state = text(row, "kind") or "invoice", text(row, "id"), text(row, "state")
    words = text(row, "state_text") or STATES.get(state, state)
    return DocumentRow(
        kind=kind,
        id=identity,
        path=document_path(kind, identity),
        number=text(row, "number") or identity,
        customer=text(row, "customer"),
        date=text(row, "date"),
        amount=text(row, "amount"),
        currency=text(row, "currency"),
        mark=_BY_TEXT.get(words) or MARKS.get(state, "skipped"),
        state=words,
        rillet_number=text(row, "rillet_number"),
        changed=text(row, "updated_at"),
        message=text(row, "message"),
    )


def document_path(kind: str, identity: str) -> str:
    """The path of a document's page, below its connection's."""
    return f"/documents/{quote(kind, safe='')}/{quote(identity, safe='')}"
