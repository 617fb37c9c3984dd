"""The customers, products and subsidiaries of both systems, read to find those that are probably the same.

A list costs one call per hundred records. What was read of Rillet is kept by the process: its customers can
be listed by their last change, so that only the changes are read again.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from solvimon_rillet.errors import RetryLater
from solvimon_rillet.mapping.likeness import Record, Records, rillet_record, solvimon_record
from solvimon_rillet.mapping.solvimon_fields import custom_value
from solvimon_rillet.rillet.answers import RowPage
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient

Json = dict[str, Any]
_OVERLAP_SECONDS = 600  # of two readings of Rillet's customers: clocks differ, and lists lag
_READING_TTL = 60  # a record that is alike may be proposed from such a reading
_TTL_SECONDS = 600  # of Rillet's products and subsidiaries, which cannot be listed by their last change
COLLECTIONS = {"customer": "customers", "product": "products", "subsidiary": "billing-entities"}
"""Solvimon's collections by kind of record."""
MAX_LISTED = 20_000
"""Records of Solvimon that a process keeps whole: about 100 MB of the functions' 512."""


class ListedRecords:
    """Whole records of Solvimon from a list, found as its API finds them.

    Args:
        rows: of the list.
        reference: of the custom field that holds the Rillet id.
    """

    def __init__(self, rows: list[Json], reference: str) -> None:
        self.rows = rows
        by_reference = {str(row["reference"]): row for row in rows if row.get("reference")}
        self._by_key = by_reference | {str(row["id"]): row for row in rows}
        linked = ((custom_value(row, reference), row) for row in rows)
        self._by_rillet_id = {rillet_id: row for rillet_id, row in linked if rillet_id}

    def find(self, key: str) -> Json | None:
        """A record by its id or reference."""
        return self._by_key.get(key)

    def find_linked(self, rillet_id: str) -> Json | None:
        """The record whose custom field holds a Rillet id."""
        return self._by_rillet_id.get(rillet_id)


@dataclass(slots=True)
class _CustomerReading:
    """A reading of Rillet's customers that is not complete; it continues after a refused call."""

    started: float
    since: str | None
    cursor: str | None = None
    seen: set[str] = field(default_factory=set)


