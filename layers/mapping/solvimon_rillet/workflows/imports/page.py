"""One page of an import: one call to Rillet, and all of its rows written to Solvimon.

What a page did is in the ledger row by row, so a page may be repeated whole at any time: after a crash, and
when Solvimon asks to slow down in its middle.
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
from solvimon_rillet.http import RequestRejected
from solvimon_rillet.ledger.import_state import ImportedRow
from solvimon_rillet.mapping.solvimon_fields import one_line, truncate
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.settings import Settings
from solvimon_rillet.workflows.imports.resource import ImportCandidate, Json
from solvimon_rillet.workflows.imports.row import ImportContext, ImportRow, RowResult

logger = logging.getLogger(__name__)

AT_ONCE = 8  # rows that are written to Solvimon at the same time
PAUSES = (5, 30)  # seconds before a page is tried again at which Solvimon failed; then the row is to blame
LAST_START = 60.0  # seconds before the function's end after which no row is begun
EXAMPLES = 3  # rows named with a note
_ID = 12  # hex digits: among 100,000 rows, two are alike in one of 50,000 imports
_LONGEST = 500  # characters of what a vendor says


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Where a run stands.

    Attributes:
        cursor: where the page before ended.
        since: RFC 3339; only rows that changed later.
        seen: short ids of the rows that are done already.
        failing: how often Solvimon has failed at rows of this page.
        room: how many more failures are worth listing.
    """

    cursor: str | None = None
    since: str | None = None
    seen: Collection[str] = ()
    failing: int = 0
    room: int = 100


@dataclass(slots=True)
class PageResult:
    """What a page has come to.

    Attributes:
        counts: rows by how they ended.
        failures: what a person must mend, with the Rillet id and name of each row.
        notes: number of rows by note, and the first of them.
        writes: calls that were to change something in Solvimon.
        later: the longest that a row must wait; ``None`` when the page is done.
        why: what it waits for.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Json] = field(default_factory=list)
    notes: dict[str, Json] = field(default_factory=dict)
    writes: int = 0
    later: float | None = None
    why: str = ""

    def wait(self, error: RetryLater, default: float) -> None:
        """Note that the page must be looked at again."""
        after = default if error.after is None else error.after
        if self.later is None or after > self.later:
            self.later, self.why = after, str(error)

    def fail(self, row: object, error: NeedsAttention) -> None:
        """Note a row that needs a person."""
        self.counts["failed"] += 1
        found = row if isinstance(row, dict) else {}
        name = found.get("name") or found.get("trade_name")
        self.failures.append(
            {
                "rillet_id": found.get("id"),
                "name": truncate(one_line(name)) if isinstance(name, str) else None,
                "code": error.code.value,
                "what": truncate(error.message, _LONGEST),
                "remedy": error.remedy,
            }
        )

    def done(self, imported: ImportCandidate, done: RowResult) -> None:
        """Note a row that ended well."""
        self.counts[done.outcome] += 1
        self.writes += done.writes
        for note in done.notes:
            about = self.notes.setdefault(note, {"rows": 0, "first": []})
            about["rows"] += 1
            about["first"] = [*about["first"], f"{imported.name} ({imported.id})"][:EXAMPLES]


class ImportPage:
    """A page of a run, to be read and written once.

    Args:
        run: the run.
        settings: the connection's settings.
        rillet: where the rows come from.
        time_left: seconds until the function must end.
    """

    def __init__(
        self, run: ImportContext, settings: Settings, rillet: RilletClient, time_left: Callable[[], float]
    ) -> None:
        self._run = run
        self._settings = settings
        self._rillet = rillet
        self._time_left = time_left
        self._stop = threading.Event()

    def work(self, place: PageRequest) -> Json:
        """Read the page and write its rows.

        Returns:
            The step's result: short ``ids`` of all rows of the page, the ``cursor`` of the next one, counts,
            failures and notes; or ``later``, when the page has to be tried again.

        Raises:
            NeedsAttention, ConnectionBroken: nothing more can be imported now.
            RetryLater, OutcomeUnknown: Rillet or the ledger does not answer.
        """
        listed = self._run.kind.rows(self._rillet, place.cursor, place.since)
        rows = {short_id(row): row for row in listed.rows}
        outcome = PageResult()
        todo = self._read([row for each, row in rows.items() if each not in place.seen], outcome)
        failing = self._write(todo, outcome)
        if failing and outcome.later is None:
            self._settle(failing, outcome, place.failing)
        answer: Json = {"writes": outcome.writes}
        if outcome.later is not None:
            return answer | {"later": outcome.later, "why": outcome.why, "failing": bool(failing)}
        return answer | {
            "ids": list(rows),
            "cursor": listed.next_cursor,
            "counts": dict(outcome.counts),
            "failures": outcome.failures[: place.room],
            "notes": outcome.notes,
        }

    def _read(self, rows: Sequence[object], outcome: PageResult) -> list[tuple[object, ImportCandidate]]:
        read = []
        for row in rows:
            try:
                imported = self._run.kind.read(row, self._settings, self._run.target.category_id)
                read.append((row, imported))
            except NeedsAttention as error:
                outcome.fail(row, error)
        return read

    def _write(self, rows: Sequence[tuple[object, ImportCandidate]], outcome: PageResult) -> list[object]:
        """Write rows side by side.

        Returns:
            The rows at which Solvimon failed.
        """
        known = self._run.ledger.imported_rows(imported.id for _, imported in rows)
        failing = []
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="import")
        try:
            futures = [pool.submit(self._one, each, known.get(each.id)) for _, each in rows]
            for (row, imported), future in zip(rows, futures, strict=True):
                try:
                    outcome.done(imported, future.result())
                except NeedsAttention as error:
                    outcome.fail(row, error)
                except OutcomeUnknown as error:
                    logger.warning("row failing", extra={"rillet_id": imported.id, "reason": str(error)})
                    failing.append(row)
                except ConnectionBroken:
                    raise
                except RetryLater as error:
                    outcome.wait(error, PAUSES[0])
        finally:
            pool.shutdown(cancel_futures=True)
        return failing

    def _one(self, imported: ImportCandidate, known: ImportedRow | None) -> RowResult:
        """One row, unless another one has found out that there is no point in going on."""
        if self._stop.is_set() or self._time_left() < LAST_START:
            raise RetryLater("The rest of the page waits for its turn.", after=1)
        try:
            return ImportRow(self._run, imported, known).run()
        except RetryLater:
            self._stop.set()
            raise

    def _settle(self, failing: Sequence[object], outcome: PageResult, before: int) -> None:
        """Try the rows at which Solvimon failed again later; in the end they are to blame, if it is well."""
        if before < len(PAUSES):
            again = RetryLater("Solvimon failed at some rows.", after=PAUSES[before])
            outcome.wait(again, PAUSES[before])
            return
        with contextlib.suppress(RequestRejected):
            self._run.solvimon.ping()
        for row in failing:
            outcome.fail(
                row,
                NeedsAttention(
                    Code.SOLVIMON_UNAVAILABLE,
                    "Solvimon failed at this row again and again, while it answers otherwise.",
                    "Import again later; if it stays so, report the row to Solvimon's support.",
                ),
            )


def short_id(row: object) -> str:
    """A row's mark in the steps' results, where a list that began anew is noticed by it."""
    identity = row.get("id") if isinstance(row, dict) else None
    text = identity if isinstance(identity, str) else simplejson.dumps(row, sort_keys=True, use_decimal=True)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_ID]
