"""The ledger: one record per document and connection, which ensures that an export happens exactly once.

States: ``claimed`` → ``sending`` (intent written) → ``exported`` | ``rejected`` | ``skipped`` | ``differs``.

Every write names the lease that it relies on. A lease is longer than any function (90 s against 60 s), so
until it ends, its owner is the only one that may call Rillet for the document::

    claim ── may send until 60 s ───────────────────────────────────── lease ends at 90 s ──▶ free again
      └─ read, map, tie out ─ record_attempt (the stamp)
                                └─ token, send time, connection ─ after 60 s: not sent
                                    └─ bytes leave ─ exported, refused, or nothing happened: released
                                          └─ no answer: the lease is kept, the attempt stays open

A call whose answer was lost may be carried out later than anybody waits for it::

    bytes leave ── settle time: nothing is sent, nothing is looked for ── 15 min ──▶
      ├─ the same payload, within 23 h: the same key again
      └─ else it is looked up; absent: a new attempt with a new key
           └─ the old one stays in the record as replaced ── 26 h ──▶ the sweep looks once more

Whatever arrives later than that carries our reference: a webhook, the sweep or the reconciliation sees it,
and the document is ``exported_twice``.
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item
from solvimon_rillet.errors import NeedsAttention, OutcomeUnknown, Recoverable, RetryLater
from solvimon_rillet.ledger import audit_trail
from solvimon_rillet.ledger.record_size import bounded, bounded_history
from solvimon_rillet.ledger.record_store import CAUSE_ATTRIBUTES, LEASE_ATTRIBUTES, RecordStore, cause_of
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
    "SEND_SECONDS",
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


class Ledger(RecordStore):
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

    def record_first(self, document: Document, state: str, facts: Mapping[str, Any]) -> bool:
        """Write the result for a document without a record in one write, where no lease is needed.

        Returns:
            Whether it had none. A record, even one that is only claimed, stays as it is.
        """
        now = int(self._clock())
        item: Item = {
            "state": state,
            "listed": document.index_key(state),
            "schema_version": SCHEMA,
            "created_at": now,
            "updated_at": now,
            **facts,
        }
        item["history"] = [self._entry(state, facts)]
        item |= self.index.add(document, {}, item, now)
        try:
            self._table.put(document.key, bounded(item), "attribute_not_exists(pk)")
        except ConditionFailed:
            return False
        return True

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

    def record_attempt(self, claim: Claim, attempt: Attempt, replaced: Sequence[Attempt] = ()) -> None:
        """Write the attempt, before the call, and those that it replaces although they are open."""
        item = attempt.as_item()
        new = self._entry("refused" if attempt.refused else "sent", item)
        facts: Item = {"state": "sending", "attempt": item}
        if replaced:
            facts["replaced"] = [each.as_item() for each in replaced]
        self._write(claim, facts, new, release=False)

    def record_step(self, claim: Claim, facts: Mapping[str, Any]) -> None:
        """Write one of several steps of a document, and keep the lease."""
        what = str(facts.get("step") or next(iter(facts)))
        self._write(claim, {"state": "sending", **facts}, self._entry(what, facts), release=False)

    def finish(self, claim: Claim, state: str, facts: Mapping[str, Any]) -> None:
        """Write the final state of a document, and release the lease."""
        self._write(
            claim,
            {"state": state, **facts},
            self._entry(state, facts),
            release=True,
            remove=CAUSE_ATTRIBUTES,
        )

    def reject(self, claim: Claim, why: NeedsAttention, attempt: Attempt | None) -> None:
        """Record that a user must act. An attempt whose outcome is unknown stays in the record."""
        facts: Item = {"state": "rejected", **cause_of(why), **claim.facts_on_release}
        if attempt:
            facts["attempt"] = attempt.as_item()
        self._write(claim, facts, self._entry("rejected", facts), release=True, remove=CAUSE_ATTRIBUTES)

    def skip(self, claim: Claim, reason: str, rule: str = "") -> None:
        """Record that the document is not eligible for Rillet, by which rule."""
        facts = {"state": "skipped", "reason": reason, **({"rule": rule} if rule else {})}
        self._write(claim, facts, self._entry("skipped", facts), release=True, remove=CAUSE_ATTRIBUTES)

    def release(self, claim: Claim, why: Recoverable | None = None) -> None:
        """Release the lease without a result, so that the next attempt need not wait for its end.

        After a write that may still take effect, the lease is kept for the rest of its time: no other
        worker may write newer data that the late write would replace.
        """
        new = audit_trail.waiting_entry(why, int(self._clock())) if why else None
        facts = {**claim.facts_on_release, **self._waiting_state({**claim.record, **claim.written}, why)}
        self._write(claim, facts, new, release=not _may_still_arrive(why))

    @staticmethod
    def _waiting_state(record: Item, why: Recoverable | None) -> Item:
        """The state of a record whose work waits: a customer may be edited again after it was synchronised.

        What was rejected stays so: it waits for a person, too.
        """
        was_done = record.get("state") in {"synced", "marked", "skipped"}
        return {"state": "claimed"} if why and was_done else {}

    def record_wait(self, document: Document, why: Recoverable) -> None:
        """Record that a document waits although no worker could claim it: its connection cannot be opened."""
        now, record = int(self._clock()), self.read(document)
        if record and (
            is_done(record) or record["state"] == "rejected" or record.get("lease_until", 0) > now
        ):
            return
        before: Item = record or {"created_at": now}
        entry = audit_trail.waiting_entry(why, now)
        facts: Item = {
            "state": "sending" if before.get("state") == "sending" else "claimed",
            "schema_version": SCHEMA,
            "created_at": before.get("created_at", now),
            "updated_at": now,
            "history": audit_trail.append_entry(before.get("history", []), entry),
        }
        facts |= {
            "listed": document.index_key(facts["state"]),
            **self.index.add(document, before, facts, now),
        }
        condition = "updated_at = :read" if record else "attribute_not_exists(pk)"
        values = {":read": record["updated_at"]} if record else {}
        with contextlib.suppress(ConditionFailed):  # a worker has it, and says itself what happens
            self._table.update_attributes(document.key, bounded(facts), condition, values)

    def return_lease(self, claim: Claim) -> None:
        """Return a lease under which nothing was recorded; a record that was made for it is deleted."""
        item = claim.record
        # A lease that was kept after a lost answer leaves such a record too; the next holder deletes it.
        is_empty = item["state"] == "claimed" and not {"history", "attempt"} & item.keys()
        values = {":owner": claim.owner}
        with contextlib.suppress(ConditionFailed):  # it ended, and another worker has it
            if is_empty:
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
        self.index.remove(claim.document, claim.record)
        with contextlib.suppress(ConditionFailed):
            self._table.delete_if(claim.document.key, "lease_owner = :owner", {":owner": claim.owner})

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
        known = {**claim.record, **claim.written}
        facts |= self.index.add(claim.document, known, facts, int(self._clock()))
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
                remove=(*remove, *(LEASE_ATTRIBUTES if release else ())),
            )
        except ConditionFailed:
            raise RetryLater(f"The lease on {claim.document.id} is lost; another worker continues.") from None
        if new:
            claim.record["history"] = facts["history"]


def _may_still_arrive(why: Recoverable | None) -> bool:
    return isinstance(why, OutcomeUnknown) and not why.over
