"""The record of a row in Solvimon: by the settings, the ledger, its reference or its custom field."""

from collections.abc import Iterator

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.solvimon_fields import custom_value
from solvimon_rillet.workflows.imports.context import ImportContext
from solvimon_rillet.workflows.imports.look_up import RecordLookUp
from solvimon_rillet.workflows.imports.resource import ImportCandidate, Json


class RowSearch:
    """Looks for the record of one row.

    Args:
        context: what the row has in common with the others.
        candidate: the row, read and mapped.

    Attributes:
        deleted_id: the record that the ledger names and Solvimon no longer has; empty if there is none.
    """

    def __init__(self, context: ImportContext, candidate: ImportCandidate) -> None:
        self._context = context
        self._resource = context.resource
        self._row = candidate
        self._look_up = RecordLookUp(
            context.connection,
            context.resource.name,
            context.resource.collection,
            context.field,
            is_preview=context.dry_run,
        )
        self.deleted_id = ""

    def candidates(self, remembered_id: str, *, exists: bool) -> Iterator[Json | None]:
        """The look-ups, one after another; the caller stops at the first record.

        Args:
            remembered_id: the record that the ledger names; empty if it names none.
            exists: whether Solvimon has said that the record exists already.
        """
        find = self._look_up.find
        if self._row.pinned:
            yield self.pinned(self._row.pinned)
        if remembered_id:
            found = find(remembered_id)
            self.deleted_id = self.deleted_id if found else remembered_id
            yield found
        yield find(self._row.id)
        if exists or not self._context.target.field_is_new:
            yield self._by_field(exists=exists)
        for hint in self._row.hints:
            yield find(hint)

    def all(self) -> list[Json]:
        """All records of a collection whose list has no pages."""
        return self._look_up.all()

    def pinned(self, solvimon_id: str) -> Json:
        """The record that the settings name."""
        if found := self._look_up.find(solvimon_id):
            return found
        raise NeedsAttention(
            Code.SOLVIMON_RECORD_MISSING,
            f"The settings link it to {solvimon_id}, which Solvimon does not have.",
            f"Correct the entry {self._row.id} of the setting subsidiaries, then import again.",
        )

    def check_link(self, found: Json) -> None:
        """Refuse to change a record that is linked to another Rillet record."""
        linked = custom_value(found, self._context.field)
        if linked and linked.casefold() != self._row.id.casefold():
            raise NeedsAttention(
                Code.LINKED_ELSEWHERE,
                f"In Solvimon it is {found['id']}, which has another {self._resource.field_name}.",
                f"Correct the custom field {self._resource.field_name} ({self._context.field}) of "
                f"{found['id']} in Solvimon, or remove the duplicate in Rillet; then import again.",
                quoted=linked,
            )

    def _by_field(self, *, exists: bool) -> Json | None:
        """The record whose custom field holds the Rillet id.

        If Solvimon refuses the list's filter, the row is created; if the unique custom field then prevents
        that, this look-up is made again.
        """
        try:
            return self._look_up.find_linked(self._row.id)
        except NeedsAttention:
            if exists:
                raise
            return None
