"""One row of an import: found in Solvimon or created, changed where it differs, and remembered.

No record is created twice, because a row is looked up in this order: the ledger's link, the record whose
reference is the Rillet id, the one whose custom field holds it, the one that Rillet's own record names. Only
then it is created, under an idempotency key that is the same for the same row. If Solvimon answers that the
record exists already, it is looked up again. A record that is only like it (same e-mail or name) is proposed
to a user instead (``workflows/linking``).

A customer is compared and written under its lease, because its synchronisation does the same in the other
direction. What a person has edited in Solvimon meanwhile stays.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown
from solvimon_rillet.fingerprint import fingerprint_of, idempotency_key
from solvimon_rillet.ledger.import_state import ImportedRow
from solvimon_rillet.ledger.matches import Match
from solvimon_rillet.mapping.likeness import rillet_record
from solvimon_rillet.mapping.solvimon_fields import patch_body
from solvimon_rillet.solvimon.master_data import Customer
from solvimon_rillet.solvimon.rejections import AlreadyExists, NotFound
from solvimon_rillet.workflows.customers.customer_lease import customer_lease
from solvimon_rillet.workflows.customers.erasures import Erasures, is_erased
from solvimon_rillet.workflows.customers.late_imports import (
    SYNCED_PARTS,
    late_parts,
    other_parts_changed,
    update_customer,
)
from solvimon_rillet.workflows.imports.context import ImportContext, RowResult
from solvimon_rillet.workflows.imports.edits import EDITED, is_edited, is_outdated, late_write_facts
from solvimon_rillet.workflows.imports.resource import ImportCandidate, Json
from solvimon_rillet.workflows.imports.row_search import RowSearch
from solvimon_rillet.workflows.late_writes import (
    KEEP_SECONDS,
    may_arrive_late,
)

_ERASED = "It is erased in Solvimon and is left as it is; erase it in Rillet by hand as well."
MAX_LOOK_UPS = 3  # look-ups of one row where another program created it first, or an answer was lost


class ImportRow:
    """One row.

    Args:
        context: what it has in common with the other rows.
        row: as Rillet lists it.
        candidate: the row, read and mapped.
        remembered: the row in the ledger, if an earlier import wrote it.
    """

    def __init__(
        self, context: ImportContext, row: Json, candidate: ImportCandidate, remembered: ImportedRow | None
    ) -> None:
        self._context = context
        self._resource = context.resource
        self._solvimon = context.connection.solvimon
        self._search = RowSearch(context, candidate)
        self._listed = row
        self._row = candidate
        self._hash = fingerprint_of([candidate.mapped.payload, candidate.mapped.active, candidate.pinned])
        self._remembered = remembered
        self._solvimon_id = ""
        self._already_exists: AlreadyExists | None = None
        self._erasures = Erasures(context.connection)
        self._keys_spent = 0
        self._outcome = ""
        self._writes = 0
        self._notes: list[str] = []
        self._fields: list[str] = []
        self._stack = ExitStack()
        self._leased_id = ""
        self._is_edited = False  # in Solvimon, and the edit is not in Rillet yet
        self._late_writes: Json = {}
        self._late_at = remembered.late_at if remembered else 0

    def run(self) -> RowResult:
        """Import the row.

        Raises:
            NeedsAttention: it cannot be imported as it is.
            RetryLater: Solvimon or the ledger is not available.
            OutcomeUnknown: Solvimon failed several times; the record may exist or not.
        """
        if self._remembered and self._remembered.hash == self._hash:
            if self._remembered.run == self._context.run:  # written before this execution was interrupted
                return RowResult(self._remembered.outcome)
            if not self._context.recheck and not self._remembered.late_at:
                return RowResult("unchanged" if self._remembered.solvimon_id else "skipped")
        with self._stack:
            return self._import()

    def _import(self) -> RowResult:
        for attempt in range(1, MAX_LOOK_UPS + 1):
            try:
                current = self._find()
                return self._create() if current is None else self._update(current)
            except AlreadyExists as error:
                self._already_exists, self._outcome = error, ""
            except NotFound:  # deleted after it was found
                self._search.deleted_id, self._remembered = self._solvimon_id, None
            except OutcomeUnknown as unknown:
                self._keys_spent += unknown.key_spent
                if may_arrive_late(unknown):
                    self._remember_late_write()
                if attempt == MAX_LOOK_UPS:
                    raise
        raise NeedsAttention(
            Code.LINKED_ELSEWHERE,
            "Solvimon says that it exists already, but does not show it.",
            "Look in Solvimon for a record with this Rillet id as its reference or custom field, also among "
            "the archived ones; correct it there, then import again.",
            quoted=self._already_exists.message if self._already_exists else "it was deleted again",
        )

    def _remember_late_write(self) -> None:
        """Let the next imports look at the record again, for as long as a lost write may arrive."""
        self._late_at = int(self._context.connection.clock())
        if self._remembered and self._remembered.solvimon_id:
            late = replace(self._remembered, late_at=self._late_at)
            self._context.state.store_row(self._row.id, late, None, None)

    def _find(self) -> Json | None:
        """The row's record in Solvimon, if there is one."""
        remembered_id = self._remembered.solvimon_id if self._remembered else ""
        for found in self._search.candidates(remembered_id, exists=self._already_exists is not None):
            if found is not None:
                self._search.check_link(found)
                self._solvimon_id = str(found["id"])
                return self._under_lease(found)
        return None

    def _under_lease(self, found: Json) -> Json:
        """The record as it is while this run holds its lease.

        Raises:
            NotFound: it was deleted meanwhile.
            RetryLater: another worker holds the lease; the page is read and tried again.
        """
        if not self._resource.guard or self._context.dry_run or self._leased_id == self._solvimon_id:
            return found
        connection = self._context.connection
        self._stack.close()
        self._stack.enter_context(
            customer_lease(connection, self._solvimon_id, self._context.run, writes_to_rillet=False)
        )
        self._leased_id = self._solvimon_id
        record = self._solvimon.find(self._resource.collection, self._solvimon_id)
        if record is None:
            raise NotFound
        return record

    def _left_alone(self, current: Json) -> str:
        """The reason why an import leaves a customer as it is (erased, archived by a person), or empty."""
        if self._resource.name != "customer":
            return ""
        try:
            erased = is_erased(Customer.model_validate(current))
        except ValidationError:  # Solvimon's record has something in another form than documented
            erased = False
        if erased:
            if not self._context.dry_run:
                self._erasures.remember(self._row.id, str(current["id"]))
            return _ERASED
        archived = current.get("status") == "ARCHIVED" and not self._may_activate(current)
        return "It is archived in Solvimon and is left as it is." if archived else ""

    def _create(self) -> RowResult:
        if self._resource.name == "customer" and self._erasures.includes(self._row.id):
            return RowResult("skipped", 0, [_ERASED])
        if not self._row.mapped.active:
            self._outcome = "skipped"
            return self._remember(None)
        if not self._already_exists and (matches := self._matches()):
            if match := self._context.matching.to_be_linked(matches):
                found = self._search.pinned(match.solvimon_id)
                self._search.check_link(found)
                self._solvimon_id = match.solvimon_id
                return self._update(found)
            return RowResult("proposed", matches=matches)
        self._resource.check_before_create(self._row, self._search.all)
        if self._may_write("created"):
            record = self._solvimon.create(
                self._resource.collection, self._row.mapped.payload, self._idempotency_key()
            )
            if self._resource.has_status and record.get("status") != "ACTIVE" and self._may_write("created"):
                record = self._solvimon.transition(self._resource.collection, record["id"], "activate")
            return self._remember(record)
        return self._remember(None)

    def _matches(self) -> list[Match]:
        """The pairs of the row and Solvimon's records that are like it and have no link."""
        kind, reference_type = self._resource.name, self._context.connection.settings.reference_types.customer
        return self._context.matching.in_solvimon(kind, rillet_record(kind, self._listed, reference_type))

    def _idempotency_key(self) -> str:
        """The same for the same row, unless its record was deleted or an earlier key is spent."""
        parts = [
            self._context.connection.name,
            f"import-{self._resource.name}",
            self._row.id,
            self._hash,
            self._search.deleted_id,
        ]
        again = [self._context.run, str(self._keys_spent)] if self._keys_spent else []
        return idempotency_key(*parts, *again)

    def _update(self, current: Json) -> RowResult:
        if not self._row.mapped.active:
            return self._archive(current)
        if why := self._left_alone(current):
            return RowResult("skipped", 0, [why])
        payload, self._notes = self._resource.update_payload(self._row, current)
        if self._resource.guard:
            link = self._link(current)
            if is_outdated(link, self._row):
                return RowResult("unchanged")
            self._late_writes = late_write_facts(link, self._context.connection.clock())
            payload = self._without_edits(current, payload, link)
        record, body, record_id = current, patch_body(current, payload), current["id"]
        self._fields = sorted(body)
        if body and self._may_write("updated"):
            record = self._patch(current, body)
            if self._resource.guard and other_parts_changed(current, record, body):
                self._is_edited = True  # a person did that between our read and our write
        if self._may_activate(current) and self._may_write("updated"):
            record = self._solvimon.transition(self._resource.collection, record_id, "activate")
        elif current.get("status") == "ARCHIVED":
            self._notes.append("It is archived in Solvimon and stays archived.")
        return self._remember(record)

    def _without_edits(self, current: Json, payload: Json, link: Mapping[str, Any]) -> Json:
        """The payload without what a person has edited in Solvimon; a late write of an import is no edit."""
        connection = self._context.connection
        late = late_parts(connection, link, current)
        restored = current | patch_body(current, {part: payload[part] for part in late if part in payload})
        if not patch_body(current, payload) or not is_edited(connection, link, restored):
            return payload
        self._is_edited, self._notes = True, [EDITED]
        kept = [part for part in SYNCED_PARTS if part not in late]
        return {name: value for name, value in payload.items() if name not in kept}

    def _patch(self, current: Json, body: Json) -> Json:
        if not self._resource.guard:
            return self._solvimon.update(self._resource.collection, current["id"], body)
        connection = self._context.connection
        record, late = update_customer(connection, current, body, self._row.id)
        self._late_writes |= late.facts_if_any()
        return record

    def _link(self, current: Json) -> Mapping[str, Any]:
        connection = self._context.connection
        return connection.ledger.find_link(connection.name, self._resource.name, str(current["id"])) or {}

    def _archive(self, current: Json) -> RowResult:
        record = current
        if current.get("status") != "ARCHIVED" and self._may_write("archived"):
            record = self._solvimon.transition(self._resource.collection, current["id"], "archive")
        return self._remember(record)

    def _may_activate(self, current: Json) -> bool:
        """Whether an import archived it, or was interrupted between creating and activating it."""
        if not self._resource.has_status:
            return False
        if current.get("status") == "ARCHIVED":
            return bool(self._remembered and self._remembered.archived)
        return current.get("status") == "DRAFT" and current.get("reference") == self._row.id

    def _may_write(self, outcome: str) -> bool:
        """Note the outcome and count the write; false in a dry run."""
        self._outcome = self._outcome or outcome
        if self._context.dry_run:
            return False
        self._writes += 1
        return True

    def _remember(self, record: Json | None) -> RowResult:
        """Remember the row, so that the next import passes it over as long as it stays the same.

        Of a customer with an edit in Solvimon, the link must keep what both sides were before it.
        """
        outcome = self._outcome or "unchanged"
        if not self._context.dry_run and not self._is_edited:
            solvimon_id = record["id"] if record else ""
            archived = not self._row.mapped.active
            late = self._late_at + KEEP_SECONDS > self._context.connection.clock()
            late_at = self._late_at if late else 0
            imported = ImportedRow(solvimon_id, self._hash, outcome, self._context.run, archived, late_at)
            link = self._resource.link_facts(self._row, record) if record else None
            link = {**link, **self._late_writes} if link else None
            self._context.state.store_row(self._row.id, imported, link, self._resource.link_seconds)
        notes = [*self._row.mapped.notes, *self._notes] if outcome not in {"unchanged", "skipped"} else []
        notes = [EDITED] if self._is_edited else notes
        return RowResult(outcome, self._writes, notes, fields=self._fields)
