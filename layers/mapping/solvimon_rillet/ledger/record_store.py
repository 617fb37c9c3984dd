"""Changes of documents' records that need no lease: mismatches, manual resolutions, added facts."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from solvimon_rillet.aws.dynamodb import MAX_KEYS, ConditionFailed, Item
from solvimon_rillet.errors import Code, NeedsAttention, RetryLater
from solvimon_rillet.ledger import audit_trail
from solvimon_rillet.ledger.document_index import DocumentIndex
from solvimon_rillet.ledger.links import LinkStore
from solvimon_rillet.ledger.record_size import MAX_RECORD_BYTES, bounded, bounded_history, size_of
from solvimon_rillet.ledger.records import FINISHED, SCHEMA, Document, upgrade

BY_STATE = "by_state"
"""Index of the table: the records of a connection, type and state, by the time of their last change."""
LEASE_ATTRIBUTES = ("lease_owner", "lease_until")
CAUSE_ATTRIBUTES = (
    "code",
    "message",
    "remedy",
    "reason",
    "rule",
    "about",
)  # attributes of the previous state; each state writes its own
_IS_DONE = "#state IN (:exported, :differs)"


class RecordStore(LinkStore):
    """Reads of documents' records, and the changes of them that no lease protects."""

    @cached_property
    def index(self) -> DocumentIndex:
        """The rows that find documents by number, by name and by time."""
        return DocumentIndex(self._table)

    def read(self, document: Document) -> Item | None:
        """A document's record, or ``None``."""
        record = self._table.get(document.key)
        return upgrade(document, record) if record else None

    def read_many(
        self, documents: Iterable[Document], attributes: Iterable[str] = ()
    ) -> dict[Document, Item]:
        """The records of documents that have one, or these attributes of them; a hundred per request."""
        keys = {document.key: document for document in documents}
        pending, found = list(keys), dict[Document, Item]()
        for start in range(0, len(pending), MAX_KEYS):
            items = self._table.get_many(pending[start : start + MAX_KEYS], attributes)
            found |= {keys[key]: upgrade(keys[key], item) for key, item in items.items()}
        return found

    def in_state(self, connection: str, kind: str, state: str) -> Iterator[tuple[Document, Item]]:
        """The documents in a state, longest unchanged first, with the attributes that the index keeps.

        The index follows the table within about a second (DynamoDB, global secondary indexes).
        """
        prefix = f"{connection}#{kind}#"
        for item in self._table.query(BY_STATE, "listed", f"{prefix}{state}"):
            yield Document(connection, kind, str(item["pk"]).removeprefix(prefix)), item

    def page_in_state(
        self,
        connection: str,
        kind: str,
        state: str,
        *,
        limit: int,
        after: tuple[int, str] | None = None,
        until: int | None = None,
    ) -> tuple[list[tuple[Document, Item]], tuple[int, str] | None]:
        """One page of ``in_state`` in one read of the index, but the latest changed first.

        Args:
            connection: its name.
            kind: the documents' type.
            state: their state.
            limit: documents of the page, at most.
            after: time and id of the last document of the page before.
            until: leave out what changed after it (unix seconds).

        Returns:
            The documents, and time and id of the last one; ``None`` after the last page.
        """
        prefix, listed = f"{connection}#{kind}#", f"{connection}#{kind}#{state}"
        start = after and {
            "listed": listed,
            "updated_at": after[0],
            "pk": f"{prefix}{after[1]}",
            "sk": "RECORD",
        }
        items, ended = self._table.query_page(
            BY_STATE,
            "listed",
            listed,
            limit=limit,
            after=start or None,
            until=None if until is None else ("updated_at", until),
        )
        found = [(Document(connection, kind, str(item["pk"]).removeprefix(prefix)), item) for item in items]
        return found, (int(ended["updated_at"]), str(ended["pk"]).removeprefix(prefix)) if ended else None

    def count(self, connection: str, kind: str, state: str, since: int | None = None) -> int:
        """The number of documents in a state; with ``since`` (unix seconds) those that changed since then."""
        later = None if since is None else ("updated_at", since)
        return self._table.count(BY_STATE, "listed", f"{connection}#{kind}#{state}", later)

    def add_facts(self, document: Document, facts: Mapping[str, Any]) -> None:
        """Add facts to a finished document; without effect on any other."""
        with contextlib.suppress(ConditionFailed):
            record = self._add(document, facts)
            if size_of(record) > MAX_RECORD_BYTES:
                self._add(document, {"history": bounded_history(record, record.get("history", []))})

    def forget_name(self, document: Document) -> None:
        """Forget the name of the customer of a document."""
        with contextlib.suppress(ConditionFailed):
            self._table.update(
                document.key, "SET customer = :none", "attribute_exists(customer)", {":none": ""}
            )

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
        facts = bounded(cause_of(why))
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
        facts = cause_of(remaining) if remaining else {}
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
        if record.get("state") in FINISHED:
            changes |= self.index.add(document, record, changes, int(self._clock()))
        conditions = {":exported": "exported", ":differs": "differs", ":total": Code.TOTAL_DIFFERS.value}
        try:
            self._table.update_attributes(
                document.key,
                changes,
                condition,
                {name: value for name, value in conditions.items() if name in condition},
                {name: name[1:] for name in ("#state", "#code") if name in condition},
                remove=CAUSE_ATTRIBUTES,
            )
        except ConditionFailed:
            return False
        return True

    def resolve_manually(
        self, document: Document, state: str, facts: Mapping[str, Any], seen: Item | None = None
    ) -> Item:
        """Write the manual resolution of a document, whatever its state.

        Args:
            document: the document.
            state: its state from now on.
            facts: further facts.
            seen: the record on which the resolution was decided; without it, the record as it is now.

        Returns:
            The record before the resolution.

        Raises:
            RetryLater: a worker holds its lease, or the record is not as it was seen.
        """
        now, record = int(self._clock()), (self.read(document) or {}) if seen is None else seen
        version = int(record.get("resolutions", 0))
        changes = bounded(
            {
                "schema_version": SCHEMA,
                "created_at": record.get("created_at", now),
                "updated_at": now,
                "state": state,
                "listed": document.index_key(state),
                **facts,
                # A counter, because two people may resolve a document within one second.
                "resolutions": version + 1,
            }
        )
        changes["history"] = self._history(record, "settled_by_hand", changes)
        changes |= self.index.add(document, record, changes, now)
        try:
            self._table.update_attributes(
                document.key,
                changes,
                "(attribute_not_exists(lease_until) OR lease_until <= :now) AND "
                "(attribute_not_exists(updated_at) OR updated_at = :read) AND "
                "(attribute_not_exists(resolutions) OR resolutions = :resolutions)",
                {":now": now, ":read": record.get("updated_at", 0), ":resolutions": version},
                remove=(*CAUSE_ATTRIBUTES, *LEASE_ATTRIBUTES),
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

    def _history(self, record: Item, what: str, facts: Mapping[str, Any]) -> list[audit_trail.Entry]:
        history = audit_trail.append_entry(record.get("history", []), self._entry(what, facts))
        return bounded_history({**record, **facts}, history)

    def _entry(self, what: str, facts: Mapping[str, Any]) -> audit_trail.Entry:
        return audit_trail.entry(what, int(self._clock()), facts)


def cause_of(error: NeedsAttention) -> dict[str, Any]:
    """Code, message, remedy and culprit, as a record has them."""
    about = {"about": error.about.as_item()} if error.about else {}
    return {"code": error.code.value, "message": error.message, "remedy": error.remedy, **about}
