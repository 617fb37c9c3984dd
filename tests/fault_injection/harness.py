"""Recording what a workflow does outside, and doing it again with a fault at each of its effects."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.aws.runtime import Killed
from local.books_check.audit import audit
from local.books_check.system import messages_left, webhooks_left
from local.system import LocalSystem
from tests.fault_injection.effect_interceptor import EffectInterceptor, PlannedFault
from tests.fault_injection.effects import Effect, Fault
from tests.fault_injection.end_state import Difference, EndState
from tests.fault_injection.scenarios import Scenario
from tests.fault_injection.setups import Setup

_MINUTE, _HOUR, _DAY = 60, 3600, 25 * 3600
_WAITS = (61, 61, 360, 900, 900, 900, 900, 3600, 3600)
"""How time goes by while something is left to do; longer than any delay, lease and visibility timeout."""
_REPETITIONS = 5


@dataclass(frozen=True)
class Run:
    """A scenario with a fault at one effect."""

    scenario: str
    effect: Effect
    fault: Fault

    def __str__(self) -> str:
        return f"{self.scenario} | {self.effect.workflow}: {self.effect} | {self.fault}"


@dataclass(frozen=True)
class RunResult:
    """Result of a run."""

    run: Run
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class _Ends:
    """How an undisturbed run ends: automatically, and after a sweep."""

    automatic: EndState
    swept: EndState


@dataclass
class Harness:
    """One local system, in which scenarios are recorded and replayed."""

    system: LocalSystem
    interceptor: EffectInterceptor
    _undisturbed: dict[str, "_Ends"] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def of(cls, system: LocalSystem) -> Iterator["Harness"]:
        """A harness around a running system."""
        interceptor = EffectInterceptor(system)
        with interceptor.installed():
            yield cls(system, interceptor)

    def record(self, scenario: Scenario) -> list[Effect]:
        """Run a scenario undisturbed; the answer are its effects, in order."""
        setup = scenario.prepare(self.system)
        with self.interceptor.watch():
            ended, answer = self._start(scenario, setup)
        if not ended:
            raise AssertionError(f"{scenario.name} does not even work undisturbed: {answer}")
        effects = [effect for effect in self.interceptor.effects if effect.workflow == scenario.workflow]
        automatic = self._automatic_end(scenario, setup, answer)
        swept = self._swept(scenario, setup, answer)
        if automatic.unfinished or swept.unfinished:
            raise AssertionError(f"{scenario.name} does not even end undisturbed: {automatic.unfinished}")
        found = audit(self.system).findings
        if {finding.type for finding in found} != scenario.findings:
            raise AssertionError(f"{scenario.name} does not end undisturbed with equal books: {found}")
        self._undisturbed[scenario.name] = _Ends(automatic, swept)
        return effects

    def runs(self, scenario: Scenario) -> list[Run]:
        """Every fault at every effect of a scenario."""
        return [
            Run(scenario.name, effect, fault)
            for effect in self.record(scenario)
            for fault in effect.faults(at_once=scenario.again is not None)
        ]

    def replay(self, scenario: Scenario, run: Run) -> RunResult:
        """Run a scenario with a fault, let the system recover, and compare the ends."""
        if scenario.name not in self._undisturbed:
            self.record(scenario)
        try:
            return RunResult(run, tuple(self._differences(scenario, run)))
        except Exception as error:  # noqa: BLE001 - a run that cannot even be compared is a finding too
            where = traceback.format_exc(limit=-3)
            return RunResult(run, (Difference("different", f"{type(error).__name__}: {error}\n{where}"),))

    def _differences(self, scenario: Scenario, run: Run) -> list[Difference]:
        setup = scenario.prepare(self.system)
        again = scenario.again
        plan = PlannedFault(
            run.effect, run.fault, (lambda: _attempt(lambda: again(setup))) if again else lambda: None
        )
        with self.interceptor.watch(plan):
            ended, answer = self._start(scenario, setup)
        if not plan.happened:
            return [Difference("different", "the effect did not happen again, so that nothing was tried")]
        if run.fault is Fault.LOST_FOR_A_DAY:
            self.system.advance(_DAY)
        if scenario.by_person:
            for _ in range(_REPETITIONS):
                if ended:
                    break
                self.system.advance(_HOUR)
                ended, answer = self._start(scenario, setup)
            if not ended:
                return [Difference("lost", f"repeating it does not help: {answer}")]
        undisturbed = self._undisturbed[scenario.name]
        if not self._automatic_end(scenario, setup, answer).differences(undisturbed.automatic):
            return []
        return self._swept(scenario, setup, answer).differences(undisturbed.swept)

    def _start(self, scenario: Scenario, setup: Setup) -> tuple[bool, Any]:
        """Start the workflow; whether it succeeded, and its answer."""
        ended, answer = _attempt(lambda: scenario.start(setup))
        return ended and scenario.succeeded(answer), answer

    def _automatic_end(self, scenario: Scenario, setup: Setup, answer: Any) -> EndState:  # noqa: ANN401
        """Let time pass and messages come again; then look at the end."""
        self._work_off(setup)
        scenario.fix(setup)
        self._work_off(setup)
        return EndState.of(setup, scenario.compared(answer))

    def _swept(self, scenario: Scenario, setup: Setup, answer: Any) -> EndState:  # noqa: ANN401
        """Let the sweep go round until it finds nothing; then look at the end."""
        for _ in range(3):
            self.system.advance(_HOUR + _MINUTE)
            _, swept = _attempt(lambda: self.system.invoke("sweep", {}))
            self._work_off(setup)
            if isinstance(swept, dict) and not swept["summary"]["found"] and not swept["summary"]["errors"]:
                break
        return EndState.of(setup, scenario.compared(answer))

    def _work_off(self, setup: Setup) -> None:
        for wait in _WAITS:
            _attempt(setup.work_off)
            if not messages_left(self.system) and not webhooks_left(self.system):
                return
            self.system.advance(wait)


def _attempt(step: Callable[[], object]) -> tuple[bool, Any]:
    """Do something that may die; whether it did not, and its answer."""
    try:
        return True, step()
    except (Killed, Exception) as error:  # noqa: BLE001 - the caller goes on
        return False, f"{type(error).__name__}: {error}"
