"""An import from its first step to its answer: page by page, with waits in between, and nothing of AWS in it.

Everything that this code decides by comes out of steps, so that a run that was cut off comes to the same
point again when it is replayed. What a step does is in ``import_page``.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from solvimon_rillet.workflows.durable_steps import Patience, Steps, stop
from solvimon_rillet.workflows.imports.page import EXAMPLES, PageRequest
from solvimon_rillet.workflows.imports.resource import ImportedResource, Json

LISTED = 100  # failures that the answer lists; all are counted
RESTARTS = 5  # how often Rillet's list may begin anew


class ImportRequest(BaseModel):
    """What a person or a schedule may ask for."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    connection: str = "default"
    updated_since: AwareDatetime | None = Field(default=None, description="Only rows that changed later.")
    incremental: bool = Field(
        default=False, description="Only rows that changed since the last complete run."
    )
    recheck: bool = Field(default=False, description="Look at every record in Solvimon, changed or not.")
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> "ImportRequest":
        if self.incremental and self.updated_since:
            raise ValueError("give updated_since or incremental, not both")
        return self


class Work(Protocol):
    """What the steps do. Each answers small JSON: ``stop`` with the reason, ``later``, or what it came to."""

    def begin(self) -> Json:
        """Take the lease; find or create the custom field and the category."""

    def page(self, place: PageRequest, begun: Json) -> Json:
        """Read one page and write its rows."""

    def finish(self, begun: Json, failed: int, *, complete: bool) -> Json:
        """Give the lease back and note up to when all is read."""


@dataclass(slots=True)
class ImportTotals:
    """What a run has come to so far.

    Attributes:
        counts: rows by how they ended.
        seen: short ids of all rows.
        since_restart: those since Rillet's list began anew; one of them again means that it did once more.
        restarts: how often it did.
    """

    counts: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    since_restart: set[str] = field(default_factory=set)
    restarts: int = 0
    failures: list[Json] = field(default_factory=list)
    notes: dict[str, Json] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    rillet_calls: int = 0
    writes: int = 0

    def add_calls(self, result: Json) -> None:
        """Count what a step has called, whether it came to an end or not."""
        self.rillet_calls += int(result.get("rillet_calls", 0))
        self.writes += int(result.get("writes", 0))

    def add_page(self, page: Json) -> None:
        """Count a page that is done."""
        ids = set(page["ids"])
        if ids & self.since_restart:
            self.restarts += 1
            self.since_restart = set()
        self.since_restart |= ids
        self.seen |= ids
        self.counts.update(page["counts"])
        self.failures += page["failures"][: LISTED - len(self.failures)]
        for note, about in page["notes"].items():
            known = self.notes.setdefault(note, {"rows": 0, "first": []})
            known["rows"] += about["rows"]
            known["first"] = [*known["first"], *about["first"]][:EXAMPLES]


