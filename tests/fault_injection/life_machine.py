"""One invoice, two workers, a person and the clock: Hypothesis draws lives, and shortens one that fails."""

import json

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.fault_injection.harness import Harness
from tests.fault_injection.lives import FAULTS, PEOPLE, SECONDS, Life

_STEPS = 12
_WORKERS, _EFFECTS = st.sampled_from([1, 2]), st.integers(1, 12)


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
