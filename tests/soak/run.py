"""The run: time passes, the company acts, the functions work, and at the end both sides' books must agree."""

import heapq
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from local.books_check.system import messages_left
from local.system import LocalSystem
from tests.soak.company_simulation import Company
from tests.soak.connecting import IMPORTS, connected
from tests.soak.fault_schedule import PATIENCE, FaultSchedule
from tests.soak.schedule import DAY, Action, Plan, actions

logger = logging.getLogger(__name__)

Json = dict[str, Any]
QUARTER, HOUR, MINUTE = 900, 3600, 61
_TURN_SECONDS = 0.0005
_RECONCILE_AT, _IMPORT_AT = 3 * HOUR, 4 * HOUR


@dataclass
class Diary:
    """What happened to the product in a run.

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
        say: is told how far it is.

    Attributes:
        diary: what happened so far.
        connection: the one that soaks.
        company: its people.
        faults: what the vendors do.
    """

    def __init__(
        self,
        plan: Plan,
        system: LocalSystem,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._plan, self._system, self._say = plan, system, say
        self.diary = Diary()
        self._start = plan.start.timestamp()
        system.clock.set(self._start)
        self.connection = connected(plan, system)
        self.company = Company(plan, system, self.connection)
        self.faults = FaultSchedule(plan, system, self.connection)
        self._script = actions(plan)
        self._done_until: dict[str, float] = {}

    def live(self) -> None:
        """Let all days pass, and one more in which nobody acts."""
        with self._circumstances():
            end = self._plan.seconds + DAY
            while self._now < end:
                self._act()
                self._work()
                self._jobs()
                self._work()
                self._pass(QUARTER)
            self.faults.clear()
            self._calm_down()

    def conclude(self) -> None:
        """Reconcile the whole time, without fixing anything."""
        with self._circumstances():
            self.diary.final = self._reconcile(redrive=False, whole=True)

    @property
    def _now(self) -> float:
        """Seconds since the beginning."""
        return self._system.clock.now() - self._start

    def _act(self) -> None:
        while self._script and self._script[0].at <= self._now:
            action = heapq.heappop(self._script)
            if self.company.do(action):
                if action.kind == "link_late_product":
                    self._retry()
            else:  # what it is about is not there yet
                later = Action(int(self._now) + HOUR, action.number, action.kind, action.facts)
                heapq.heappush(self._script, later)

    def _work(self) -> None:
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
                        self.diary.crashes.append(f"{function}: {delivery.error!r}")
            if not attempts and not busy:
                return

    def _pass(self, seconds: int) -> None:
        """Let time pass; while messages wait for their turn, by steps of a minute."""
        until = self._now + seconds
        while self._waiting and self._now + MINUTE < until:
            self._system.advance(MINUTE)
            self._work()
        self._system.advance(max(0.0, until - self._now))

    @property
    def _waiting(self) -> int:
        return messages_left(self._system)

    def _jobs(self) -> None:
        """Do what schedules and the people of operations do."""
        if self._is_due("sweep", self._plan.sweep_seconds, 0):
            self._sweep()
        if self._is_due("operator", HOUR, 0) and self._waiting and not self.faults.rillet.away:
            self._look_after_the_connection()
        if self._is_due("reconcile", DAY, _RECONCILE_AT):
            self._reconcile(redrive=True, whole=False)
        if self._is_due("import", DAY, _IMPORT_AT):
            for kind in IMPORTS:
                self._invoke(f"import_{kind}", {})
            day = int(self._now // DAY)
            told = (
                f"{self.diary.counts['sweeps']} sweeps, {len(self._system.rillet.state.calls)} Rillet calls"
            )
            self._say(f"day {day}: {len(self.connection.organisation.invoices)} invoices in Rillet, {told}")

    def _is_due(self, job: str, every: float, offset: float) -> bool:
        """Whether a job's time has come since it was done last."""
        turn = (self._now - offset) // every
        if turn < 0 or self._done_until.get(job) == turn:
            return False
        self._done_until[job] = turn
        return True

    def _sweep(self) -> None:
        self.diary.counts["sweeps"] += 1
        answer = self._invoke("sweep", {})
        for one in answer.get("connections", ()):
            self.diary.counts["sweep_found"] += sum(one["found"].values())
            self.diary.counts["sweep_errors"] += len(one["errors"])

    def _reconcile(self, *, redrive: bool, whole: bool) -> Json:
        event: Json = {"connection": self.connection.name, "redrive": redrive}
        if whole:
            days = [
                self._plan.start - timedelta(days=31),
                self._plan.start + timedelta(days=self._plan.days + 2),
            ]
            event |= dict(zip(("from", "to"), (f"{day:%Y-%m-%d}" for day in days), strict=True))
        answer = self._invoke("reconcile", event)
        if not whole:
            self.diary.nights.append(answer)
            self.diary.counts["redriven"] += answer.get("redriven", 0)
        return answer

    def _look_after_the_connection(self) -> None:
        """Connect Rillet again where its refresh token got lost with an answer, as the alarm asks for."""
        status = self._invoke("connect_rillet", {"connection": self.connection.name, "action": "status"})
        if status.get("action_needed") == "reconnect":
            self.diary.counts["reconnected"] += 1
            try:
                self._system.authorise(self.connection.name)
            except Exception:
                logger.exception("nobody could connect Rillet; the next hour brings another try")

    def _retry(self) -> None:
        """Retry what was rejected for the product that is linked now."""
        event: Json = {"connection": self.connection.name, "retry": {"code": "product_not_linked"}}
        self.diary.counts["retried"] += self._invoke("export_invoice", event).get("queued", 0)

    def _invoke(self, function: str, event: Json) -> Json:
        try:
            answer: Json = self._system.invoke(function, event)
        except Exception as error:
            logger.exception("%s failed", function)
            self.diary.crashes.append(f"{function}: {error!r}")
            return {}
        return answer

    def _calm_down(self) -> None:
        """Let the rest be worked off, without faults."""
        for _ in range(8):
            self._sweep()
            self._look_after_the_connection()
            self._work()
            self._pass(QUARTER)
        self._work()

    @contextmanager
    def _circumstances(self) -> Iterator[None]:
        with (
            _quick_turns(),
            _waiting_takes_no_time(self._system),
            self._counting(),
        ):
            yield

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Count how often a message is handed back for later."""
        from solvimon_rillet.aws.sqs import Queue

        defer, counts = Queue.defer, self.diary.counts

        def counted(queue: Queue, *arguments: Any) -> Any:  # noqa: ANN401 - as it is
            counts["deferrals"] += 1
            return defer(queue, *arguments)

        with patch.object(Queue, "defer", counted):
            yield


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Let threads take turns more often: a call's client and its server share one interpreter."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _waiting_takes_no_time(system: LocalSystem) -> Iterator[None]:
    """Let the product's own short waits pass on the clock, and let it wait less for answers.

    A refused turn at Rillet, the pause before a read is repeated: seconds that nobody needs to sit through.
    """
    from solvimon_rillet import http
    from solvimon_rillet.connections import connection
    from solvimon_rillet.rate_limit.limiter import SlidingWindowRateLimiter
    from solvimon_rillet.rillet import oauth
    from solvimon_rillet.workflows.sweep import payments

    impatient = partial(SlidingWindowRateLimiter, sleep=system.advance)
    pauses = SimpleNamespace(sleep=system.advance, time=time.time, mktime=time.mktime)
    with (
        patch.object(http, "READ_SECONDS", PATIENCE),
        patch.object(oauth, "_TIMEOUT_SECONDS", PATIENCE),
        patch.object(connection, "SlidingWindowRateLimiter", impatient),
        patch.object(payments, "sleep", system.advance),
        patch("urllib3.util.retry.time", pauses),
    ):
        yield
