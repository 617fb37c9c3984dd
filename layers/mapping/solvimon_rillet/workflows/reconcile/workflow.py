"""A reconciliation from its first step to its answer.

For each connection: begin, read Solvimon's documents, read Rillet's, look up those that Rillet's lists do not
have, read the records that are not mapped yet, read the customers that changed in Rillet if any was edited in
Solvimon, report. How documents are compared is in ``reconciliation``.
"""

from collections.abc import Callable
from functools import partial

from solvimon_rillet.workflows.durable.steps import (
    Json,
    StepResult,
    Steps,
    StepUsage,
    Stop,
    WorkflowStopped,
    run_step,
)
from solvimon_rillet.workflows.reconcile.fan_out import PAUSE_SECONDS, STARTED_AT_ONCE, FanOut
from solvimon_rillet.workflows.reconcile.pages import (
    CHANGED_CUSTOMERS,
    CREDIT_MEMOS,
    CURRENT_LINKS,
    CUSTOMER_PAGES,
    EDITED_CUSTOMERS,
    INVOICES,
    SOLVIMON_DOCUMENTS,
    UNLISTED,
    UNMAPPED_RECORDS,
    CursorPage,
    NumberedPage,
    ReconcileStart,
)
from solvimon_rillet.workflows.reconcile.request import ReconcileRequest
from solvimon_rillet.workflows.reconcile.steps import ReconcileSteps

MAX_LIST_RESTARTS = 5


class Reconciliation:
    """One reconciliation of a connection, or the start of those of all.

    Args:
        request: the request.
        steps: runs the steps.
        fan_out: starts an execution for each connection.
        steps_of: what the steps of a connection do.
        on_failure: called once if not all connections could be started.
    """

    def __init__(
        self,
        request: ReconcileRequest,
        steps: Steps,
        fan_out: FanOut,
        steps_of: Callable[[str], ReconcileSteps],
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self._request = request
        self._steps = steps
        self._usage = StepUsage()
        self._fan_out = fan_out
        self._steps_of = steps_of
        self._on_failure = on_failure

    def run(self) -> Json:
        """Reconcile, or start the reconciliations of all connections; return the answer for people."""
        if self._request.connection is not None:
            return self._reconcile(self._request.connection)
        try:
            found = run_step(self._steps, self._usage, "connections", lambda _: self._fan_out.connections())
            names = [str(name) for name in found["connections"]]
            if "night" in found:
                return self._start(names, str(found["night"]))
        except WorkflowStopped as stopped:
            self._steps.step("failed", self._count_failure)
            return _failure(stopped.stop)
        # An execution that an earlier version began continues as it began: all connections in turn.
        if len(names) == 1:
            return self._reconcile(names[0])
        answers = [self._reconcile(name, f"{name}: ") for name in names]
        return {"tied_out": all(answer["tied_out"] for answer in answers), "connections": answers}

    def _start(self, names: list[str], night: str) -> Json:
        """Start the executions of all connections, some at a time."""
        known = list[str]()
        for first in range(0, len(names), STARTED_AT_ONCE):
            if first:
                self._steps.wait("leaves room for other work", PAUSE_SECONDS)
            some = names[first : first + STARTED_AT_ONCE]
            known += self._start_some(some, night, f"start {first + 1} to {first + len(some)}")
        return {
            "night": night,
            "started": len(names) - len(known),
            "already_started": known,
            "note": "Each connection has a run and a report of its own; sync_status lists them. To repeat "
            "one on the same day, name its connection.",
        }

    def _start_some(self, names: list[str], night: str, title: str) -> list[str]:
        """Start some executions in a step, and return the connections that had theirs already."""
        done = run_step(self._steps, self._usage, title, lambda _: self._fan_out.start(names, night))
        return [str(name) for name in done["already_started"]]

    def _count_failure(self) -> Json:
        self._on_failure()
        return {}

    def _reconcile(self, connection: str, prefix: str = "") -> Json:
        work = self._steps_of(connection)
        answer = _ConnectionReconciliation(self._steps, self._usage, work, prefix).run()
        return answer | {"connection": connection}


class _ConnectionReconciliation:
    def __init__(self, steps: Steps, usage: StepUsage, work: ReconcileSteps, prefix: str) -> None:
        self._steps = steps
        self._usage = usage
        self._calls_before = usage.rillet_calls
        self._work = work
        self._prefix = prefix
        self._page_counts: dict[str, int] = {}

    def run(self) -> Json:
        try:
            answer = self._read_and_report()
        except WorkflowStopped as stopped:
            self._step("failed", self._work.fail)
            answer = _failure(stopped.stop)
        return answer | {"rillet_calls": self._usage.rillet_calls - self._calls_before}

    def _read_and_report(self) -> Json:
        work, counts = self._work, self._page_counts
        start = ReconcileStart.from_json(self._step("begin", work.begin))
        pages = self._read_pages(SOLVIMON_DOCUMENTS, partial(work.solvimon_page, start))
        # A document of the period may have been exported before it, and not have changed in Rillet since.
        since = min([start.since, *(page.earliest for page in pages if page.earliest)])
        for documents in (INVOICES, CREDIT_MEMOS):
            self._read_rillet_list(documents, partial(work.rillet_page, documents, since))
        self._read_pages(UNLISTED, partial(work.unlisted, counts))
        for records in UNMAPPED_RECORDS:
            pages = self._read_pages(records, partial(work.unmapped_records, records, start))
            if records in CURRENT_LINKS:
                counts[CURRENT_LINKS[records]] = sum(page.linked for page in pages)
        counts[EDITED_CUSTOMERS] = counts[CUSTOMER_PAGES]
        if any(page.edited for page in pages):
            self._read_rillet_list(CHANGED_CUSTOMERS, partial(work.changed_customers, counts, start.since))
        return self._step("report", partial(work.report, start, counts))

    def _read_pages(self, what: str, read: Callable[[int], StepResult]) -> list[NumberedPage]:
        """Read pages until there is no more."""
        pages: list[NumberedPage] = []
        while not pages or pages[-1].more:
            if pages and self._usage.is_exhausted:
                raise WorkflowStopped(
                    Stop(f"There is more of {what} than one run may read.", "Reconcile a shorter period.")
                )
            number = len(pages) + 1
            page = self._step(f"{what}, page {number}", partial(read, number))
            pages.append(NumberedPage.from_json(page))
            self._page_counts[what] = number
        return pages

    def _read_rillet_list(self, what: str, read_page: Callable[[str | None, int], StepResult]) -> None:
        """Read a list of Rillet; without notice, it restarts when a cursor has expired (dossier, trap 16)."""
        cursor: str | None = None
        firsts, restarts, number = set[str](), 0, 0
        while True:
            number += 1
            read = partial(read_page, cursor, number)
            page = CursorPage(**self._step(f"Rillet's {what}, page {number}", read))
            self._page_counts[what] = number
            restarts += page.first in firsts
            firsts.add(page.first)
            cursor = page.cursor
            if cursor is None:
                return
            if restarts > MAX_LIST_RESTARTS or self._usage.is_exhausted:
                raise WorkflowStopped(
                    Stop(
                        f"Rillet's list of {what} does not end.",
                        "Reconcile a shorter period, or try again at a quieter time.",
                    )
                )

    def _step(self, name: str, work: Callable[[], StepResult]) -> Json:
        return run_step(self._steps, self._usage, f"{self._prefix}{name}", lambda _: work())


def _failure(stop: Stop) -> Json:
    return {"tied_out": False, "error": stop.problem, "remedy": stop.remedy}
