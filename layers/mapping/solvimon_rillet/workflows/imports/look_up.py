"""Where an import looks a record of Solvimon up: in Solvimon, or for a preview in its list.

A preview writes nothing, so it may look at a list that was read once: one call for a hundred records instead
of two for each row.
"""

from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.connections.directory import ListedRecords
from solvimon_rillet.mapping.solvimon_fields import custom_value

Json = dict[str, Any]


class RecordLookUp:
    """Look-ups of one kind of record.

    Args:
        connection: the connection.
        kind: ``customer``, ``product`` or ``subsidiary``.
        collection: Solvimon's collection.
        reference: of the custom field that holds the Rillet id.
        is_preview: whether the list may answer.
    """

    def __init__(
        self, connection: Connection, kind: str, collection: str, reference: str, *, is_preview: bool
    ) -> None:
        self._solvimon = connection.solvimon
        self._directory = connection.directory
        self._kind = kind
        self._collection = collection
        self._reference = reference
        self._is_preview = is_preview

    def find(self, key: str) -> Json | None:
        """A record by id or reference."""
        listed = self._listed()
        return listed.find(key) if listed else self._solvimon.find(self._collection, key)

    def find_linked(self, rillet_id: str) -> Json | None:
        """The record whose custom field holds a Rillet id.

        The list's filter is hardly documented, so its answer is checked.

        Raises:
            NeedsAttention: Solvimon refuses the filter.
        """
        if listed := self._listed():
            return listed.find_linked(rillet_id)
        filters = {"custom_field": f"{self._reference}:{rillet_id}"}
        found = self._solvimon.find_all(self._collection, **filters)
        return next((each for each in found if custom_value(each, self._reference) == rillet_id), None)

    def all(self) -> list[Json]:
        """All records of a collection whose list has no pages."""
        listed = self._listed()
        return listed.rows if listed else self._solvimon.find_all(self._collection)

    def _listed(self) -> ListedRecords | None:
        return self._directory.listed_in_solvimon(self._kind) if self._is_preview else None
