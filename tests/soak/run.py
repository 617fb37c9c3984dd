"""The run: time passes, the company acts, the functions work, and at the end both sides' books must agree."""

import heapq
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from local.books_check.audit import messages_left
from local.http_in_process import http_in_process
from local.system import LocalSystem
from tests.soak.afterwards import Afterwards
from tests.soak.company_simulation import Company
from tests.soak.fault_schedule import TIME_OUT, FaultSchedule
from tests.soak.master_data import MasterData
from tests.soak.nights import NightlyCheck
from tests.soak.operations import NIGHTLY_IMPORTS, Operations, set_up_connection
from tests.soak.schedule import DAY, Action, Plan, actions

logger = logging.getLogger(__name__)

Json = dict[str, Any]
QUARTER, HOUR, MINUTE = 900, 3600, 61
_RECONCILE_AT, _IMPORT_AT, _AUDIT_AT = 3 * HOUR, 4 * HOUR, 4.5 * HOUR


@dataclass
class RunLog:
    """Events of the product in a run.

    Attributes:
        counts: how often.
        crashes: what functions died of, in words.
        nights: what each nightly reconciliation answered.
        final: what the last one answered.
    """

    counts: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    nights: list[Json] = field(default_factory=list)
    final: Json = field(default_factory=dict)


