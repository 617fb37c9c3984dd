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
        first_called_at: unix seconds of the first call with this key. It is written before the call, whose
            bytes leave at most ``SEND_SECONDS`` later.
        last_called_at: unix seconds of the latest call with this key whose end is not known, or of its end.
        number: counts the document's attempts; after a rejection the next attempt has another key.
        open: whether the document may be in Rillet, or may still get there; a rejection of its only call
            closes the attempt.
        over: whether no call with this key can take effect any more.
        refused: whether Rillet refused a call with this key, so that another one needs a new key.
        document_number: number of the document in the payload.
        document_date: date of the document in the payload (YYYY-MM-DD).
        numbered_by_rillet: whether Rillet may have given it another number (scope ``FULL``).
    """

    key: str
    payload_hash: str
    customer_id: str
    totals: Mapping[str, str]
    first_called_at: int
    last_called_at: int
    number: int
    open: bool = True
    over: bool = False
    refused: bool = False
    document_number: str = ""
    document_date: str = ""
    numbered_by_rillet: bool = False

    @property
    def is_under_way(self) -> bool:
        """Whether a call of this attempt may still take effect."""
        return self.open and not self.over

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
            "over": self.over,
            "refused": self.refused,
            "document_number": self.document_number,
            "document_date": self.document_date,
            "numbered_by_rillet": self.numbered_by_rillet,
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any] | None) -> "Attempt | None":
        """The stored attempt, or ``None``; one of an earlier version counts as under way while it is open."""
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
            bool(item.get("over")),
            bool(item.get("refused")),
            str(item.get("document_number", "")),
            str(item.get("document_date", "")),
            bool(item.get("numbered_by_rillet")),
        )


def replaced_attempts(record: Mapping[str, Any]) -> list[Attempt]:
    """The attempts of a record that were replaced while they were open, oldest first."""
    return [attempt for item in record.get("replaced") or () if (attempt := Attempt.from_item(item))]


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
    facts_on_release: Item = field(default_factory=dict)
    """What the release writes: the end of a call that had no result."""
    source: dict[str, Any] = field(default_factory=dict)
    """What was read in Solvimon under this claim, for the step after the export; nothing of it is written."""

    @property
    def state(self) -> str:
        """The state of the record at the time of the claim."""
        return str(self.record.get("state", "claimed"))

    @property
    def done(self) -> bool:
        """Whether the document is in Rillet already, or was resolved manually."""
        return is_done(self.record)

    @property
    def is_new(self) -> bool:
        """Whether nothing is recorded of the document but that work on it began or waits."""
        return self.state == "claimed" and not {"attempt", "step", "rillet_id", "amount"} & self.record.keys()

    @property
    def attempt(self) -> Attempt | None:
        """The latest attempt to send it."""
        return Attempt.from_item(self.record.get("attempt"))

    @property
    def replaced(self) -> list[Attempt]:
        """Earlier attempts whose document may still get to Rillet, although another one was made."""
        return replaced_attempts(self.record)

    @property
    def open_attempts(self) -> list[Attempt]:
        """The attempts that may have brought the document to Rillet, oldest first."""
        return [*self.replaced, *([self.attempt] if self.attempt and self.attempt.open else [])]
