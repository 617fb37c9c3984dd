"""The parts of a document's record: its key, the attempt to send it, and the claim on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solvimon_rillet.aws.dynamodb import Item

SCHEMA = 2
"""Version of the records' schema. Version 1 had no index (``listed``), no history and no facts of the
document itself, and a record that was only claimed had no ``updated_at``. ``upgrade`` reads every version."""
FINISHED = ("exported", "differs")
UNFINISHED = ("claimed", "sending")


def is_done(record: Mapping[str, Any]) -> bool:
    """Whether a document is finished: it is in Rillet, or it was resolved manually."""
    return record.get("state") in FINISHED or bool(record.get("by_hand"))


def upgrade(document: "Document", record: Item) -> Item:
    """A record of any version in the current schema. The table has it only after the next write."""
    if "state" not in record or "listed" in record:
        return record
    updated_at = record.get("created_at", 0)
    listed = document.index_key(str(record["state"]))
    return {"updated_at": updated_at, "history": [], **record, "listed": listed}


@dataclass(frozen=True, slots=True)
class Document:
    """The identity of a record: a document of one connection and type, such as ``invoice``."""

    connection: str
    kind: str
    id: str

    @property
    def key(self) -> str:
        """The partition key; connection and kind contain no ``#``, so no id leads to another record."""
        return f"{self.connection}#{self.kind}#{self.id}"

    def index_key(self, state: str) -> str:
        """The index's key of the document while it is in a state."""
        return f"{self.connection}#{self.kind}#{state}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to send a document, written before the call, so that it survives a crash.

    Attributes:
        key: the idempotency key of the call.
        payload_hash: SHA-256 of the payload.
        customer_id: Rillet customer of the document; a look-up lists this customer's invoices.
        totals: net, tax, gross and currency of the payload, as texts.
        first_called_at: unix seconds of the first call with this key.
        last_called_at: unix seconds of the latest call with this key.
        number: counts the document's attempts; after a rejection the next attempt has another key.
        open: whether the outcome may still be unknown; a rejection closes the attempt.
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
        """The attempt as it is stored."""
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
        """The stored attempt, or ``None``."""
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
    """A claim on a document: a lease to process it, or the finding that it is finished."""

    document: Document
    owner: str
    record: Item
    document_facts: dict[str, Any] = field(default_factory=dict)
    """Facts of the document itself, such as its number and amount; every write includes them."""
    written: Item = field(default_factory=dict)
    """What was written under this claim, which counts towards the record's size."""

    @property
    def state(self) -> str:
        """The state of the record at the time of the claim."""
        return str(self.record.get("state", "claimed"))

    @property
    def done(self) -> bool:
        """Whether the document is in Rillet already, or was resolved manually."""
        return is_done(self.record)

    @property
    def attempt(self) -> Attempt | None:
        """The latest attempt to send it."""
        return Attempt.from_item(self.record.get("attempt"))