class Soak:
    """A run of one plan.

    Args:
        plan: its size.
        system: the local system, just started.
        print_line: prints the progress.

    Attributes:
        log: what happened so far.
        connection: the one connection.
        company: its people.
        afterwards: what they do with documents after their export.
        master_data: what they do with customers, products and periods.
        operations: the people who run the product.
        nights: what each night showed.
        faults: what the vendors do.
    """

    def __init__(
        self, plan: Plan, system: LocalSystem, print_line: Callable[[str], None] = lambda _: None
    ) -> None:
        self._plan, self._system, self._print = plan, system, print_line
        self.log = RunLog()
        self._start = plan.start.timestamp()
        system.clock.set(self._start)
        self.connection = set_up_connection(plan, system)
        self.company = Company(plan, system, self.connection)
        self.afterwards, self.master_data = Afterwards(self.company), MasterData(self.company)
        self.operations = Operations(plan, system, self.connection)
        self.nights = NightlyCheck(system, self.company)
        self.faults = FaultSchedule(plan, system, self.connection)
        self._schedule = actions(plan)
        self._done_until: dict[str, float] = {}

    def simulate(self) -> None:
        """Let all days pass, and one more in which nobody acts."""
        with self._accelerated():
            end = self._plan.seconds + DAY
            while self._now < end:
                self._perform_due_actions()
                self._deliver()
                self._run_due_jobs()
                self._deliver()
                self._advance(QUARTER)
            self.faults.clear()
            self._drain()

    def reconcile_all(self) -> None:
        """Reconcile the whole time, without fixing anything."""
        first, last = (self._plan.start + timedelta(days=days) for days in (-31, self._plan.days + 2))
        period = {"from": f"{first:%Y-%m-%d}", "to": f"{last:%Y-%m-%d}"}
        with self._accelerated():
            self.log.final = self._reconcile(redrive=False, **period)

    @property
    def _now(self) -> float:
        """Seconds since the beginning."""
        return self._system.clock.now() - self._start

    def _perform_due_actions(self) -> None:
        while self._schedule and self._schedule[0].at <= self._now:
            action = heapq.heappop(self._schedule)
            if not self._perform(action):  # what it is about is not there yet
                later = Action(int(self._now) + HOUR, action.number, action.kind, action.facts)
                heapq.heappush(self._schedule, later)

    def _perform(self, action: Action) -> bool:
        """Do something; false means that it cannot be done yet."""
        people = (self.company, self.afterwards, self.master_data, self.operations)
        who = next(each for each in people if hasattr(each, action.kind))
        done: bool = getattr(who, action.kind)(**action.facts)
        return done

    def _deliver(self) -> None:
        """Deliver webhooks and work off what is visible on the queues."""
        queues = self._system.pollers.queues
        while True:
            attempts: list[object] = []
            if not self.faults.solvimon.away and self.connection.platform.webhooks.pending():
                attempts += self.connection.platform.deliver_webhooks()
            if not self.faults.rillet.away and self.connection.organisation.webhooks.pending():
                attempts += self.connection.organisation.deliver_webhooks()
            busy = [function for function, queue in queues.items() if queue.depth().visible]
            for function in busy:
                for delivery in self._system.deliver(function):
                    if delivery.error is not None:
                        self.log.crashes.append(f"{function}: {delivery.error!r}")
            if not attempts and not busy:
                return

    def _advance(self, seconds: int) -> None:
        """Let time pass; while messages wait for their turn, by steps of a minute."""
        until = self._now + seconds
        while self._waiting and self._now + MINUTE < until:
            self._system.advance(MINUTE)
            self._deliver()
        self._system.advance(max(0.0, until - self._now))

    @property
    def _waiting(self) -> int:
        return messages_left(self._system)

    def _run_due_jobs(self) -> None:
        """Do what schedules and the people of operations do."""
        if self._is_due("sweep", self._plan.sweep_seconds, 0):
            self._sweep()
        if self._is_due("operator", HOUR, 0) and self._waiting and not self.faults.rillet.away:
            self.operations.reconnect_if_needed()
        if self._is_due("reconcile", DAY, _RECONCILE_AT):
            self._reconcile_and_read()
        if self._is_due("import", DAY, _IMPORT_AT):
            self._import()
        self._audit()

    def _reconcile_and_read(self) -> None:
        """Reconcile; the people read the report in the morning."""
        night = self._reconcile(redrive=True)
        self.log.nights.append(night)
        self.log.counts["redriven"] += night.get("redriven", 0)
        self.afterwards.report = self.nights.read(night, self._day)

    def _audit(self) -> None:
        """Look at both sides' books twice a night, unless a vendor was away."""
        if self._is_due("first audit", DAY, _AUDIT_AT):
            self.nights.audit_first()
        if self._is_due("second audit", DAY, _AUDIT_AT + 2 * HOUR):
            self.nights.audit_again(self._day)
            day = self._day
            invoices, calls = self.connection.organisation.invoices, self._system.rillet.state.calls
            text = f"{len(invoices)} invoices in Rillet, {self.log.counts['sweeps']} sweeps"
            self._print(f"day {day}: {text}, {len(calls)} Rillet calls")

    @property
    def _day(self) -> int:
        return int(self._now // DAY)

    def _is_due(self, job: str, every: float, offset: float) -> bool:
        """Whether a job's time has come since it was done last."""
        turn = (self._now - offset) // every
        if turn < 0 or self._done_until.get(job) == turn:
            return False
        self._done_until[job] = turn
        return True

    def _sweep(self) -> None:
        self.log.counts["sweeps"] += 1
        answer = self._invoke("sweep", {"connection": "default"})
        for one in answer.get("connections", ()):
            self.log.counts["sweep_found"] += sum(one["found"].values())
            self.log.counts["sweep_errors"] += len(one["errors"])

    def _reconcile(self, *, redrive: bool, **period: str) -> Json:
        return self._invoke("reconcile", {"connection": self.connection.name, "redrive": redrive, **period})

    def _import(self) -> None:
        for kind in NIGHTLY_IMPORTS:
            self._invoke(f"import_{kind}", {})

    def _invoke(self, function: str, event: Json) -> Json:
        try:
            answer: Json = self._system.invoke(function, event)
        except Exception as error:
            logger.exception("%s failed", function)
            self.log.crashes.append(f"{function}: {error!r}")
            return {}
        return answer

    def _drain(self) -> None:
        """Let the rest be worked off, without faults, and the imports of one more night."""
        for _ in range(8):
            self._sweep()
            self.operations.reconnect_if_needed()
            self._deliver()
            self._advance(QUARTER)
        self._import()
        self._deliver()

    @contextmanager
    def _accelerated(self) -> Iterator[None]:
        """Pass waits on the clock, and count how often a message is handed back for later."""
        from solvimon_rillet.aws.sqs import Queue

        defer, counts, system = Queue.defer, self.log.counts, self._system

        def counted(queue: Queue, *arguments: Any) -> Any:  # noqa: ANN401 - as it is
            counts["deferrals"] += 1
            return defer(queue, *arguments)

        deferring = patch.object(Queue, "defer", counted)
        waiting = http_in_process(system, given_up=lambda: system.advance(TIME_OUT))
        with waiting, _waits_advance_the_clock(system), deferring:
            yield


@contextmanager
def _waits_advance_the_clock(system: LocalSystem) -> Iterator[None]:
    """Let the product's own short waits pass on the clock.

    A refused turn at Rillet, the pause before a read is repeated: seconds that nobody needs to sit through.
    """
    from solvimon_rillet.connections import connection
    from solvimon_rillet.rate_limit.limiter import SlidingWindowRateLimiter
    from solvimon_rillet.workflows.sweep import payments

    impatient = partial(SlidingWindowRateLimiter, sleep=system.advance)
    with (
        patch.object(connection, "SlidingWindowRateLimiter", impatient),
        patch.object(payments, "sleep", system.advance),
    ):
        yield
