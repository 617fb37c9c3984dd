"""What the steps of an import do: the lease, the pages, the end. Each may be repeated at any time."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from solvimon_rillet.errors import ConnectionBroken, NeedsAttention
from solvimon_rillet.http import CountingRateLimiter
from solvimon_rillet.ledger.import_state import ImportAlreadyRunning, ImportState
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.durable_steps import guarded, stop
from solvimon_rillet.workflows.imports.page import ImportPage, PageRequest
from solvimon_rillet.workflows.imports.resource import ImportedResource, Json
from solvimon_rillet.workflows.imports.row import ImportContext, ImportTarget
from solvimon_rillet.workflows.imports.setup import ImportSetup
from solvimon_rillet.workflows.imports.workflow import ImportRequest, since_of

logger = logging.getLogger(__name__)

FUNCTION_SECONDS = 900
"""Longest that the function runs at a stretch, as the template says."""
LEASE_SECONDS = FUNCTION_SECONDS + 60
FRESH_START = 120.0  # seconds before the function's end after which no page is begun


@dataclass(frozen=True, slots=True)
class ImportServices:
    """What a step works with, as the connection's settings are now."""

    settings: Settings
    solvimon: SolvimonClient
    rillet: RilletClient
    ledger: ImportState


class ImportSteps:
    """Implements ``workflow.Work`` for one run.

    Args:
        kind: what is imported.
        request: what was asked for.
        name: the run's name, the same after a crash.
        parts: makes the parts, with Rillet's calls passing the gate that it is given.
        clock: unix seconds.
        time_left: seconds until the function must end.
        count: notes a metric of a connection.
    """

    def __init__(
        self,
        kind: ImportedResource,
        request: ImportRequest,
        name: str,
        parts: Callable[[], tuple[ImportServices, CountingRateLimiter]],
        clock: Callable[[], float],
        time_left: Callable[[], float],
        count: Callable[[str, str, float], None],
    ) -> None:
        self._kind = kind
        self._request = request
        self._name = name
        self._parts = parts
        self._clock = clock
        self._time_left = time_left
        self._count = count

    def begin(self) -> Json:
        """Take the lease; find or create the custom field and the category."""
        return self._guarded(self._begin)

    def page(self, place: PageRequest, begun: Json) -> Json:
        """Read one page and write its rows."""
        return self._guarded(lambda parts: self._page(parts, place, begun))

    def finish(self, begun: Json, failed: int, *, complete: bool) -> Json:
        """Give the lease back and note up to when all is read.

        Rows that failed keep the next incremental run at the same point, so that they are tried again.
        """
        return self._guarded(lambda parts: self._finish(parts, begun, failed, complete=complete))

    def _begin(self, parts: ImportServices) -> Json:
        ledger, dry_run = parts.ledger, self._request.dry_run
        if not self._kind.is_on(parts.settings):
            name = f"import_{self._kind.plural}"
            return _stopped(
                f"The workflow {name} is switched off.", f"Set workflows.{name} to true in the settings."
            )
        started = int(self._clock())
        try:
            if not dry_run:
                started = ledger.acquire_lease(self._name, LEASE_SECONDS)
        except ImportAlreadyRunning as other:
            return self._under_way(other)
        prepared = ImportSetup(self._kind, self._name, parts.settings, parts.solvimon, dry_run=dry_run)
        try:
            target = prepared.target()
        except (NeedsAttention, ConnectionBroken):
            self._release(ledger)
            raise
        watermark = ledger.watermark()
        since, remarks = since_of(self._request, self._kind, watermark)
        return {
            "started": started,
            "since": since,
            "covers": since is None or (watermark is not None and _seconds(since) <= watermark),
            "target": asdict(target),
            "notes": [*remarks, *prepared.notes],
            "writes": prepared.writes,
        }

    def _page(self, parts: ImportServices, place: PageRequest, begun: Json) -> Json:
        if self._time_left() < FRESH_START:
            return {"later": 1, "why": "the function has run for long and starts afresh"}
        try:
            self._hold(parts.ledger, begun, 0)
            page = ImportPage(self._run(parts, begun), parts.settings, parts.rillet, self._time_left).work(
                place
            )
            if "later" in page:
                self._hold(parts.ledger, begun, int(page["later"]))
        except ImportAlreadyRunning as other:
            return self._under_way(other)
        told: Json = {name: page[name] for name in ("counts", "later", "why") if name in page}
        logger.info("page", extra={"connection": self._request.connection, "kind": self._kind.plural, **told})
        return page

    def _finish(self, parts: ImportServices, begun: Json, failed: int, *, complete: bool) -> Json:
        if self._request.dry_run:
            return {}
        if complete and not failed and begun["covers"]:
            parts.ledger.set_watermark(begun["started"])
        parts.ledger.release_lease(self._name)
        if failed:
            self._count("RowsFailed", self._request.connection, failed)
        return {}

    def _run(self, parts: ImportServices, begun: Json) -> ImportContext:
        return ImportContext(
            self._kind,
            self._request.connection,
            self._name,
            self._kind.reference(parts.settings),
            parts.solvimon,
            parts.ledger,
            ImportTarget(**begun["target"]),
            dry_run=self._request.dry_run,
            recheck=self._request.recheck,
        )

    def _hold(self, ledger: ImportState, begun: Json, longer: int) -> None:
        if not self._request.dry_run:
            ledger.acquire_lease(self._name, LEASE_SECONDS + longer, begun["started"])

    def _release(self, ledger: ImportState) -> None:
        if not self._request.dry_run:
            ledger.release_lease(self._name)

    def _under_way(self, other: ImportAlreadyRunning) -> Json:
        since, until = (
            datetime.fromtimestamp(at, UTC).strftime("%H:%M") for at in (other.since, other.until)
        )
        return _stopped(
            f"Another import of {self._kind.plural} has been under way since {since} UTC.",
            f"Wait for its end. If somebody stopped it, you can import again at {until} UTC at the latest.",
        )

    def _guarded(self, work: Callable[[ImportServices], Json]) -> Json:
        connection = self._request.connection
        return guarded(self._parts, work, lambda: self._count("ConnectionBroken", connection, 1))


def _stopped(what: str, remedy: str) -> Json:
    return {"stop": stop(what, remedy)}


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