class Import:
    """One run.

    Args:
        kind: what is imported.
        request: what was asked for.
        steps: runs the steps.
        work: what they do.
    """

    def __init__(self, kind: ImportedResource, request: ImportRequest, steps: Steps, work: Work) -> None:
        self._kind = kind
        self._request = request
        self._work = work
        self._tally = ImportTotals()
        self._patience = Patience(steps, self._tally.add_calls)

    def run(self) -> Json:
        """Import everything, and say in the end what became of it."""
        begun = self._patience.do("begin", lambda _: self._work.begin())
        if "stop" in begun:
            return self._answer(begun, begun["stop"])
        self._tally.remarks += begun["notes"]
        stopped = self._pages(begun)
        failed = self._tally.counts["failed"]
        ended = self._patience.do(
            "finish", lambda _: self._work.finish(begun, failed, complete=stopped is None)
        )
        return self._answer(begun, stopped or ended.get("stop"))

    def _pages(self, begun: Json) -> Json | None:
        """Read page after page.

        Returns:
            Why it stopped before the end, or ``None``.
        """
        tally, cursor, number = self._tally, None, 0
        while True:
            number += 1
            page = self._patience.do(f"page {number}", partial(self._page, begun, cursor))
            if "stop" in page:
                return dict(page["stop"])
            tally.add_page(page)
            cursor = page["cursor"]
            if cursor is None:
                return None
            if tally.restarts > RESTARTS:
                return stop(
                    f"Rillet's list began anew {tally.restarts} times, so it may never come to its end.",
                    "Import again when less is going on.",
                )
            if self._patience.exhausted:
                return stop(
                    "There are more rows than one run may read.", "Import the rest with updated_since."
                )

    def _page(self, begun: Json, cursor: str | None, failing: int) -> Json:
        room = LISTED - len(self._tally.failures)
        place = PageRequest(cursor, begun["since"], frozenset(self._tally.seen), failing, room)
        return self._work.page(place, begun)

    def _answer(self, begun: Json, stopped: Json | None) -> Json:
        """What a person reads in the end."""
        tally, counts = self._tally, self._tally.counts
        told = {
            name: counts[name]
            for name in ("created", "updated", "archived", "unchanged", "skipped", "failed")
        }
        answer: Json = {
            "connection": self._request.connection,
            "kind": self._kind.plural,
            "dry_run": self._request.dry_run,
            "summary": _summary(len(tally.seen), told, tally.rillet_calls, dry_run=self._request.dry_run),
            "seen": len(tally.seen),
            **told,
            "rillet_calls": tally.rillet_calls,
            "solvimon_writes": tally.writes,
            "restarts": tally.restarts,
            "complete": stopped is None,
            "failures": tally.failures,
            "notes": [*self._remarks(begun), *_in_words(tally.notes)],
        }
        return answer | ({"error": stopped["what"], "remedy": stopped["remedy"]} if stopped else {})

    def _remarks(self, begun: Json) -> list[str]:
        tally, remarks = self._tally, list(self._tally.remarks)
        if begun.get("since"):
            remarks.append(f"Only rows that changed after {begun['since']} were read.")
        if tally.restarts:
            remarks.append(
                f"Rillet's list began anew {_times(tally.restarts)} while it was read (a cursor lives for "
                "two hours); rows that were read already were passed over."
            )
        if tally.counts["failed"] > len(tally.failures):
            remarks.append(
                f"The first {len(tally.failures)} of {tally.counts['failed']} failures are listed."
            )
        return remarks


def since_of(
    request: ImportRequest, kind: ImportedResource, watermark: int | None
) -> tuple[str | None, list[str]]:
    """From when on rows are read, and what is to be said about it.

    Args:
        request: what was asked for.
        kind: what is imported.
        watermark: unix seconds up to which earlier runs have read everything.
    """
    wanted = request.updated_since
    if request.incremental and watermark is not None:
        wanted = datetime.fromtimestamp(watermark - OVERLAP, UTC)
    if (wanted or request.incremental) and not kind.filtered:
        return None, [
            f"Rillet does not say when {kind.plural} changed, so all were read; unchanged ones cost nothing."
        ]
    if request.incremental and wanted is None:
        return None, ["No earlier run was complete, so all rows were read."]
    return wanted.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if wanted else None, []


OVERLAP = 600
"""Seconds that an incremental run reads twice: clocks differ, and rows change while they are read."""


def _summary(seen: int, told: Mapping[str, int], calls: int, *, dry_run: bool) -> str:
    rare = {"archived", "skipped"}
    parts = [f"{name} {count:,}" for name, count in told.items() if count or name not in rare]
    text = ", ".join([f"seen {seen:,}", *parts, f"Rillet calls {calls:,}"])
    return f"dry run, nothing was written: {text}" if dry_run else text


def _in_words(notes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"{about['rows']:,} {'row' if about['rows'] == 1 else 'rows'}: {note} ({'; '.join(about['first'])})"
        for note, about in notes.items()
    ]


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
