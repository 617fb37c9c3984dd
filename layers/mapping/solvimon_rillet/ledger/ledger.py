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
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item, Table
from solvimon_rillet.errors import Code, NeedsAttention, Recoverable, RetryLater
from solvimon_rillet.ledger import audit_trail
from solvimon_rillet.ledger.records import (
    FINISHED,
    SCHEMA,
    UNFINISHED,
    Attempt,
    Claim,
    Document,
    is_done,
    upgrade,
)

__all__ = [
    "FINISHED",
    "LEASE_SECONDS",
    "SCHEMA",
    "UNFINISHED",
    "Attempt",
    "Claim",
    "Document",
    "Ledger",
    "is_done",
]

LEASE_SECONDS = 90
BY_STATE = "by_state"
"""Index of the table: the records of a connection, kind and state, by the time of their last change."""
_BATCH_SIZE = 100
_IS_DONE = "#state IN (:exported, :differs)"
_LEASE_ATTRIBUTES = ("lease_owner", "lease_until")
_CAUSE_ATTRIBUTES = (
    "code",
    "message",
    "remedy",
    "reason",
    "rule",
)  # of the state before; each state writes its own


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
                "schema_version = :schema, created_at = if_not_exists(created_at, :now), "
                "updated_at = if_not_exists(updated_at, :now), listed = if_not_exists(listed, :listed)",
                "(attribute_not_exists(#state) OR NOT #state IN (:exported, :differs)) AND "
                "attribute_not_exists(by_hand) AND "
                "(attribute_not_exists(lease_until) OR lease_until <= :now)",
                {
                    ":owner": owner,
                    ":until": now + LEASE_SECONDS,
                    ":claimed": "claimed",
                    ":listed": document.index_key("claimed"),
                    ":schema": SCHEMA,
                    ":now": now,
                    ":exported": "exported",
                    ":differs": "differs",
                },
                {"#state": "state"},
            )
        except ConditionFailed as failed:
            if is_done(failed.item):
                return Claim(document, "", upgrade(document, failed.item))
            wait = max(1, int(failed.item.get("lease_until", now)) - now)
            raise RetryLater(f"{document.id} is being worked on by another worker.", after=wait) from None
        if item["listed"] != document.index_key(str(item["state"])):
            self.index_legacy_record(document, item)
        return Claim(document, owner, item)

    def index_legacy_record(self, document: Document, record: Item) -> None:
        """Put a record of version 1, which had no index, into the index; nothing else about it changes."""
        updated_at = record.get("updated_at", record.get("created_at", int(self._clock())))
        with contextlib.suppress(ConditionFailed):  # somebody has just written it anew
            self._table.update(
                document.key,
                "SET listed = :listed, schema_version = :schema, "
                "updated_at = if_not_exists(updated_at, :began)",
                "#state = :state",
                {
                    ":listed": document.index_key(str(record["state"])),
                    ":began": updated_at,
                    ":schema": SCHEMA,
                    ":state": record["state"],
                },
                {"#state": "state"},
            )

    def record_attempt(self, claim: Claim, attempt: Attempt) -> None:
        """Write the intent to send, before the call."""
        item = attempt.as_item()
        new = self._entry("sent" if attempt.open else "refused", item)
        self._write(claim, {"state": "sending", "attempt": item}, new, release=False)

    def record_step(self, claim: Claim, facts: Mapping[str, Any]) -> None:
        """Write a step of a document that has several, and keep the lease."""
        what = str(facts.get("step") or next(iter(facts)))
        self._write(claim, {"state": "sending", **facts}, self._entry(what, facts), release=False)

    def add_facts(self, document: Document, facts: Mapping[str, Any]) -> None:
        """Add facts to a document that is finished; on any other this does nothing."""
        with contextlib.suppress(ConditionFailed):
            self._table.update_attributes(
                document.key,
                facts,
                _IS_DONE,
                {":exported": "exported", ":differs": "differs"},
                {"#state": "state"},
            )

    def mark_mismatch(self, document: Document, why: NeedsAttention) -> bool:
        """Note that a finished document is not in Rillet any more as it was booked.

        A deletion or a double booking that is noted already is worse than another total, and stays.

        Returns:
            Whether the document is finished, so that its record can say so.
        """
        facts = {"code": why.code.value, "message": why.message, "remedy": why.remedy}
        record = self.read(document) or {}
        if record.get("state") == "differs" and all(record.get(name) == facts[name] for name in facts):
            return True
        only_total = why.code is Code.TOTAL_DIFFERS
        condition = "#state = :exported OR (#state = :differs AND #code = :total)" if only_total else _IS_DONE
        return (
            self._change_state(document, record, "differs", facts, condition)
            or record.get("state") in FINISHED
        )

    def clear_mismatch(self, document: Document, left: NeedsAttention | None = None) -> bool:
        """Rillet has our total again: a document that differed by its total alone is exported again.

        Args:
            document: the document.
            left: what is still to be done about it; it is rejected with this, so that a retry goes on.

        Returns:
            Whether it differed by its total alone.
        """
        facts = {"code": left.code.value, "message": left.message, "remedy": left.remedy} if left else {}
        record, state = self.read(document) or {}, "rejected" if left else "exported"
        return self._change_state(document, record, state, facts, "#state = :differs AND #code = :total")

    def _change_state(
        self, document: Document, record: Item, state: str, facts: Mapping[str, Any], condition: str
    ) -> bool:
        """Write another state of a document that nobody works on, if the condition holds."""
        now, history = (
            int(self._clock()),
            audit_trail.append_entry(record.get("history", []), self._entry(state, facts)),
        )
        changes = {"state": state, "listed": document.index_key(state), "updated_at": now, "history": history}
        conditions = {":exported": "exported", ":differs": "differs", ":total": Code.TOTAL_DIFFERS.value}
        try:
            self._table.update_attributes(
                document.key,
                {**changes, **facts},
                condition,
                {name: value for name, value in conditions.items() if name in condition},
                {name: name[1:] for name in ("#state", "#code") if name in condition},
                remove=_CAUSE_ATTRIBUTES,
            )
        except ConditionFailed:
            return False
        return True

    def finish(self, claim: Claim, state: str, facts: Mapping[str, Any]) -> None:
        """Write how the document ended and release the lease."""
        self._write(
            claim,
            {"state": state, **facts},
            self._entry(state, facts),
            release=True,
            remove=_CAUSE_ATTRIBUTES,
        )

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
        self._write(claim, facts, self._entry("rejected", facts), release=True, remove=_CAUSE_ATTRIBUTES)

    def skip(self, claim: Claim, reason: str, rule: str = "") -> None:
        """Record that the document is not for Rillet, and the rule that says so."""
        facts = {"state": "skipped", "reason": reason, **({"rule": rule} if rule else {})}
        self._write(claim, facts, self._entry("skipped", facts), release=True, remove=_CAUSE_ATTRIBUTES)

    def release(self, claim: Claim, why: Recoverable | None = None) -> None:
        """Give the lease back without a result, so that the next attempt need not wait for its end."""
        new = audit_trail.waiting_entry(why, int(self._clock())) if why else None
        self._write(claim, {}, new, release=True)

    def discard_claim(self, claim: Claim) -> None:
        """Give the lease back on a document that is none of ours; a record made for it goes."""
        if claim.record.get("state") != "claimed" or "attempt" in claim.record:
            self.release(claim)
            return
        with contextlib.suppress(ConditionFailed):
            self._table.delete_if(claim.document.key, "lease_owner = :owner", {":owner": claim.owner})

    def resolve_manually(self, document: Document, state: str, facts: Mapping[str, Any]) -> Item:
        """Write how a document ended because a person says so, whatever its state.

        Returns:
            The record as it was before.

        Raises:
            RetryLater: a worker holds its lease.
        """
        now, record = int(self._clock()), self.read(document) or {}
        history = audit_trail.append_entry(record.get("history", []), self._entry("settled_by_hand", facts))
        changes = {
            "schema_version": SCHEMA,
            "created_at": record.get("created_at", now),
            "updated_at": now,
            "state": state,
            "listed": document.index_key(state),
            "history": history,
            **facts,
        }
        try:
            self._table.update_attributes(
                document.key,
                changes,
                "(attribute_not_exists(lease_until) OR lease_until <= :now) AND "
                "(attribute_not_exists(updated_at) OR updated_at = :read)",
                {":now": now, ":read": record.get("updated_at", 0)},
                remove=(*_CAUSE_ATTRIBUTES, *_LEASE_ATTRIBUTES),
            )
        except ConditionFailed:
            raise RetryLater(f"{document.id} is being worked on this very moment.", after=5) from None
        return record

    def reopen(self, document: Document) -> None:
        """Let work go on at a document that was skipped by hand, because a person asks for it by its id."""
        record = self.read(document) or {}
        if record.get("state") != "skipped" or not record.get("by_hand"):
            return
        history = audit_trail.append_entry(record.get("history", []), self._entry("asked_again", {}))
        with contextlib.suppress(ConditionFailed):
            self._table.update(
                document.key,
                "SET history = :history REMOVE by_hand",
                "#state = :skipped AND attribute_exists(by_hand)",
                {":history": history, ":skipped": "skipped"},
                {"#state": "state"},
            )

    def read(self, document: Document) -> Item | None:
        """A document's record, or ``None``."""
        record = self._table.get(document.key)
        return upgrade(document, record) if record else None

    def read_many(self, documents: Iterable[Document]) -> dict[Document, Item]:
        """The records of documents, those that are there; a hundred in one request."""
        keys = {document.key: document for document in documents}
        wanted, found = list(keys), dict[Document, Item]()
        for start in range(0, len(wanted), _BATCH_SIZE):
            items = self._table.get_many(wanted[start : start + _BATCH_SIZE])
            found |= {keys[key]: upgrade(keys[key], item) for key, item in items.items()}
        return found

    def in_state(self, connection: str, kind: str, state: str) -> Iterator[tuple[Document, Item]]:
        """The documents in a state, longest unchanged first, with what the index keeps of them.

        The index follows the table within a second or so (DynamoDB, global secondary indexes).
        """
        prefix = f"{connection}#{kind}#"
        for item in self._table.query(BY_STATE, "listed", f"{prefix}{state}"):
            yield Document(connection, kind, str(item["pk"]).removeprefix(prefix)), item

    def count(self, connection: str, kind: str, state: str) -> int:
        """How many documents are in a state."""
        return self._table.count(BY_STATE, "listed", f"{connection}#{kind}#{state}")

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
        self._table.pop(Document(connection, f"link-{kind}", solvimon_id).key)

    def _entry(self, what: str, facts: Mapping[str, Any]) -> audit_trail.Entry:
        return audit_trail.entry(what, int(self._clock()), facts)

    def _write(
        self,
        claim: Claim,
        facts: Mapping[str, Any],
        new: audit_trail.Entry | None,
        *,
        release: bool,
        remove: tuple[str, ...] = (),
    ) -> None:
        """Write facts, those of the document itself and one more entry of its history, under the lease."""
        facts = {**claim.document_facts, **facts}
        if new:
            facts["history"] = audit_trail.append_entry(claim.record.get("history", []), new)
        if "state" in facts:
            facts["listed"] = claim.document.index_key(str(facts["state"]))
        try:
            self._table.update_attributes(
                claim.document.key,
                {**facts, "updated_at": int(self._clock())},
                "lease_owner = :owner",
                {":owner": claim.owner},
                remove=(*remove, *(_LEASE_ATTRIBUTES if release else ())),
            )
        except ConditionFailed:
            raise RetryLater(f"The lease on {claim.document.id} is lost; another worker goes on.") from None
        if new:
            claim.record["history"] = facts["history"]
