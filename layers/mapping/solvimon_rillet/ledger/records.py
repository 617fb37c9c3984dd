"""What the ledger keeps of a document: its key, the attempt to send it, a hold on its record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solvimon_rillet.aws.dynamodb import Item

SCHEMA = 2
"""Version of the records' form. Version 1 had no index (``listed``), no history and no facts of the document
itself, and one that was only claimed had no ``updated_at``. ``upgrade`` reads every version."""
FINISHED = ("exported", "differs")
UNFINISHED = ("claimed", "sending")


def is_done(record: Mapping[str, Any]) -> bool:
    """Whether nothing is to be done about a document: it is in Rillet, or a person has handled it."""
    return record.get("state") in FINISHED or bool(record.get("by_hand"))


def upgrade(document: "Document", record: Item) -> Item:
    """A record of any version in the form of this one. Only its next write makes it so in the table."""
    if "state" not in record or "listed" in record:
        return record
    updated_at = record.get("created_at", 0)
    listed = document.index_key(str(record["state"]))
    return {"updated_at": updated_at, "history": [], **record, "listed": listed}


@dataclass(frozen=True, slots=True)
class Document:
    """What a record is about: a document of one connection, such as kind ``invoice``."""

    connection: str
    kind: str
    id: str

    @property
    def key(self) -> str:
        """The partition key; connection and kind hold no ``#``, so no id reaches another one's record."""
        return f"{self.connection}#{self.kind}#{self.id}"

    def index_key(self, state: str) -> str:
        """The index's key of the document while it is in a state."""
        return f"{self.connection}#{self.kind}#{state}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An intent to send: written before the call, so that a crash leaves a trace of it.

    Attributes:
        key: the idempotency key of the call.
        payload_hash: SHA-256 of what is sent.
        customer_id: Rillet customer that the document was sent for; look-ups list its invoices.
        totals: net, tax, gross and currency of what is sent, as texts.
        first_called_at: unix seconds of the first call with this key.
        last_called_at: unix seconds of the latest call with this key.
        number: counts the attempts of the document; a refusal makes the next key another one.
        open: whether the outcome may still be unknown; a refusal closes the attempt.
    """

    key: str
    payload_hash: str
    customer_id: str
    totals: Mapping[str, str]
    first_called_at: int
    last_called_at: int
    number: int
    open: bool = True

    def as_item(self) -> Item:
        """The attempt as the record holds it."""
        return {
            "key": self.key,
            "payload_hash": self.payload_hash,
            "customer_id": self.customer_id,
            "totals": dict(self.totals),
            "started": self.first_called_at,
            "called": self.last_called_at,
            "number": self.number,
            "open": self.open,
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any] | None) -> "Attempt | None":
        """The attempt in a record, if there was one."""
        if not item:
            return None
        return cls(
            str(item["key"]),
            str(item["payload_hash"]),
            str(item["customer_id"]),
            dict(item["totals"]),
            int(item["started"]),
            int(item["called"]),
            int(item["number"]),
            bool(item["open"]),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A hold on a document's record: either a lease to work, or the news that it is done."""

    document: Document
    owner: str
    record: Item
    document_facts: dict[str, Any] = field(default_factory=dict)
    """Facts of the document itself, such as its number and amount; every write takes them along."""

    @property
    def state(self) -> str:
        """State of the record when it was claimed."""
        return str(self.record.get("state", "claimed"))

    @property
    def done(self) -> bool:
        """Whether the document is in Rillet already, or a person has said that it is handled."""
        return is_done(self.record)

    @property
    def attempt(self) -> Attempt | None:
        """The latest attempt to send it."""
        return Attempt.from_item(self.record.get("attempt"))
