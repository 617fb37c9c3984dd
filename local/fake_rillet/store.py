"""Objects kept in memory, each with its creation and update time."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from local.fake_rillet.problems import not_found
from local.fake_rillet.wire import read_timestamp, to_micros, write_timestamp

Json = dict[str, Any]


@dataclass
class Record:
    """One stored object.

    Attributes:
        id: its UUID.
        created: microseconds since the epoch.
        updated: microseconds since the epoch.
        document: what the API shows.
        private: what Rillet knows and its API does not show, such as an invoice's scope.
    """

    id: str
    created: int
    updated: int
    document: Json
    private: Json = field(default_factory=dict)


class Collection:
    """The objects of one kind in one organisation."""

    def __init__(self, kind: str, clock: Callable[[], float], *, stamped: bool = True) -> None:
        """Create an empty collection.

        Args:
            kind: the singular word for messages, such as "Invoice".
            clock: Unix seconds.
            stamped: whether the API shows `updated_at` on these objects.
        """
        self._kind = kind
        self._clock = clock
        self._stamped = stamped
        self._records: dict[str, Record] = {}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records.values()))

    def __contains__(self, object_id: str) -> bool:
        return object_id in self._records

    def add(self, document: Json, *, private: Json | None = None) -> Record:
        """Store a new object under its own `id` and `updated_at`, or under new ones."""
        seeded = document.get("updated_at")
        moment = read_timestamp(seeded) if seeded else to_micros(self._clock())
        object_id = document.get("id") or str(uuid.uuid4())
        record = Record(object_id, moment, moment, {}, private or {})
        self._records[object_id] = record
        self._write(record, document)
        return record

    def replace(self, object_id: str, document: Json) -> Record:
        """Replace an object whole, keeping only its id and creation time."""
        record = self.get(object_id)
        self._advance(record)
        self._write(record, document)
        return record

    def touch(self, record: Record) -> None:
        """Note that an object's document was just changed in place."""
        self._advance(record)
        if self._stamped:
            record.document["updated_at"] = write_timestamp(record.updated)

    def get(self, object_id: str) -> Record:
        """Return an object.

        Raises:
            Problem: 404, it does not exist.
        """
        record = self._records.get(object_id.lower())
        if record is None:
            raise not_found(f"{self._kind} {object_id}")
        return record

    def remove(self, object_id: str) -> None:
        """Delete an object for good."""
        del self._records[self.get(object_id).id]

    def documents(self) -> list[Json]:
        """Return what the API shows of every object, oldest first."""
        return [record.document for record in self]

    def _advance(self, record: Record) -> None:
        """Move an object's update time on: no two of its states share one, even while the clock stands."""
        record.updated = max(to_micros(self._clock()), record.updated + 1)

    def _write(self, record: Record, document: Json) -> None:
        shown = {"id": record.id} | {
            name: value for name, value in document.items() if value is not None and name != "id"
        }
        if self._stamped:
            shown["updated_at"] = write_timestamp(record.updated)
        record.document = shown
