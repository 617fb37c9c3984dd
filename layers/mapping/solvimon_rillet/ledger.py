"""The ledger: one record per document and connection, which makes an export happen exactly once.

States: ``claimed`` → ``sending`` (intent written) → ``exported`` | ``rejected`` | ``skipped`` | ``differs``.

Every write names the lease that it relies on. A lease outlives any function (90 s against 60 s), so while it
holds, its owner is the only one that may call Rillet for the document::

    claim ── lease ─────────────────────────────────────────────────────────── 90 s ──▶ free again
      └─ read, map, tie out ─ begin(attempt) ─ POST ─ exported
                                     │           └ answer lost: the attempt stays in the record
                                     └ crash: the attempt stays in the record
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.dynamo import ConditionFailed, Item, Table
from solvimon_rillet.errors import NeedsAttention, RetryLater

LEASE_SECONDS = 90
SCHEMA = 1
FINISHED = ("exported", "differs")
_WHY = ("code", "message", "remedy", "reason")  # of the state before; each state writes its own


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


@dataclass(frozen=True, slots=True)
class Attempt:
    """An intent to send: written before the call, so that a crash leaves a trace of it.

    Attributes:
        key: the idempotency key of the call.
        payload_hash: SHA-256 of what is sent.
        customer_id: Rillet customer that the document was sent for; look-ups list its invoices.
        totals: net, tax, gross and currency of what is sent, as texts.
        started: unix seconds of the first call with this key.
        called: unix seconds of the latest call with this key.
        number: counts the attempts of the document; a refusal makes the next key another one.
        open: whether the outcome may still be unknown; a refusal closes the attempt.
    """

    key: str
    payload_hash: str
    customer_id: str
    totals: Mapping[str, str]
    started: int
    called: int
    number: int
    open: bool = True

    def as_item(self) -> Item:
        """The attempt as the record holds it."""
        return {
            "key": self.key,
            "payload_hash": self.payload_hash,
            "customer_id": self.customer_id,
            "totals": dict(self.totals),
            "started": self.started,
            "called": self.called,
            "number": self.number,
            "open": self.open,
        }

    @classmethod
    def of(cls, item: Mapping[str, Any] | None) -> "Attempt | None":
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

    @property
    def state(self) -> str:
        """State of the record when it was claimed."""
        return str(self.record.get("state", "claimed"))

    @property
    def done(self) -> bool:
        """Whether the document is in Rillet already."""
        return self.state in FINISHED

    @property
    def attempt(self) -> Attempt | None:
        """The latest attempt to send it."""
        return Attempt.of(self.record.get("attempt"))


class Ledger:
    """Conditional reads and writes of the ledger table.

    Every method may raise ``RetryLater`` when DynamoDB does not answer, or when the lease is lost.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def claim(self, document: Document, owner: str) -> Claim:
        """Take the lease on a document, unless it is done or somebody else holds it.

        Raises:
            RetryLater: a live lease of another worker; ``after`` says how long it still holds.
        """
        now = int(self._clock())
        try:
            item = self._table.update(
                document.key,
                "SET lease_owner = :owner, lease_until = :until, #state = if_not_exists(#state, :claimed), "
                "schema_version = :schema, created_at = if_not_exists(created_at, :now)",
                "(attribute_not_exists(#state) OR NOT #state IN (:exported, :differs)) AND "
                "(attribute_not_exists(lease_until) OR lease_until <= :now)",
                {
                    ":owner": owner,
                    ":until": now + LEASE_SECONDS,
                    ":claimed": "claimed",
                    ":schema": SCHEMA,
                    ":now": now,
                    ":exported": "exported",
                    ":differs": "differs",
                },
                {"#state": "state"},
            )
        except ConditionFailed as failed:
            if failed.item.get("state") in FINISHED:
                return Claim(document, "", failed.item)
            wait = max(1, int(failed.item.get("lease_until", now)) - now)
            raise RetryLater(f"{document.id} is being worked on by another worker.", after=wait) from None
        return Claim(document, owner, item)

    def begin(self, claim: Claim, attempt: Attempt) -> None:
        """Write the intent to send, before the call."""
        self._write(claim, {"state": "sending", "attempt": attempt.as_item()}, release=False)

    def progress(self, claim: Claim, facts: Mapping[str, Any]) -> None:
        """Write a step of a document that has several, and keep the lease."""
        self._write(claim, {"state": "sending", **facts}, release=False)

    def note(self, document: Document, facts: Mapping[str, Any]) -> None:
        """Add facts to a document that is finished; on any other this does nothing."""
        names = {f"#f{i}": name for i, name in enumerate(facts)}
        values = {f":f{i}": value for i, value in enumerate(facts.values())}
        sets = ", ".join(f"#f{i} = :f{i}" for i in range(len(facts)))
        with contextlib.suppress(ConditionFailed):
            self._table.update(
                document.key,
                f"SET {sets}",
                "#state IN (:exported, :differs)",
                {**values, ":exported": "exported", ":differs": "differs"},
                {**names, "#state": "state"},
            )

    def differ(self, document: Document, why: NeedsAttention) -> None:
        """Note that a finished document is not in Rillet any more as it was booked."""
        facts = {"state": "differs", "code": why.code.value, "message": why.message, "remedy": why.remedy}
        self.note(document, facts)

    def finish(self, claim: Claim, state: str, facts: Mapping[str, Any]) -> None:
        """Write how the document ended and release the lease."""
        self._write(claim, {"state": state, **facts}, release=True, remove=_WHY)

    def reject(self, claim: Claim, why: NeedsAttention, attempt: Attempt | None) -> None:
        """Record that a person must act. An attempt whose outcome is unknown stays in the record."""
        facts: Item = {
            "state": "rejected",
            "code": why.code.value,
            "message": why.message,
            "remedy": why.remedy,
        }
        if attempt:
            facts["attempt"] = attempt.as_item()
        self._write(claim, facts, release=True, remove=_WHY)

    def skip(self, claim: Claim, reason: str) -> None:
        """Record that the document is not for Rillet."""
        facts = {"state": "skipped", "reason": reason}
        self._write(claim, facts, release=True, remove=_WHY)

    def release(self, claim: Claim) -> None:
        """Give the lease back without a result, so that the next attempt need not wait for its end."""
        self._write(claim, {}, release=True)

    def read(self, document: Document) -> Item | None:
        """A document's record, or ``None``."""
        return self._table.get(document.key)

    def link(self, connection: str, kind: str, solvimon_id: str) -> Item | None:
        """What is remembered of a ``customer``, ``product`` or ``subsidiary``, while it is fresh."""
        item = self.read(Document(connection, f"link-{kind}", solvimon_id))
        if item and int(item.get("expires_at", self._clock() + 1)) > self._clock():
            return item
        return None

    def remember(
        self,
        connection: str,
        kind: str,
        solvimon_id: str,
        facts: Mapping[str, Any],
        seconds: int | None = None,
    ) -> None:
        """Remember a link; ``seconds`` limits for how long."""
        item: Item = {"schema_version": SCHEMA, **facts}
        if seconds is not None:
            item["expires_at"] = int(self._clock()) + seconds
        self._table.put(Document(connection, f"link-{kind}", solvimon_id).key, item)

    def forget(self, connection: str, kind: str, solvimon_id: str) -> None:
        """Forget a link, because Rillet does not know its id."""
        self._table.take(Document(connection, f"link-{kind}", solvimon_id).key)

    def _write(
        self, claim: Claim, facts: Mapping[str, Any], *, release: bool, remove: tuple[str, ...] = ()
    ) -> None:
        names = {f"#f{i}": name for i, name in enumerate(facts)}
        values = {f":f{i}": value for i, value in enumerate(facts.values())}
        sets = ", ".join(f"#f{i} = :f{i}" for i in range(len(facts)))
        gone = [
            *(name for name in remove if name not in facts),
            *(("lease_owner", "lease_until") if release else ()),
        ]
        names |= {f"#r{i}": name for i, name in enumerate(gone)}
        removes = f" REMOVE {', '.join(f'#r{i}' for i in range(len(gone)))}" if gone else ""
        try:
            self._table.update(
                claim.document.key,
                f"SET updated_at = :now{', ' if sets else ''}{sets}{removes}",
                "lease_owner = :owner",
                {**values, ":owner": claim.owner, ":now": int(self._clock())},
                names,
            )
        except ConditionFailed:
            raise RetryLater(f"The lease on {claim.document.id} is lost; another worker goes on.") from None
