"""One page of an import: one call to Rillet, and all of its rows written to Solvimon.

The ledger has the result of every row, so a page may be repeated as a whole at any time: after a crash, and
after Solvimon has asked to slow down halfway.
"""

import contextlib
import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import simplejson

from solvimon_rillet.errors import Code, ConnectionBroken, NeedsAttention, OutcomeUnknown, RetryLater
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.ledger.import_state import ImportedRow
from solvimon_rillet.mapping.solvimon_fields import one_line, truncate
from solvimon_rillet.workflows.durable.steps import Done, Wait
from solvimon_rillet.workflows.imports.context import ImportContext, RowResult
from solvimon_rillet.workflows.imports.preview import Preview, previewed, previewed_failure, proposal
from solvimon_rillet.workflows.imports.resource import ImportCandidate, Json
from solvimon_rillet.workflows.imports.row import ImportRow

logger = logging.getLogger(__name__)

CONCURRENT_ROWS = 8  # rows that are written to Solvimon at the same time
RETRY_PAUSES = (5, 30)  # seconds before the attempts that follow a failure of Solvimon; then the row fails
MIN_SECONDS_FOR_ROW = 60.0  # before the function's time limit; no row starts later
ROWS_NAMED_PER_NOTE = 3
_SHORT_ID_DIGITS = 12  # hexadecimal: in one of 50,000 imports, two of 100,000 rows have the same short id
_MAX_MESSAGE = 500  # characters of a vendor's error message


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The page to read.

    Attributes:
        cursor: of the page; ``None`` for the first one.
        since: RFC 3339; only rows that changed later.
        seen: short ids of the rows that earlier pages have done.
        only: Rillet ids of the rows to import; empty for all.
        failed_attempts: how often Solvimon has failed on rows of this page.
        max_failures: how many failures the answer can still list.
        number: of the page, from 1.
        max_rows: how many rows of a dry run the answer can still list.
    """

    cursor: str | None = None
    since: str | None = None
    seen: Collection[str] = ()
    only: Collection[str] = ()
    failed_attempts: int = 0
    max_failures: int = 100
    number: int = 1
    max_rows: int = 0


@dataclass(slots=True)
class PageResult:
    """The result of a page.

    Attributes:
        ids: short ids of all its rows.
        cursor: of the next page; ``None`` after the last one.
        counts: number of rows by outcome.
        failures: rows that need a person, with Rillet id and name.
        proposals: rows that Solvimon probably has, with the records that are like them.
        rows: in a dry run, what would become of each row.
        notes: by text, the number of rows that have it and the first of them.
    """

    ids: list[str] = field(default_factory=list)
    cursor: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Json] = field(default_factory=list)
    notes: dict[str, Json] = field(default_factory=dict)
    proposals: list[Json] = field(default_factory=list)
    rows: list[Json] = field(default_factory=list)

    def to_json(self, max_failures: int, max_rows: int) -> Json:
        """The result as it is checkpointed, with so many failures and rows; ``from_json`` reads it."""
        return {
            "ids": self.ids,
            "cursor": self.cursor,
            "counts": dict(self.counts),
            "failures": self.failures[:max_failures],
            "notes": self.notes,
            "proposals": self.proposals,
            "rows": self.rows[:max_rows],
        }

    @classmethod
    def from_json(cls, value: Json) -> "PageResult":
        """A checkpointed result."""
        counts: Counter[str] = Counter(value["counts"])
        # An execution that began with an earlier version has neither proposals nor rows.
        later = value.get("proposals", []), value.get("rows", [])
        return cls(value["ids"], value["cursor"], counts, value["failures"], value["notes"], *later)

    def add(self, candidate: ImportCandidate, row: RowResult) -> None:
        """Count a row that succeeded."""
        self.counts[row.outcome] += 1
        if row.matches:
            self.proposals.append(proposal(candidate, row.matches))
        for text in row.notes:
            note = self.notes.setdefault(text, {"rows": 0, "first": []})
            note["rows"] += 1
            note["first"] = [*note["first"], f"{candidate.name} ({candidate.id})"][:ROWS_NAMED_PER_NOTE]

    def add_failure(self, row: object, error: NeedsAttention) -> None:
        """Count a row that needs a person."""
        self.counts["failed"] += 1
        fields = row if isinstance(row, dict) else {}
        name = fields.get("name") or fields.get("trade_name")
        self.failures.append(
            {
                "rillet_id": fields.get("id"),
                "name": truncate(one_line(name)) if isinstance(name, str) else None,
                "code": error.code.value,
                "what": truncate(error.message, _MAX_MESSAGE),
                "remedy": error.remedy,
            }
        )


class ImportPage:
    """Reads and writes one page.

    Args:
        context: what all rows have in common.
        time_left: seconds until the function's time limit.
        preview: takes the rows of a dry run.
    """

    def __init__(
        self, context: ImportContext, time_left: Callable[[], float], preview: Preview | None = None
    ) -> None:
        self._context = context
        self._connection = context.connection
        self._resource = context.resource
        self._time_left = time_left
        self._preview = preview
        self._result = PageResult()
        self._writes = 0
        self._longest_wait: Wait | None = None
        self._start_no_more_rows = threading.Event()

    def run(self, request: PageRequest) -> Done | Wait:
        """Read the page and write its rows.

        Returns:
            A ``PageResult`` as JSON, or the wait after which the page must be tried again.

        Raises:
            NeedsAttention, ConnectionBroken: nothing more can be imported now.
            RetryLater, OutcomeUnknown: Rillet or the ledger does not answer.
        """
        listed = self._resource.list_rows(self._connection.rillet, request.cursor, request.since)
        rows = {short_id(row): row for row in listed.rows}
        self._result.ids, self._result.cursor = list(rows), listed.next_cursor
        new_rows = [
            row
            for identifier, row in rows.items()
            if identifier not in request.seen and (not request.only or _row_id(row) in request.only)
        ]
        solvimon_failed = self._write(self._map(new_rows))
        if solvimon_failed and self._longest_wait is None:
            self._retry_or_fail(solvimon_failed, request.failed_attempts)
        if wait := self._longest_wait:
            failed = bool(solvimon_failed)
            return Wait(wait.after, wait.reason, failed=failed, solvimon_writes=self._writes)
        if self._preview:
            failures = map(previewed_failure, self._result.failures)
            self._result.rows += failures
            self._preview.put(request.number, self._result.rows)
        result = self._result.to_json(request.max_failures, request.max_rows)
        return Done(result, solvimon_writes=self._writes)

    def _map(self, rows: Sequence[object]) -> list[tuple[object, ImportCandidate]]:
        category_id, mapped = self._context.target.category_id, []
        for row in rows:
            try:
                candidate = self._resource.map_row(row, self._connection.settings, category_id)
                mapped.append((row, candidate))
            except NeedsAttention as error:
                self._result.add_failure(row, error)
        return mapped

    def _write(self, rows: Sequence[tuple[object, ImportCandidate]]) -> list[object]:
        """Write several rows at the same time, and return those on which Solvimon failed."""
        remembered = self._context.state.imported_rows(candidate.id for _, candidate in rows)
        solvimon_failed = []
        pool = ThreadPoolExecutor(CONCURRENT_ROWS, thread_name_prefix="import")
        try:
            futures = [
                pool.submit(self._write_row, row, candidate, remembered.get(candidate.id))
                for row, candidate in rows
            ]
            for (row, candidate), future in zip(rows, futures, strict=True):
                try:
                    result = future.result()
                    self._result.add(candidate, result)
                    if self._preview:
                        self._result.rows.append(previewed(candidate, result))
                    self._writes += result.writes
                except NeedsAttention as error:
                    self._result.add_failure(row, error)
                except OutcomeUnknown as error:
                    logger.warning("row failing", extra={"rillet_id": candidate.id, "reason": str(error)})
                    solvimon_failed.append(row)
                except ConnectionBroken:
                    raise
                except RetryLater as error:
                    self._wait(RETRY_PAUSES[0] if error.after is None else error.after, str(error))
        finally:
            pool.shutdown(cancel_futures=True)
        return solvimon_failed

    def _write_row(
        self, row: object, candidate: ImportCandidate, remembered: ImportedRow | None
    ) -> RowResult:
        """Write one row, unless another row must wait or the time limit is near."""
        if self._start_no_more_rows.is_set() or self._time_left() < MIN_SECONDS_FOR_ROW:
            raise RetryLater("The rest of the page follows later.", after=1)
        try:
            listed = row if isinstance(row, dict) else {}
            return ImportRow(self._context, listed, candidate, remembered).run()
        except RetryLater:
            self._start_no_more_rows.set()
            raise

    def _wait(self, after: float, reason: str) -> None:
        if self._longest_wait is None or after > (self._longest_wait.after or 0):
            self._longest_wait = Wait(after, reason)

    def _retry_or_fail(self, rows: Sequence[object], failed_attempts: int) -> None:
        """Try the page again later; after the last attempt the rows fail, if Solvimon itself answers."""
        if failed_attempts < len(RETRY_PAUSES):
            self._wait(RETRY_PAUSES[failed_attempts], "Solvimon failed on some rows.")
            return
        with contextlib.suppress(RequestRejected):
            self._connection.solvimon.ping()
        error = NeedsAttention(
            Code.SOLVIMON_UNAVAILABLE,
            "Solvimon failed on this row several times, although it answers other requests.",
            "Import again later. If it fails again, report the row to Solvimon's support.",
        )
        for row in rows:
            self._result.add_failure(row, error)


def short_id(row: object) -> str:
    """The short id of a row in step results; a repeated one shows that Rillet's list has restarted."""
    identity = _row_id(row)
    text = identity if isinstance(identity, str) else simplejson.dumps(row, sort_keys=True, use_decimal=True)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_SHORT_ID_DIGITS]


def _row_id(row: object) -> object:
    return row.get("id") if isinstance(row, dict) else None
