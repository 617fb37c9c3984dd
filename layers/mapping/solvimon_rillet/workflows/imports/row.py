"""One row of an import: found in Solvimon, or created; changed where it differs; remembered.

Nothing is doubled, because a row is looked for in this order: the ledger's link, the record whose reference
is the Rillet id, the one whose custom field holds it, the one that Rillet's own record names. Only then it is
created, under a key that is the same for the same row. Who was faster is found by a second look.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown
from solvimon_rillet.fingerprint import fingerprint_of
from solvimon_rillet.ledger.import_state import ImportedRow, ImportState
from solvimon_rillet.mapping.solvimon_fields import patch_body
from solvimon_rillet.solvimon.client import AlreadyExists, NotFound, SolvimonClient
from solvimon_rillet.workflows.export.link_resolver import idempotency_key
from solvimon_rillet.workflows.imports.resource import ImportCandidate, ImportedResource, Json

LOOKS = 3  # how often a row is looked for when somebody was faster or an answer was lost


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """Where rows go: found or created once, before the first row.

    Attributes:
        field_is_new: whether no record can hold a Rillet id yet, so that there is nothing to look up by it.
        category_id: Solvimon's id of the category for products.
    """

    field_is_new: bool = False
    category_id: str = ""


@dataclass(frozen=True, slots=True)
class ImportContext:
    """What all rows of a run have in common.

    Attributes:
        kind: what the rows are.
        connection: its name.
        name: the run's own name; it stays the same when the run was cut off and goes on.
        field: reference of the custom field that holds the Rillet id.
        solvimon: where the rows go.
        ledger: remembers them.
        target: the custom field and category.
        dry_run: writes nothing anywhere.
        recheck: looks at every record in Solvimon, also where Rillet's row is what it was.
    """

    kind: ImportedResource
    connection: str
    name: str
    field: str
    solvimon: SolvimonClient
    ledger: ImportState
    target: ImportTarget
    dry_run: bool = False
    recheck: bool = False


@dataclass(frozen=True, slots=True)
class RowResult:
    """How a row ended.

    Attributes:
        outcome: ``created``, ``updated``, ``archived``, ``unchanged`` or ``skipped``.
        writes: calls that were to change something in Solvimon.
        notes: what a person should know.
    """

    outcome: str
    writes: int = 0
    notes: Sequence[str] = ()


class ImportRow:
    """One row.

    Args:
        run: the run that it belongs to.
        imported: the row, read and mapped.
        known: what the ledger remembers of it.
    """

    def __init__(self, run: ImportContext, imported: ImportCandidate, known: ImportedRow | None) -> None:
        self._run = run
        self._kind = run.kind
        self._solvimon = run.solvimon
        self._row = imported
        self._hash = fingerprint_of([imported.mapped.payload, imported.mapped.active, imported.pinned])
        self._known = known
        self._at = ""  # the record in Solvimon
        self._gone = ""  # a record that is not there any more
        self._taken: AlreadyExists | None = None
        self._keys_spent = 0
        self._outcome = ""
        self._writes = 0
        self._notes: list[str] = []

    def run(self) -> RowResult:
        """Import the row.

        Raises:
            NeedsAttention: it cannot be imported as it is.
            RetryLater: Solvimon or the ledger does not take it now.
            OutcomeUnknown: Solvimon failed several times; the row may be there or not.
        """
        if self._known and self._known.hash == self._hash:
            if self._known.run == self._run.name:  # written before this very run was cut off
                return RowResult(self._known.outcome)
            if not self._run.recheck:
                return RowResult("unchanged" if self._known.solvimon_id else "skipped")
        for look in range(1, LOOKS + 1):
            try:
                current = self._find()
                return self._create() if current is None else self._update(current)
            except AlreadyExists as taken:
                self._taken, self._outcome = taken, ""
            except NotFound:  # deleted this very moment
                self._gone, self._known = self._at, None
            except OutcomeUnknown as unknown:
                self._keys_spent += unknown.key_spent
                if look == LOOKS:
                    raise
        raise NeedsAttention(
            Code.LINKED_ELSEWHERE,
            f"Solvimon says that it exists already, but does not show it ({self._taken or 'gone again'}).",
            "Look in Solvimon for a record with this Rillet id as its reference or custom field, also among "
            "the archived ones; correct it there, then import again.",
        )

    def _find(self) -> Json | None:
        """The row's record in Solvimon, if there is one."""
        for found in self._candidates():
            if found is not None:
                self._check_link(found)
                self._at = str(found["id"])
                return found
        return None

    def _candidates(self) -> Iterator[Json | None]:
        """Looked up one after another, until one is there."""
        collection, find = self._kind.collection, self._solvimon.find
        if self._row.pinned:
            yield self._pinned(self._row.pinned)
        if self._known and self._known.solvimon_id:
            found = find(collection, self._known.solvimon_id)
            self._gone = self._gone if found else self._known.solvimon_id
            yield found
        yield find(collection, self._row.id)
        if self._taken or not self._run.target.field_is_new:
            yield self._by_field()
        for hint in self._row.hints:
            yield find(collection, hint)

    def _by_field(self) -> Json | None:
        """The record whose custom field holds the Rillet id.

        The list's filter is documented in passing only, so its answer is looked at; and where Solvimon does
        not take it, a create that hits the unique custom field leads here again.
        """
        filters = {"custom_field": f"{self._run.field}:{self._row.id}"}
        try:
            listed = self._solvimon.find_all(self._kind.collection, **filters)
        except NeedsAttention:
            if self._taken:
                raise
            return None
        return next((each for each in listed if self._linked(each) == self._row.id), None)

    def _pinned(self, solvimon_id: str) -> Json:
        """The record that the settings name."""
        if found := self._solvimon.find(self._kind.collection, solvimon_id):
            return found
        raise NeedsAttention(
            Code.SOLVIMON_RECORD_MISSING,
            f"The settings link it to {solvimon_id}, which Solvimon does not have.",
            f"Correct the entry {self._row.id} of the setting subsidiaries, then import again.",
        )

    def _check_link(self, found: Json) -> None:
        """Refuse to turn a record that belongs to another Rillet record."""
        linked = self._linked(found)
        if linked and linked.casefold() != self._row.id.casefold():
            raise NeedsAttention(
                Code.LINKED_ELSEWHERE,
                f"In Solvimon it is {found['id']}, whose {self._kind.field_name} is {linked}.",
                f"Correct the custom field {self._kind.field_name} ({self._run.field}) of {found['id']} in "
                "Solvimon, or remove the duplicate in Rillet; then import again.",
            )

    def _linked(self, found: Json) -> str | None:
        for value in found.get("custom_fields") or []:
            if value.get("reference") == self._run.field:
                return value.get("value") or next(iter(value.get("values") or ()), None)
        return None

    def _create(self) -> RowResult:
        if not self._row.mapped.active:
            self._outcome = "skipped"
            return self._done(None)
        self._kind.check_new(self._row, self._solvimon)
        if self._begin("created"):
            record = self._solvimon.create(self._kind.collection, self._row.mapped.payload, self._key())
            if self._kind.has_status and record.get("status") != "ACTIVE" and self._begin("created"):
                record = self._solvimon.transition(self._kind.collection, record["id"], "activate")
            return self._done(record)
        return self._done(None)

    def _key(self) -> str:
        """The same for the same row, unless the record is gone, or the key answers nothing but a failure."""
        parts = [self._run.connection, f"import-{self._kind.name}", self._row.id, self._hash, self._gone]
        again = [self._run.name, str(self._keys_spent)] if self._keys_spent else []
        return idempotency_key(*parts, *again)

    def _update(self, current: Json) -> RowResult:
        if not self._row.mapped.active:
            return self._archive(current)
        wanted, self._notes = self._kind.eligible(self._row, current)
        record, body, record_id = current, patch_body(current, wanted), current["id"]
        if body and self._begin("updated"):
            record = self._solvimon.update(self._kind.collection, record_id, body)
        if self._is_ours_to_activate(current) and self._begin("updated"):
            record = self._solvimon.transition(self._kind.collection, record_id, "activate")
        elif current.get("status") == "ARCHIVED":
            self._notes.append("It is archived in Solvimon, and stays so.")
        return self._done(record)

    def _archive(self, current: Json) -> RowResult:
        record = current
        if current.get("status") != "ARCHIVED" and self._begin("archived"):
            record = self._solvimon.transition(self._kind.collection, current["id"], "archive")
        return self._done(record)

    def _is_ours_to_activate(self, current: Json) -> bool:
        """Whether an import has archived it, or was cut off between creating and activating it."""
        if not self._kind.has_status:
            return False
        if current.get("status") == "ARCHIVED":
            return bool(self._known and self._known.archived)
        return current.get("status") == "DRAFT" and current.get("reference") == self._row.id

    def _begin(self, outcome: str) -> bool:
        """Note that something is about to be written; in a dry run, nothing is."""
        self._outcome = self._outcome or outcome
        if self._run.dry_run:
            return False
        self._writes += 1
        return True

    def _done(self, record: Json | None) -> RowResult:
        """Remember the row, so that it costs nothing as long as it stays the same."""
        outcome = self._outcome or "unchanged"
        if not self._run.dry_run:
            solvimon_id = record["id"] if record else ""
            archived = not self._row.mapped.active
            known = ImportedRow(solvimon_id, self._hash, outcome, self._run.name, archived)
            link = self._kind.link_facts(self._row, record) if record else None
            self._run.ledger.store_row(self._row.id, known, link, self._kind.link_seconds)
        notes = [*self._row.mapped.notes, *self._notes] if outcome not in {"unchanged", "skipped"} else []
        return RowResult(outcome, self._writes, notes)
