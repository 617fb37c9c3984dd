"""Sharing the runs out to processes, each with a local system of its own."""

import atexit
import gc
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from local.system import LocalSystem
from tests.fault_injection.harness import Harness, RunResult
from tests.fault_injection.lives import Life, live
from tests.fault_injection.runs import Run
from tests.fault_injection.scenarios import SCENARIOS, Scenario

_own: list[Harness] = []


@dataclass(frozen=True)
class Share:
    """Every so-maniest scenario, of those whose name contains one of some words."""

    number: int
    of: int
    words: tuple[str, ...] = ()

    def scenarios(self) -> list[Scenario]:
        """The scenarios of this share."""
        chosen = [s for s in SCENARIOS if not self.words or any(word in s.name for word in self.words)]
        return chosen[self.number :: self.of]


def recorded(share: Share) -> list[Run]:
    """Record a share of the scenarios; the answer are all runs that follow from them."""
    return [run for scenario in share.scenarios() for run in _harness().runs(scenario)]


def replayed(runs: Sequence[Run]) -> list[RunResult]:
    """Replay some runs."""
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    return [_harness().replay(by_name[run.scenario], run) for run in runs]


def lived(count: int) -> str:
    """Let so many invoices live; what is wrong with one of them, if anything is."""
    try:
        live(_harness(), count)
    except AssertionError as problem:
        return str(problem)
    return ""


def lived_again(schedule: str) -> str:
    """Live a schedule; what is wrong in the end, if anything is."""
    return "; ".join(Life(_harness().system, _harness().interceptor).live(schedule))


def _harness() -> Harness:
    """The harness of this process."""
    if not _own:
        stop = ExitStack()
        atexit.register(stop.close)
        system = stop.enter_context(LocalSystem(quiet=True))
        _own.append(stop.enter_context(Harness.of(system)))
        gc.freeze()  # what is here now stays; looking through it again and again takes a tenth of the time
    return _own[0]
