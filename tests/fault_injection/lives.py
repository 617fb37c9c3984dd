"""The life of one invoice with two workers, a person, the vendors and the clock, as a schedule of steps.

A schedule is a list of steps, each with the name of a method of ``Life`` and its arguments; it can be printed
and lived again. Hypothesis draws lives, and shortens one that fails.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from local.books_check.audit import audit, messages_left, unfinished_work, webhooks_left
from local.books_check.checks import FindingType
from local.system import LocalSystem
from tests.fault_injection.acts import ACTS
from tests.fault_injection.effect_interceptor import EffectInterceptor
from tests.fault_injection.effects import TOO_LATE, Fault
from tests.fault_injection.end_state import reported_twice
from tests.fault_injection.harness import PERIOD, Harness, attempt
from tests.fault_injection.setups import FIRST, invoice, set_up
from tests.fault_injection.stepped_worker import SteppedWorker

FAULTS = (
    *(Fault.LATE_10_S, Fault.LATE_70_S, Fault.LATE_20_MIN, Fault.LATE_25_H),
    *(Fault.LOST, Fault.TIMED_OUT, Fault.FAILED, Fault.KILLED_AFTER),
)
PEOPLE = ("rename the customer", "pay", "move", "drop the reference", "change the settings")
SECONDS = (10, 70, 95, 1000, 1300, 4000, 90_000)
"""How much time passes: less and more than a lease, the time for settling, an hour, and the life of a key."""
_WAITS = (61, 360, 1000, 1000, 3600, 90_000, 3600)
_STEPS = 12
_WORKERS, _EFFECTS = st.sampled_from([1, 2]), st.integers(1, 12)


class Life:
    """One invoice, from its finalisation on.

    Args:
        system: the local system; it is reset.
        interceptor: around it, installed.

    Attributes:
        schedule: the steps so far.
    """

    def __init__(self, system: LocalSystem, interceptor: EffectInterceptor) -> None:
        self.schedule: list[tuple[str, *tuple[Any, ...]]] = []
        self._system = system
        self._interceptor = interceptor
        self._setup = set_up(system)
        self._setup.finalise(invoice())
        self._workers: dict[int, SteppedWorker] = {}
        self._too_late = False
        self._watching: AbstractContextManager[None] = interceptor.watch()
        self._watching.__enter__()

    def work(self, worker: int, effects: int) -> None:
        """Let one of two workers start, or go on, for so many effects."""
        self._note("work", worker, effects)
        if worker not in self._workers or self._workers[worker].ended:
            export = {"invoice_ids": [FIRST]}
            self._workers[worker] = self._interceptor.step(
                lambda: attempt(lambda: self._system.invoke("export_invoice", export))
            )
        self._workers[worker].go_on(effects)

    def fail(self, worker: int, fault: str) -> None:
        """Let something go wrong at the next write of a worker to a vendor."""
        self._note("fail", worker, fault)
        if worker in self._workers:
            self._workers[worker].fault = Fault(fault)
            self._too_late = self._too_late or Fault(fault) in TOO_LATE

    def act(self, what: str) -> None:
        """Let a person act, if it is possible now."""
        self._note("act", what)
        ACTS[what](self._setup)

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self._note("wait", seconds)
        self._system.advance(seconds)

    def deliver(self) -> None:
        """Let both vendors deliver webhooks, and a worker do what is on the queues."""
        self._note("deliver")
        attempt(self._setup.work_off)

    def sweep(self) -> None:
        """Let a sweep run."""
        self._note("sweep")
        attempt(lambda: self._system.invoke("sweep", {"connection": "default"}))

    def end(self) -> list[str]:
        """Let everything come to its end; return what is wrong then, in words."""
        for worker in self._workers.values():
            worker.go_on()
        self._watching.__exit__(None, None, None)
        for wait in _WAITS:
            attempt(self._setup.work_off)
            self._system.advance(wait)
        for _ in range(2):
            attempt(lambda: self._system.invoke("sweep", {"connection": "default"}))
            self._settle()
        attempt(lambda: self._system.invoke("reconcile", dict(PERIOD)))
        self._settle()
        return list(self._problems())

    def live(self, schedule: str) -> list[str]:
        """Live a schedule, and return what is wrong in the end."""
        for name, *arguments in json.loads(schedule):
            getattr(self, name)(*arguments)
        return self.end()

    def _settle(self) -> None:
        for wait in _WAITS:
            attempt(self._setup.work_off)
            if not messages_left(self._system) and not webhooks_left(self._system):
                return
            self._system.advance(wait)

    def _problems(self) -> Iterator[str]:
        people = {step[1] for step in self.schedule if step[0] == "act"}
        twice = reported_twice(self._setup)
        for finding in audit(self._system).findings:
            if finding.type is FindingType.DUPLICATE and twice and self._too_late:
                continue  # nothing could prevent it, and it was reported
            if twice and finding.type in (FindingType.LEDGER, FindingType.PAYMENT, FindingType.CUSTOMER):
                continue
            if people & {"move", "drop the reference"} and finding.type is not FindingType.PAYMENT:
                continue  # what the audit goes by is gone; the number of invoices counts instead
            yield finding.text
        invoices = len(self._setup.connection.organisation.invoices)
        if invoices != 1 and not (twice and self._too_late):
            yield f"Rillet has {invoices} invoices."
        yield from unfinished_work(self._system)

    def _note(self, *step: Any) -> None:
        self.schedule.append(step)


def live(harness: Harness, count: int) -> None:
    """Let so many invoices live, the same in every run.

    Raises:
        AssertionError: one does not end as it must; the message has its schedule, as short as it gets.
    """
    bounds = settings(
        max_examples=count,
        stateful_step_count=_STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    run_state_machine_as_test(_machine_of(harness), settings=bounds)


def _machine_of(harness: Harness) -> type[RuleBasedStateMachine]:
    class Lives(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.life = Life(harness.system, harness.interceptor)

        @rule(worker=_WORKERS, effects=_EFFECTS)
        def work(self, worker: int, effects: int) -> None:
            self.life.work(worker, effects)

        @rule(worker=_WORKERS, fault=st.sampled_from(FAULTS))
        def fail(self, worker: int, fault: str) -> None:
            self.life.fail(worker, fault)

        @rule(what=st.sampled_from(PEOPLE))
        def act(self, what: str) -> None:
            self.life.act(what)

        @rule(seconds=st.sampled_from(SECONDS))
        def wait(self, seconds: int) -> None:
            self.life.wait(seconds)

        @rule()
        def deliver(self) -> None:
            self.life.deliver()

        @rule()
        def sweep(self) -> None:
            self.life.sweep()

        def teardown(self) -> None:
            problems = self.life.end()
            assert not problems, f"{problems}; again: --life '{json.dumps(self.life.schedule)}'"

    return Lives
