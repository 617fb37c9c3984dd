"""The steps of an import: begin, page, finish. Each may be repeated at any time."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from solvimon_rillet.aws.s3_sns import ReportBucket
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.connections.directory import Directory
from solvimon_rillet.errors import ConnectionBroken, NeedsAttention
from solvimon_rillet.formatting import parse_timestamp
from solvimon_rillet.http.client import CountingRateLimiter
from solvimon_rillet.ledger.import_state import ImportAlreadyRunning, ImportState
from solvimon_rillet.workflows.durable.steps import Done, StepResult, Stop, Wait, as_step_result
from solvimon_rillet.workflows.imports.context import ImportContext, ImportTarget
from solvimon_rillet.workflows.imports.page import ImportPage, PageRequest
from solvimon_rillet.workflows.imports.preview import Preview
from solvimon_rillet.workflows.imports.request import ImportRequest, changed_since
from solvimon_rillet.workflows.imports.resource import ImportedResource, Json
from solvimon_rillet.workflows.imports.setup import ImportSetup
from solvimon_rillet.workflows.linking.matching import MatchFinder

logger = logging.getLogger(__name__)

FUNCTION_SECONDS = 900
"""Time limit of the function, as in the template."""
IMPORT_LEASE_SECONDS = FUNCTION_SECONDS + 60
MIN_SECONDS_FOR_PAGE = 120.0  # before the function's time limit; no page starts later


@dataclass(frozen=True, slots=True)
class ImportStart:
    """The values that the first step fixes for the whole import.

    Attributes:
        started: unix seconds.
        since: RFC 3339; only rows that changed later are read.
        may_advance_watermark: whether a complete import leaves no gap after the watermark.
        target: the custom field and the category.
        notes: for people.
    """

    started: int
    since: str | None
    may_advance_watermark: bool
    target: ImportTarget
    notes: list[str]

    def to_json(self) -> Json:
        """The value as it is checkpointed; ``from_json`` reads it."""
        return {
            "started": self.started,
            "since": self.since,
            "covers": self.may_advance_watermark,
            "target": asdict(self.target),
            "notes": self.notes,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "ImportStart":
        """A checkpointed value."""
        return cls(
            value["started"],
            value["since"],
            value["covers"],
            ImportTarget(**value["target"]),
            value["notes"],
        )


class ImportSteps:
    """The steps of one import.

    Args:
        resource: what is imported.
        request: the request.
        run: name of the execution, the same after a crash.
        connect: opens the connection, with the limiter that counts the calls to Rillet.
        time_left: seconds until the function's time limit.
        count: adds to a metric of a connection.
        reports: the bucket that takes the rows of a dry run.
    """

    def __init__(
        self,
        resource: ImportedResource,
        request: ImportRequest,
        run: str,
        connect: Callable[[], tuple[Connection, CountingRateLimiter]],
        time_left: Callable[[], float],
        count: Callable[[str, str, float], None],
        reports: Callable[[], ReportBucket],
    ) -> None:
        self._resource = resource
        self._request = request
        self._run = run
        self._connect = connect
        self._time_left = time_left
        self._count = count
        self._directory: Directory | None = None
        preview = Preview(reports, run, request.connection, resource.plural)
        self._preview = preview if request.dry_run else None

    def begin(self) -> StepResult:
        """Take the lease; find or create the custom field and the category."""
        return self._as_result(self._begin)

    def page(self, page: PageRequest, start: ImportStart) -> StepResult:
        """Read one page and write its rows."""
        return self._as_result(lambda connection: self._page(connection, page, start))

    def finish(self, start: ImportStart, failed: int, *, complete: bool, pages: int) -> StepResult:
        """Release the lease and advance the watermark; of a dry run, write its rows as CSV.

        The watermark stays where rows have failed, so that the next incremental import tries them again.
        """
        if self._preview:
            return self._as_result(lambda _: self._write_preview(start, pages))
        return self._as_result(lambda connection: self._finish(connection, start, failed, complete))

    def _begin(self, connection: Connection) -> StepResult:
        state, dry_run = self._state(connection), self._request.dry_run
        if not self._resource.is_on(connection.settings):
            name = f"import_{self._resource.plural}"
            return Stop(
                f"The workflow {name} is switched off.", f"Set workflows.{name} to true in the settings."
            )
        started = int(connection.clock())
        try:
            if not dry_run:
                started = state.acquire_lease(self._run, IMPORT_LEASE_SECONDS)
        except ImportAlreadyRunning as other:
            return self._already_running(other)
        setup = ImportSetup(self._resource, self._run, connection, dry_run=dry_run)
        try:
            target = setup.target()
        except (NeedsAttention, ConnectionBroken):
            if not dry_run:
                state.release_lease(self._run)
            raise
        watermark = state.watermark()
        since, notes = changed_since(self._request, self._resource, watermark)
        no_gap = since is None or (watermark is not None and parse_timestamp(since) <= watermark)
        start = ImportStart(started, since, no_gap, target, [*notes, *setup.notes])
        return Done(start.to_json(), solvimon_writes=setup.writes)

    def _page(self, connection: Connection, page: PageRequest, start: ImportStart) -> StepResult:
        if self._time_left() < MIN_SECONDS_FOR_PAGE:
            return Wait(1, "the function is near its time limit and continues in a new invocation")
        try:
            self._extend_lease(connection, start)
            result = self._import_page(connection, start).run(page)
            if isinstance(result, Wait):
                self._extend_lease(connection, start, int(result.after or 0))
        except ImportAlreadyRunning as other:
            return self._already_running(other)
        progress = (
            {"later": result.after, "why": result.reason}
            if isinstance(result, Wait)
            else {"counts": result.value["counts"]}
        )
        names = {"connection": self._request.connection, "kind": self._resource.plural}
        logger.info("page", extra={**names, **progress})
        return result

    def _write_preview(self, start: ImportStart, pages: int) -> StepResult:
        return Done({"csv": self._preview.write(pages, start.started)} if self._preview else {})

    def _finish(self, connection: Connection, start: ImportStart, failed: int, complete: bool) -> StepResult:
        state = self._state(connection)
        if complete and not failed and start.may_advance_watermark:
            state.set_watermark(start.started)
        state.release_lease(self._run)
        if failed:
            self._count("RowsFailed", self._request.connection, failed)
        return Done({})

    def _import_page(self, connection: Connection, start: ImportStart) -> ImportPage:
        return ImportPage(self._context(connection, start), self._time_left, self._preview)

    def _state(self, connection: Connection) -> ImportState:
        return ImportState(connection.name, self._resource.name, connection.table, connection.clock)

    def _context(self, connection: Connection, start: ImportStart) -> ImportContext:
        # One directory for the whole invocation, so that Solvimon's list is read once.
        self._directory = self._directory or connection.directory
        connection = replace(connection, directory=self._directory)
        return ImportContext(
            self._resource,
            connection,
            self._run,
            self._state(connection),
            start.target,
            MatchFinder(connection, dry_run=self._request.dry_run),
            dry_run=self._request.dry_run,
            recheck=self._request.recheck,
        )

    def _extend_lease(self, connection: Connection, start: ImportStart, wait: int = 0) -> None:
        if not self._request.dry_run:
            self._state(connection).acquire_lease(self._run, IMPORT_LEASE_SECONDS + wait, start.started)

    def _already_running(self, other: ImportAlreadyRunning) -> Stop:
        since, until = (
            datetime.fromtimestamp(at, UTC).strftime("%H:%M") for at in (other.since, other.until)
        )
        return Stop(
            f"Another import of {self._resource.plural} has been running since {since} UTC.",
            f"Wait until it ends. If it was stopped, you can import again at {until} UTC at the latest.",
        )

    def _as_result(self, work: Callable[[Connection], StepResult]) -> StepResult:
        connection = self._request.connection
        return as_step_result(self._connect, work, lambda: self._count("ConnectionBroken", connection, 1))
