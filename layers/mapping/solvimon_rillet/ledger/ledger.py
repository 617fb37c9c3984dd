"""The ledger: one record per document and connection, which ensures that an export happens exactly once.

States: ``claimed`` → ``sending`` (intent written) → ``exported`` | ``rejected`` | ``skipped`` | ``differs``.

Every write names the lease that it relies on. A lease is longer than any function (90 s against 60 s), so
until it ends, its owner is the only one that may call Rillet for the document::

    claim ── lease ─────────────────────────────────────────────────────────── 90 s ──▶ free again
      └─ read, map, tie out ─ record_attempt ─ POST ─ exported
                                     │           └ answer lost: the attempt stays in the record
                                     └ crash: the attempt stays in the record
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item
from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown, Recoverable, RetryLater
from solvimon_rillet.ledger import audit_trail
from solvimon_rillet.ledger.links import LinkStore
from solvimon_rillet.ledger.record_size import MAX_RECORD_BYTES, bounded, bounded_history, size_of
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
SEND_SECONDS = 60
"""Seconds of a lease in which its owner may send writes; the rest is for the answer and for recording it."""
BY_STATE = "by_state"
"""Index of the table: the records of a connection, type and state, by the time of their last change."""
_BATCH_SIZE = 100
_IS_DONE = "#state IN (:exported, :differs)"
_LEASE_ATTRIBUTES = ("lease_owner", "lease_until")
_CAUSE_ATTRIBUTES = (
    "code",
    "message",
    "remedy",
    "reason",
    "rule",
)  # attributes of the previous state; each state writes its own


class Ledger(LinkStore):
    """Conditional reads and writes of the ledger table; also stores links.

    Every method may raise ``RetryLater`` when DynamoDB does not answer, or if the lease is lost.
    """

    def claim(self, document: Document, owner: str) -> Claim:
        """Take the lease on a document, unless it is finished or another worker holds the lease.

        Raises:
            RetryLater: another worker holds the lease; ``after`` is its remaining time.
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
            raise RetryLater(f"{document.id} is being processed by another worker.", after=wait) from None
        if item["listed"] != document.index_key(str(item["state"])):
            self.index_legacy_record(document, item)
        return Claim(document, owner, item)

    def index_legacy_record(self, document: Document, record: Item) -> None:
        """Add a record of version 1, which had no index, to the index; nothing else changes."""
        updated_at = record.get("updated_at", record.get("created_at", int(self._clock())))
        with contextlib.suppress(ConditionFailed):  # another worker has just written it
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
        """Write the attempt, before the call."""
        item = attempt.as_item()
        new = self._entry("sent" if attempt.open else "refused", item)
        self._write(claim, {"state": "sending", "attempt": item}, new, release=False)

    def record_step(self, claim: Claim, facts: Mapping[str, Any]) -> None:
        """Write one of several steps of a document, and keep the lease."""
        what = str(facts.get("step") or next(iter(facts)))
        self._write(claim, {"state": "sending", **facts}, self._entry(what, facts), release=False)

    def add_facts(self, document: Document, facts: Mapping[str, Any]) -> None:
        """Add facts to a finished document; without effect on any other."""
        with contextlib.suppress(ConditionFailed):
            record = self._add(document, facts)
            if size_of(record) > MAX_RECORD_BYTES:
                self._add(document, {"history": bounded_history(record, record.get("history", []))})

    def _add(self, document: Document, facts: Mapping[str, Any]) -> Item:
        return self._table.update_attributes(
            document.key,
            bounded(facts),
            _IS_DONE,
            {":exported": "exported", ":differs": "differs"},
            {"#state": "state"},
        )

    def mark_mismatch(self, document: Document, why: NeedsAttention) -> bool:
        """Mark a finished document that is no longer in Rillet as it was booked.

        A deletion or double booking that is recorded already is more severe than another total, and stays.

        Returns:
            Whether the document is finished, so that its record can be marked.
        """
        facts = bounded(_cause(why))
        record = self.read(document) or {}
        if record.get("state") == "differs" and all(record.get(name) == facts[name] for name in facts):
            return True
        only_total = why.code is Code.TOTAL_DIFFERS
        condition = "#state = :exported OR (#state = :differs AND #code = :total)" if only_total else _IS_DONE
        return (
            self._change_state(document, record, "differs", facts, condition)
            or record.get("state") in FINISHED
        )

    def clear_mismatch(self, document: Document, remaining: NeedsAttention | None = None) -> bool:
        """Mark a document as exported again after its total in Rillet agrees again.

        Only a document that differed by nothing but its total changes.

        Args:
            document: the document.
            remaining: a remaining problem; the document is rejected with it, so that a retry continues.

        Returns:
            Whether it differed only by its total.
        """
        facts = _cause(remaining) if remaining else {}
        record, state = self.read(document) or {}, "rejected" if remaining else "exported"
        return self._change_state(document, record, state, facts, "#state = :differs AND #code = :total")

    def _change_state(
        self, document: Document, record: Item, state: str, facts: Mapping[str, Any], condition: str
    ) -> bool:
        """Change the state of a document without a lease, if the condition holds."""
        changes = bounded(
            {"state": state, "listed": document.index_key(state), "updated_at": int(self._clock()), **facts}
        )
        changes["history"] = self._history(record, state, changes)
        conditions = {":exported": "exported", ":differs": "differs", ":total": Code.TOTAL_DIFFERS.value}
        try:
            self._table.update_attributes(
                document.key,
                changes,
                condition,
                {name: value for name, value in conditions.items() if name in condition},
                {name: name[1:] for name in ("#state", "#code") if name in condition},
                remove=_CAUSE_ATTRIBUTES,
            )
        except ConditionFailed:
            return False
        return True

    def finish(self, claim: Claim, state: str, facts: Mapping[str, Any]) -> None:
        """Write the final state of a document, and release the lease."""
        self._write(
            claim,
            {"state": state, **facts},
            self._entry(state, facts),
            release=True,
            remove=_CAUSE_ATTRIBUTES,
        )

    def reject(self, claim: Claim, why: NeedsAttention, attempt: Attempt | None) -> None:
        """Record that a user must act. An attempt whose outcome is unknown stays in the record."""
        facts: Item = {"state": "rejected", **_cause(why)}
        if attempt:
            facts["attempt"] = attempt.as_item()
        self._write(claim, facts, self._entry("rejected", facts), release=True, remove=_CAUSE_ATTRIBUTES)

    def skip(self, claim: Claim, reason: str, rule: str = "") -> None:
        """Record that the document is not eligible for Rillet, by which rule."""
        facts = {"state": "skipped", "reason": reason, **({"rule": rule} if rule else {})}
        self._write(claim, facts, self._entry("skipped", facts), release=True, remove=_CAUSE_ATTRIBUTES)

    def release(self, claim: Claim, why: Recoverable | None = None) -> None:
        """Release the lease without a result, so that the next attempt need not wait for its end.

        After a write that may still take effect, the lease is kept for the rest of its time: nobody else may
        write newer data that the late write would replace.
        """
        new = audit_trail.waiting_entry(why, int(self._clock())) if why else None
        self._write(claim, {}, new, release=not _may_still_arrive(why))

    def return_lease(self, claim: Claim) -> None:
        """Return a lease under which nothing was recorded; a record that was made for it is deleted."""
        item = claim.record
        is_new = item["created_at"] == item["lease_until"] - LEASE_SECONDS and item["state"] == "claimed"
        values = {":owner": claim.owner}
        with contextlib.suppress(ConditionFailed):  # it ended, and another worker has it
            if is_new and "history" not in item:
                self._table.delete_if(claim.document.key, "lease_owner = :owner", values)
            else:
                self._table.update(
                    claim.document.key,
                    "REMOVE lease_owner, lease_until",
                    "lease_owner = :owner",
                    values,
                )

    def discard_claim(self, claim: Claim) -> None:
        """Release the lease on a document that is not ours, and delete a record that was made for it."""
        if claim.record.get("state") != "claimed" or "attempt" in claim.record:
            self.release(claim)
            return
        with contextlib.suppress(ConditionFailed):
            self._table.delete_if(claim.document.key, "lease_owner = :owner", {":owner": claim.owner})

    def resolve_manually(self, document: Document, state: str, facts: Mapping[str, Any]) -> Item:
        """Write the manual resolution of a document, whatever its state.

        Returns:
            The record before the resolution.

        Raises:
            RetryLater: a worker holds its lease.
        """
        now, record = int(self._clock()), self.read(document) or {}
        changes = bounded(
            {
                "schema_version": SCHEMA,
                "created_at": record.get("created_at", now),
                "updated_at": now,
                "state": state,
                "listed": document.index_key(state),
                **facts,
            }
        )
        changes["history"] = self._history(record, "settled_by_hand", changes)
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
            raise RetryLater(f"{document.id} is being processed at this moment.", after=5) from None
        return record

    def reopen(self, document: Document) -> None:
        """Reopen a document that was skipped manually, because a user requests it by its id."""
        record = self.read(document) or {}
        if record.get("state") != "skipped" or not record.get("by_hand"):
            return
        history = self._history(record, "asked_again", {})
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
        """The records of documents that have one; a hundred per request."""
        keys = {document.key: document for document in documents}
        pending, found = list(keys), dict[Document, Item]()
        for start in range(0, len(pending), _BATCH_SIZE):
            items = self._table.get_many(pending[start : start + _BATCH_SIZE])
            found |= {keys[key]: upgrade(keys[key], item) for key, item in items.items()}
        return found

    def in_state(self, connection: str, kind: str, state: str) -> Iterator[tuple[Document, Item]]:
        """The documents in a state, longest unchanged first, with the attributes that the index keeps.

        The index follows the table within about a second (DynamoDB, global secondary indexes).
        """
        prefix = f"{connection}#{kind}#"
        for item in self._table.query(BY_STATE, "listed", f"{prefix}{state}"):
            yield Document(connection, kind, str(item["pk"]).removeprefix(prefix)), item

    def count(self, connection: str, kind: str, state: str) -> int:
        """The number of documents in a state."""
        return self._table.count(BY_STATE, "listed", f"{connection}#{kind}#{state}")

    def _history(self, record: Item, what: str, facts: Mapping[str, Any]) -> list[audit_trail.Entry]:
        history = audit_trail.append_entry(record.get("history", []), self._entry(what, facts))
        return bounded_history({**record, **facts}, history)

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
        """Write facts, the document's own facts and a history entry, under the lease."""
        facts = bounded({**claim.document_facts, **facts})
        if "state" in facts:
            facts["listed"] = claim.document.index_key(str(facts["state"]))
        claim.written.update(facts)
        if new:
            history = audit_trail.append_entry(claim.record.get("history", []), new)
            facts["history"] = bounded_history({**claim.record, **claim.written}, history)
        try:
            self._table.update_attributes(
                claim.document.key,
                {**facts, "updated_at": int(self._clock())},
                "lease_owner = :owner",
                {":owner": claim.owner},
                remove=(*remove, *(_LEASE_ATTRIBUTES if release else ())),
            )
        except ConditionFailed:
            raise RetryLater(f"The lease on {claim.document.id} is lost; another worker continues.") from None
        if new:
            claim.record["history"] = facts["history"]


def _may_still_arrive(why: Recoverable | None) -> bool:
    return isinstance(why, OutcomeUnknown) and not why.over


def _cause(error: NeedsAttention) -> dict[str, str]:
    return {"code": error.code.value, "message": error.message, "remedy": error.remedy}
