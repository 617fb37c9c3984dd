"""An import from its first step to its answer: begin, one step per page, finish."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from solvimon_rillet.workflows.durable.steps import (
    StepResult,
    Steps,
    StepUsage,
    Stop,
    WorkflowStopped,
    run_step,
)
from solvimon_rillet.workflows.imports.page import ROWS_NAMED_PER_NOTE, PageRequest, PageResult
from solvimon_rillet.workflows.imports.request import ImportRequest
from solvimon_rillet.workflows.imports.resource import ImportedResource, Json
from solvimon_rillet.workflows.imports.steps import ImportStart, ImportSteps

MAX_LISTED_FAILURES = 100  # the answer counts all and lists so many
MAX_LISTED_PROPOSALS = 100
MAX_PREVIEWED_ROWS = 200
MAX_LIST_RESTARTS = 5
_COUNTED_OUTCOMES = ("created", "updated", "archived", "unchanged", "skipped", "proposed", "failed")
_SHOWN_WHEN_PRESENT = {"archived", "skipped", "proposed"}


@dataclass(slots=True)
class ImportTotals:
    """The totals of all pages so far.

    Attributes:
        counts: number of rows by outcome.
        seen: short ids of all rows.
        since_restart: short ids of the rows since Rillet's list last restarted; a repeated one shows that it
            has restarted again.
        restarts: how often it did.
        failures: the first rows that need a person.
        proposals: the first rows that Solvimon probably has.
        rows: in a dry run, the first rows with what would become of them.
        notes: by text, the number of rows that have it and the first of them.
    """

    counts: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    since_restart: set[str] = field(default_factory=set)
    restarts: int = 0
    failures: list[Json] = field(default_factory=list)
    notes: dict[str, Json] = field(default_factory=dict)
    proposals: list[Json] = field(default_factory=list)
    rows: list[Json] = field(default_factory=list)

    def add(self, page: PageResult) -> None:
        """Add a page."""
        ids = set(page.ids)
        if ids & self.since_restart:
            self.restarts += 1
            self.since_restart = set()
        self.since_restart |= ids
        self.seen |= ids
        self.counts.update(page.counts)
        self.failures += page.failures[: MAX_LISTED_FAILURES - len(self.failures)]
        self.proposals += page.proposals[: MAX_LISTED_PROPOSALS - len(self.proposals)]
        self.rows += page.rows[: MAX_PREVIEWED_ROWS - len(self.rows)]
        for text, added in page.notes.items():
            note = self.notes.setdefault(text, {"rows": 0, "first": []})
            note["rows"] += added["rows"]
            note["first"] = [*note["first"], *added["first"]][:ROWS_NAMED_PER_NOTE]


class Import:
    """One import.

    Args:
        resource: what is imported.
        request: the request.
        steps: runs the steps.
        work: what they do.
    """

    def __init__(
        self, resource: ImportedResource, request: ImportRequest, steps: Steps, work: ImportSteps
    ) -> None:
        self._resource = resource
        self._request = request
        self._steps = steps
        self._work = work
        self._usage = StepUsage()
        self._totals = ImportTotals()
        self._pages = 0
        self._csv: str | None = None

    def run(self) -> Json:
        """Import all rows and return the answer for people."""
        try:
            start = ImportStart.from_json(self._step("begin", lambda _: self._work.begin()))
        except WorkflowStopped as stopped:
            return self._answer(None, stopped.stop)
        stop: Stop | None = None
        try:
            self._import_pages(start)
        except WorkflowStopped as stopped:
            stop = stopped.stop
        # A proposal holds the watermark too: without an answer its row is read again by the next import. So
        # does an import of some rows only.
        failed, complete = self._totals.counts["failed"], stop is None
        complete = complete and not self._totals.counts["proposed"] and not self._request.only
        try:
            finish = partial(self._work.finish, start, failed, complete=complete, pages=self._pages)
            self._csv = self._step("finish", lambda _: finish()).get("csv")
        except WorkflowStopped as stopped:
            stop = stop or stopped.stop
        return self._answer(start, stop)

    def _import_pages(self, start: ImportStart) -> None:
        totals, cursor, number = self._totals, None, 0
        while True:
            number += 1
            page = PageResult.from_json(
                self._step(f"page {number}", partial(self._page, start, cursor, number))
            )
            totals.add(page)
            self._pages, cursor = number, page.cursor
            if cursor is None:
                return
            if totals.restarts > MAX_LIST_RESTARTS:
                raise WorkflowStopped(
                    Stop(
                        f"Rillet's list restarted {totals.restarts} times, so the import might never end.",
                        "Import again at a quieter time.",
                    )
                )
            if self._usage.is_exhausted:
                raise WorkflowStopped(
                    Stop("There are more rows than one run may read.", "Import the rest with updated_since.")
                )

    def _page(self, start: ImportStart, cursor: str | None, number: int, failed_attempts: int) -> StepResult:
        page = PageRequest(
            cursor,
            start.since,
            frozenset(self._totals.seen),
            self._request.only,
            failed_attempts,
            MAX_LISTED_FAILURES - len(self._totals.failures),
            number,
            MAX_PREVIEWED_ROWS - len(self._totals.rows),
        )
        return self._work.page(page, start)

    def _step(self, name: str, work: Callable[[int], StepResult]) -> Json:
        return run_step(self._steps, self._usage, name, work)

    def _answer(self, start: ImportStart | None, stop: Stop | None) -> Json:
        totals, usage, dry_run = self._totals, self._usage, self._request.dry_run
        counts = {outcome: totals.counts[outcome] for outcome in _COUNTED_OUTCOMES}
        answer: Json = {
            "connection": self._request.connection,
            "kind": self._resource.plural,
            "dry_run": dry_run,
            "summary": _summary(len(totals.seen), counts, usage.rillet_calls, dry_run=dry_run),
            "seen": len(totals.seen),
            **counts,
            "rillet_calls": usage.rillet_calls,
            "solvimon_writes": usage.solvimon_writes,
            "restarts": totals.restarts,
            "complete": stop is None,
            "failures": totals.failures,
            "proposals": totals.proposals,
            "notes": [*_run_notes(start, totals), *_row_notes(totals.notes)],
        }
        if dry_run:
            answer |= {"rows": totals.rows, "csv": self._csv}
        if totals.proposals:
            listing = {
                "connection": self._request.connection,
                "list": self._resource.plural,
                "only": "proposed",
            }
            answer["what_now"] = {"function": "link_records", "event": listing}
        return answer | ({"error": stop.problem, "remedy": stop.remedy} if stop else {})


def _summary(seen: int, counts: Mapping[str, int], rillet_calls: int, *, dry_run: bool) -> str:
    parts = [
        f"{outcome} {count:,}"
        for outcome, count in counts.items()
        if count or outcome not in _SHOWN_WHEN_PRESENT
    ]
    text = ", ".join([f"seen {seen:,}", *parts, f"Rillet calls {rillet_calls:,}"])
    return f"dry run, nothing was written: {text}" if dry_run else text


def _run_notes(start: ImportStart | None, totals: ImportTotals) -> list[str]:
    notes = list(start.notes) if start else []
    if start and start.since:
        notes.append(f"Only rows that changed after {start.since} were read.")
    if totals.restarts:
        times = "once" if totals.restarts == 1 else f"{totals.restarts} times"
        notes.append(
            f"Rillet's list restarted {times} while it was read (a cursor expires after two hours); rows "
            "that had been imported already were skipped."
        )
    listed, failed = len(totals.failures), totals.counts["failed"]
    if failed > listed:
        notes.append(f"The first {listed} of {failed} failures are listed.")
    return notes


def _row_notes(notes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"{note['rows']:,} {'row' if note['rows'] == 1 else 'rows'}: {text} ({'; '.join(note['first'])})"
        for text, note in notes.items()
    ]