@dataclass(slots=True)
class RilletCache:
    """Rillet's lists as a process has read them, for one connection.

    Attributes:
        lock: held while a list is read.
        customers: by id.
        customers_read_at: start of the last complete reading, in unix seconds.
        reading: a reading of the customers that is not complete.
        current: the customers of the last complete reading.
        others: products and subsidiaries, with the end of their validity.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    customers: dict[str, Record] = field(default_factory=dict)
    customers_read_at: float | None = None
    reading: _CustomerReading | None = None
    current: Records | None = None
    others: dict[str, tuple[float, Records]] = field(default_factory=dict)


class Directory:
    """The records of one connection's two systems.

    Every method may raise what the clients raise, and ``RetryLater`` for a list that restarted while it was
    read.

    Args:
        settings: of the connection.
        solvimon: its Solvimon platform.
        rillet: its Rillet organisation.
        clock: unix seconds.
        cache: what the process has read of Rillet.
    """

    def __init__(
        self,
        settings: Settings,
        solvimon: SolvimonClient,
        rillet: RilletClient,
        clock: Callable[[], float],
        cache: RilletCache,
    ) -> None:
        self._settings = settings
        self._solvimon = solvimon
        self._rillet = rillet
        self._clock = clock
        self._cache = cache
        self._lock = threading.Lock()
        self._in_solvimon: dict[str, Records] = {}
        self._listed: dict[str, ListedRecords | None] = {}

    def in_solvimon(self, kind: str) -> Records:
        """Solvimon's records of a kind, read once."""
        with self._lock:
            if kind not in self._in_solvimon:
                reference = self._reference(kind)
                rows = self._solvimon_rows(kind)
                self._in_solvimon[kind] = Records(solvimon_record(kind, row, reference) for row in rows)
            return self._in_solvimon[kind]

    def listed_in_solvimon(self, kind: str) -> ListedRecords | None:
        """The whole records of a kind in Solvimon, read once; ``None`` if there are too many to keep."""
        with self._lock:
            if kind not in self._listed:
                reference, kept, compared = self._reference(kind), list[Json](), list[Record]()
                for row in self._solvimon_rows(kind):
                    compared.append(solvimon_record(kind, row, reference))
                    if len(kept) <= MAX_LISTED:
                        kept.append(row)
                self._in_solvimon[kind] = Records(compared)
                self._listed[kind] = ListedRecords(kept, reference) if len(kept) <= MAX_LISTED else None
            return self._listed[kind]

    def _reference(self, kind: str) -> str:
        return str(getattr(self._settings.custom_fields, kind))

    def remembered_in_rillet(self, kind: str) -> Records | None:
        """Rillet's records as the process read them within the last minute, without a call; else ``None``.

        Enough to propose a record that is alike, never to create one because none is.
        """
        with self._cache.lock:
            if kind != "customer":
                until, records = self._cache.others.get(kind, (0.0, Records(())))
                return records if self._clock() < until else None
            read_at = self._cache.customers_read_at
            is_recent = read_at is not None and self._clock() - read_at < _READING_TTL
            return self._cache.current if is_recent else None

    def in_rillet(self, kind: str) -> Records:
        """Rillet's records of a kind; customers as they are now, others as within ten minutes."""
        with self._cache.lock:
            if kind == "customer":
                return self._current_customers()
            until, records = self._cache.others.get(kind, (0.0, Records(())))
            if self._clock() >= until:
                rows = self._product_rows() if kind == "product" else self._rillet.subsidiary_rows().rows
                records = Records(map(self._record_of(kind), rows))
                self._cache.others[kind] = (self._clock() + _TTL_SECONDS, records)
            return records

    def first_in_solvimon(self, kind: str, limit: int) -> list[Record]:
        """The first of Solvimon's records of a kind, by reads that no write is mistaken for.

        Products can be listed page by page only by a POST, so of them there is one page.
        """
        reference = str(getattr(self._settings.custom_fields, kind))
        rows = iter(self._solvimon.find_all(COLLECTIONS[kind]))
        if kind == "customer":
            rows = self._solvimon_rows(kind)
        return [solvimon_record(kind, row, reference) for row in islice(rows, limit)]

    def _solvimon_rows(self, kind: str) -> Iterator[Json]:
        if kind == "subsidiary":  # a list without pages
            yield from self._solvimon.find_all(COLLECTIONS[kind])
            return
        number, more = 0, True
        while more:
            number += 1
            if kind == "product":
                rows, more = self._solvimon.search(COLLECTIONS[kind], number)
            else:
                order = {"order_by": "created_at", "order_direction": "asc"}
                rows, more = self._solvimon.page(COLLECTIONS[kind], number, **order)
            yield from rows

    def _current_customers(self) -> Records:
        cache = self._cache
        reading = cache.reading or _CustomerReading(self._clock(), self._changed_since())
        cache.reading = reading
        for page in self._pages(reading, lambda cursor: self._rillet.customer_rows(cursor, reading.since)):
            read = {record.id: record for record in map(self._record_of("customer"), page.rows)}
            if any(cache.customers.get(identifier) != record for identifier, record in read.items()):
                cache.current = None
            cache.customers |= read
        cache.reading, cache.customers_read_at = None, reading.started
        cache.current = cache.current or Records(cache.customers.values())
        return cache.current

    def _changed_since(self) -> str | None:
        if self._cache.customers_read_at is None:
            return None
        since = datetime.fromtimestamp(self._cache.customers_read_at - _OVERLAP_SECONDS, UTC)
        return since.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _product_rows(self) -> list[Any]:
        pages = self._pages(_CustomerReading(self._clock(), None), self._rillet.product_rows)
        return [row for page in pages for row in page.rows]

    def _pages(self, reading: _CustomerReading, read: Callable[[str | None], RowPage]) -> Iterator[RowPage]:
        """The pages of a list of Rillet's from where the reading stopped.

        Raises:
            RetryLater: the list restarted (an expired cursor does that without an error), or a row has no id.
        """
        while True:
            page = read(reading.cursor)
            ids = {row.get("id") if isinstance(row, dict) else None for row in page.rows}
            if None in ids or ids & reading.seen:
                self._cache.reading = None
                raise RetryLater("Rillet's list changed while it was read.", after=5)
            yield page
            reading.seen |= {str(identifier) for identifier in ids}
            reading.cursor = page.next_cursor
            if reading.cursor is None:
                return

    def _record_of(self, kind: str) -> Callable[[Any], Record]:
        reference_type = self._settings.reference_types.customer
        return lambda row: rillet_record(kind, row, reference_type)
