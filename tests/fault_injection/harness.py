"""Recording what a workflow does outside, and doing it again with a fault at each of its effects."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.aws.runtime import Killed
from local.books_check.audit import audit, messages_left, webhooks_left
from local.books_check.checks import FindingType
from local.system import LocalSystem
from tests.fault_injection.acts import ACTS, Act, decide, undone
from tests.fault_injection.effect_interceptor import EffectInterceptor
from tests.fault_injection.effects import TOO_LATE, Effect, Fault, PlannedFault
from tests.fault_injection.end_state import REFUSED, Difference, EndState, reported_twice
from tests.fault_injection.runs import Run, all_runs
from tests.fault_injection.scenarios import Scenario
from tests.fault_injection.setups import Setup

_MINUTE, _HOUR, _DAY = 60, 3600, 25 * 3600
_WAITS = (61, 61, 240, 600, 300, 900, 900, 900, 3600, 3600)
"""How time goes by while something is left to do; longer than any delay, lease and visibility timeout."""
_REPETITIONS = 5
PERIOD = {"connection": "default", "from": "2040-01-01", "to": "2040-02-28"}


@dataclass(frozen=True)
class RunResult:
    """Result of a run.

    Attributes:
        run: what was tried.
        differences: from the undisturbed end; nothing after a good run.
        reported: whether a document is twice in Rillet, which nothing could prevent, and was reported.
    """

    run: Run
    differences: tuple[Difference, ...]
    reported: bool = False


@dataclass
class _Ends:
    """How an undisturbed run ends: automatically, after a sweep, and after a reconciliation."""

    automatic: EndState
    swept: EndState
    reconciled: EndState | None = None


@dataclass
class _Course:
    """A run under way: where it happens, what a person still has to do, and what was reported as doubled."""

    scenario: Scenario
    setup: Setup
    act: Act | None = None
    answer: Any = None
    reported: frozenset[str] = frozenset()
    fixed: bool = False

    def act_if_possible(self) -> bool:
        """Let the person act, once; whether it is done."""
        if self.act is not None and self.act(self.setup):
            self.act = None
        return self.act is None

    def end(self) -> EndState:
        """The end as it is now."""
        return EndState.of(self.setup, self.scenario.compared(self.answer))


@dataclass
class Harness:
    """One local system, in which scenarios are recorded and replayed."""

    system: LocalSystem
    interceptor: EffectInterceptor
    _undisturbed: dict[tuple[str, str], "_Ends"] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def of(cls, system: LocalSystem) -> Iterator["Harness"]:
        """A harness around a running system."""
        interceptor = EffectInterceptor(system)
        with interceptor.installed():
            yield cls(system, interceptor)

    def record(self, scenario: Scenario) -> list[Effect]:
        """Run a scenario undisturbed; the answer are its effects, in order."""
        course = _Course(scenario, scenario.prepare(self.system))
        with self.interceptor.watch():
            ended, course.answer = self._start(course)
        if not ended:
            raise AssertionError(f"{scenario.name} does not even work undisturbed: {course.answer}")
        effects = [effect for effect in self.interceptor.effects if effect.workflow == scenario.workflow]
        ends = _Ends(self._automatic_end(course), self._swept(course))
        if ends.automatic.unfinished or ends.swept.unfinished:
            raise AssertionError(f"{scenario.name} does not even end undisturbed: {ends}")
        found = audit(self.system).findings
        if {finding.type for finding in found} != scenario.findings:
            raise AssertionError(f"{scenario.name} does not end undisturbed with equal books: {found}")
        self._undisturbed[scenario.name, ""] = ends
        return effects

    def runs(self, scenario: Scenario) -> list[Run]:
        """All runs of a scenario."""
        return all_runs(scenario, self.record(scenario))

    def replay(self, scenario: Scenario, run: Run) -> RunResult:
        """Run a scenario with a fault, let the system recover, and compare the ends."""
        try:
            course, differences = self._differences(scenario, run)
        except Exception as error:  # noqa: BLE001 - a run that cannot even be compared is a finding too
            where = traceback.format_exc(limit=-3)
            return RunResult(run, (Difference("different", f"{type(error).__name__}: {error}\n{where}"),))
        if run.fault in (Fault.PAUSED, Fault.OVERTAKEN):  # its call leaves long after the turn that it took
            differences = [each for each in differences if REFUSED not in each.what]
        doubled = [each for each in differences if each.kind == "duplicate"]
        if run.fault not in TOO_LATE or not doubled:
            return RunResult(run, tuple(differences))
        twice = {name for name in course.reported if any(name in each.what for each in doubled)}
        unnoticed = [each for each in doubled if not any(name in each.what for name in twice)]
        others = [
            each
            for each in differences
            if each not in doubled and not any(name in each.what for name in twice)
        ]
        found = (*others, *(Difference("unnoticed", each.what) for each in unnoticed))
        return RunResult(run, found, reported=not unnoticed)

    def _differences(self, scenario: Scenario, run: Run) -> tuple[_Course, list[Difference]]:
        ends = self._ends(scenario, run.act)
        act = ACTS[run.act] if run.act else None
        course = _Course(scenario, scenario.prepare(self.system), act)
        plan = PlannedFault(
            run.effect, run.fault, lambda: self._again(course, run), course.act_if_possible, run.stop
        )
        with self.interceptor.watch(plan):
            ended, course.answer = self._start(course)
        if not plan.happened:
            text = "the effect did not happen again, so that nothing was tried"
            return course, [Difference("different", text)]
        course.act_if_possible()
        if run.fault is Fault.LOST_FOR_A_DAY:
            self.system.advance(_DAY)
        if scenario.by_person:
            for _ in range(_REPETITIONS):
                if ended:
                    break
                self.system.advance(_HOUR)
                ended, course.answer = self._start(course)
            if not ended:
                return course, [Difference("lost", f"repeating it does not help: {course.answer}")]
        automatic = self._automatic_end(course)
        if course.fixed and not run.may_lose_the_grant:
            return course, [Difference("lost", "the grant: a person had to connect Rillet again")]
        if scenario.judged_by_audit:
            return course, self._disagreements(course)
        if wiped := undone(course.setup):
            return course, [Difference("lost", what) for what in wiped]
        if course.setup.applied_by_hand or not automatic.differences(ends.automatic):
            return course, []
        swept = self._swept(course).differences(ends.swept)
        if not swept or run.fault not in TOO_LATE:
            return course, swept
        reconciled = self._reconciled(course)
        if ends.reconciled is None:
            ends.reconciled = self._undisturbed_end(scenario, run.act, reconciled=True).reconciled
        return course, reconciled.differences(ends.reconciled or ends.swept)

    def _disagreements(self, course: _Course) -> list[Difference]:
        """Where both sides' books do not agree after a sweep, and what is not finished."""
        unfinished = [Difference("stuck", what) for what in self._swept(course).unfinished]
        found = (one for one in audit(self.system).findings if one.type not in course.scenario.findings)
        return [*unfinished, *(Difference("different", finding.text) for finding in found)]

    def _again(self, course: _Course, run: Run) -> None:
        """What else happens at the effect: a second worker, or all that is due."""
        again = course.scenario.again
        if run.fault is Fault.PAUSED or again is None:
            attempt(course.setup.work_off)
        else:
            attempt(lambda: again(course.setup))

    def _ends(self, scenario: Scenario, act: str) -> _Ends:
        """The ends of an undisturbed run, after which a person acts."""
        if (scenario.name, act) not in self._undisturbed:
            if act:
                self._undisturbed[scenario.name, act] = self._undisturbed_end(scenario, act)
            else:
                self.record(scenario)
        return self._undisturbed[scenario.name, act]

    def _undisturbed_end(self, scenario: Scenario, act: str, *, reconciled: bool = False) -> _Ends:
        course = _Course(scenario, scenario.prepare(self.system), ACTS[act] if act else None)
        _, course.answer = self._start(course)
        ends = _Ends(self._automatic_end(course), self._swept(course))
        if course.act is not None and act != "apply":
            raise AssertionError(f"{act!r} is never possible in {scenario.name}")
        if wrong := [one.text for one in audit(self.system).findings if one.type is FindingType.PAYMENT]:
            raise AssertionError(f"{act!r} alone leads to a wrong payment state: {wrong}")
        if reconciled:
            ends.reconciled = self._reconciled(course)
        return ends

    def _start(self, course: _Course) -> tuple[bool, Any]:
        """Start the workflow; whether it succeeded, and its answer."""
        ended, answer = attempt(lambda: course.scenario.start(course.setup))
        return ended and course.scenario.succeeded(answer), answer

    def _automatic_end(self, course: _Course) -> EndState:
        """Let time pass and messages come again; then look at the end."""
        self._work_off(course)
        course.fixed = course.scenario.fix(course.setup) or course.fixed
        decide(course.setup)
        self._work_off(course)
        while moments := self._late():
            self.system.advance(max(0.0, min(moments) - self.system.clock.now()) + 1)
            self._work_off(course)
        return course.end()

    def _swept(self, course: _Course) -> EndState:
        """Let the sweep go round until it finds nothing; then look at the end."""
        for _ in range(3):
            self.system.advance(_HOUR + _MINUTE)
            _, swept = attempt(lambda: self.system.invoke("sweep", {"connection": "default"}))
            self._work_off(course)
            if isinstance(swept, dict) and not swept["summary"]["found"] and not swept["summary"]["errors"]:
                break
        return course.end()

    def _reconciled(self, course: _Course) -> EndState:
        """Reconcile; then look at the end."""
        _, answer = attempt(lambda: self.system.invoke("reconcile", dict(PERIOD)))
        self._work_off(course)
        found = answer.get("findings", ()) if isinstance(answer, dict) else ()
        doubled = {one["number"] for one in found if one["kind"] == "doubled"}
        course.reported = frozenset(doubled | reported_twice(course.setup))
        return course.end()

    def _work_off(self, course: _Course) -> None:
        for wait in _WAITS:
            attempt(course.setup.work_off)
            if course.act_if_possible() and not messages_left(self.system) and not webhooks_left(self.system):
                return
            self.system.advance(wait)

    def _late(self) -> list[float]:
        """When the vendors carry out the calls that they still have."""
        vendors = (self.system.rillet.state, self.system.solvimon.state)
        return [moment for state in vendors if (moment := state.late_calls.next_at) is not None]


def attempt(step: Callable[[], object]) -> tuple[bool, Any]:
    """Do something that may die; whether it did not, and its answer."""
    try:
        return True, step()
    except (Killed, Exception) as error:  # noqa: BLE001 - the caller goes on
        return False, f"{type(error).__name__}: {error}"
