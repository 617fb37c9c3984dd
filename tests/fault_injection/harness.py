"""Recording what a workflow does outside, and doing it again with a fault at each of its effects."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.aws.runtime import Killed
from local.system import LocalSystem
from tests.fault_injection.boundary import Boundary, Plan
from tests.fault_injection.effects import Effect, Fault
from tests.fault_injection.end_state import Difference, EndState
from tests.fault_injection.scenarios import Scenario
from tests.fault_injection.worlds import World

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
class Outcome:
    """What a run came to."""

    run: Run
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class _Ends:
    """How an undisturbed run ends: by itself, and after a sweep."""

    by_itself: EndState
    swept: EndState


@dataclass
class Harness:
    """One local system, in which scenarios are recorded and replayed."""

    system: LocalSystem
    boundary: Boundary
    _undisturbed: dict[str, "_Ends"] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def of(cls, system: LocalSystem) -> Iterator["Harness"]:
        """A harness around a running system."""
        boundary = Boundary(system)
        with boundary.installed():
            yield cls(system, boundary)

    def record(self, scenario: Scenario) -> list[Effect]:
        """Run a scenario undisturbed; the answer are its effects, in order."""
        world = scenario.prepare(self.system)
        with self.boundary.watch():
            ended, answer = self._act(scenario, world)
        if not ended:
            raise AssertionError(f"{scenario.name} does not even work undisturbed: {answer}")
        effects = [effect for effect in self.boundary.effects if effect.workflow in scenario.workflows]
        by_itself = self._by_itself(scenario, world, answer)
        swept = self._swept(scenario, world, answer)
        if by_itself.unfinished or swept.unfinished:
            raise AssertionError(f"{scenario.name} does not even end undisturbed: {by_itself.unfinished}")
        self._undisturbed[scenario.name] = _Ends(by_itself, swept)
        return effects

    def runs(self, scenario: Scenario) -> list[Run]:
        """Every fault at every effect of a scenario."""
        return [
            Run(scenario.name, effect, fault)
            for effect in self.record(scenario)
            for fault in effect.faults(at_once=scenario.again is not None)
        ]

    def replay(self, scenario: Scenario, run: Run) -> Outcome:
        """Run a scenario with a fault, let the system recover, and compare the ends."""
        if scenario.name not in self._undisturbed:
            self.record(scenario)
        try:
            return Outcome(run, tuple(self._differences(scenario, run)))
        except Exception as error:  # noqa: BLE001 - a run that cannot even be compared is a finding too
            where = traceback.format_exc(limit=-3)
            return Outcome(run, (Difference("different", f"{type(error).__name__}: {error}\n{where}"),))

    def _differences(self, scenario: Scenario, run: Run) -> list[Difference]:
        world = scenario.prepare(self.system)
        again = scenario.again
        plan = Plan(
            run.effect, run.fault, (lambda: _survived(lambda: again(world))) if again else lambda: None
        )
        with self.boundary.watch(plan):
            ended, answer = self._act(scenario, world)
        if not plan.happened:
            return [Difference("different", "the effect did not happen again, so that nothing was tried")]
        if run.fault is Fault.LOST_FOR_A_DAY:
            self.system.advance(_DAY)
        if scenario.repeated:
            for _ in range(_REPETITIONS):
                if ended:
                    break
                self.system.advance(_HOUR)
                ended, answer = self._act(scenario, world)
            if not ended:
                return [Difference("lost", f"repeating it does not help: {answer}")]
        undisturbed = self._undisturbed[scenario.name]
        if not self._by_itself(scenario, world, answer).differences(undisturbed.by_itself):
            return []
        return self._swept(scenario, world, answer).differences(undisturbed.swept)

    def _act(self, scenario: Scenario, world: World) -> tuple[bool, Any]:
        """Start the workflow; whether it ended well, and its answer."""
        ended, answer = _survived(lambda: scenario.act(world))
        return ended and scenario.done(answer), answer

    def _by_itself(self, scenario: Scenario, world: World, answer: Any) -> EndState:  # noqa: ANN401
        """Let time pass and messages come again; then look at the end."""
        self._work_off(world)
        scenario.mend(world)
        self._work_off(world)
        return EndState.of(world, scenario.told(answer))

    def _swept(self, scenario: Scenario, world: World, answer: Any) -> EndState:  # noqa: ANN401
        """Let the sweep go round until it finds nothing; then look at the end."""
        for _ in range(3):
            self.system.advance(_HOUR + _MINUTE)
            _, swept = _survived(lambda: self.system.invoke("sweep", {}))
            self._work_off(world)
            if isinstance(swept, dict) and not swept["summary"]["found"] and not swept["summary"]["errors"]:
                break
        return EndState.of(world, scenario.told(answer))

    def _work_off(self, world: World) -> None:
        for wait in _WAITS:
            _survived(world.work_off)
            if not _is_left(world):
                return
            self.system.advance(wait)


def _survived(act: Any) -> tuple[bool, Any]:  # noqa: ANN401 - any step
    """Do something that may die; whether it did not, and its answer."""
    try:
        return True, act()
    except (Killed, Exception) as error:  # noqa: BLE001 - whoever called it goes on
        return False, f"{type(error).__name__}: {error}"


def _is_left(world: World) -> bool:
    """Whether a message or a webhook waits for its time."""
    queues = world.system.pollers.queues.values()
    webhooks = world.connection.platform.webhooks.pending() + world.connection.organisation.webhooks.pending()
    return bool(webhooks) or any(queue.depth().total for queue in queues)
