"""Which fault meets which effect: the whole grid where it is cheap, else a sample of a fixed seed."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from tests.fault_injection.acts import AT_ONCE, IN_DOUBT, WHILE_OUT
from tests.fault_injection.effects import BY_TWO_WORKERS, LATE_SECONDS, NO_GOOD_ANSWER, Effect, Fault
from tests.fault_injection.scenarios import Scenario

SEED = 16
_STOPS = 12
"""An interleaved second worker stands still before one of so many effects."""
_AWS_WRITES = (Fault.LOST, Fault.REPEATED, Fault.THROTTLED)
_TRIED = 2
"""So many of them are tried at each read of a vendor and at each write in AWS."""


@dataclass(frozen=True)
class Run:
    """A scenario with a fault at one effect.

    Attributes:
        scenario: its name.
        effect: where.
        fault: what goes wrong there.
        act: what a person does: at this effect and no later than it can be done (``Fault.BY_PERSON``), else
            while the answer is out.
        stop: the effect before which an interleaved second worker stands still.
    """

    scenario: str
    effect: Effect
    fault: Fault
    act: str = ""
    stop: int = 0

    def __str__(self) -> str:
        act = f" | {self.act}" if self.act else ""
        stop = f" (it stands still at its effect {self.stop})" if self.stop else ""
        return f"{self.scenario} | {self.effect.workflow}: {self.effect} | {self.fault}{stop}{act}"

    @property
    def may_lose_the_grant(self) -> bool:
        """Whether Rillet may have granted a token that nobody got: only Rillet could prevent that."""
        killed = self.fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
        # Until it is stored, only this worker has it; for longer than its lease that is as if it had died.
        killed = killed or (self.fault is Fault.PAUSED and self.effect.what.startswith("PutSecretValue"))
        return killed or "/oauth2/token" in self.effect.what

    @property
    def schedule(self) -> str:
        """The run in one line, for ``--replay``."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def of(cls, schedule: str) -> "Run":
        """Read ``schedule``."""
        facts = json.loads(schedule)
        return cls(**facts | {"effect": Effect(**facts["effect"]), "fault": Fault(facts["fault"])})


def all_runs(scenario: Scenario, effects: Sequence[Effect]) -> list[Run]:
    """Every run of a scenario, the same in each call.

    Args:
        scenario: which one.
        effects: what it does undisturbed, in order.
    """
    chance = random.Random(f"{SEED} {scenario.name}")  # noqa: S311 - a sample, no secret
    runs = [
        Run(scenario.name, effect, fault)
        for number, effect in enumerate(effects)
        for fault in _alone(effect, chance, is_first=number == 0, at_once=scenario.again is not None)
    ]
    runs += [
        Run(scenario.name, effect, fault)
        for effect in effects
        if effect.is_vendor_write
        for fault in LATE_SECONDS
    ]
    runs += _by_two(scenario, effects, chance)
    runs += _by_people(scenario, effects, chance)
    return runs


def _alone(effect: Effect, chance: random.Random, *, is_first: bool, at_once: bool) -> Iterable[Fault]:
    """The faults of one worker at an effect.

    A worker that is killed just before an effect leaves what one leaves that is killed after the last one.
    """
    faults = [fault for fault in effect.faults(at_once=at_once) if is_first or fault != Fault.KILLED_BEFORE]
    sampled = NO_GOOD_ANSWER if effect.is_http else _AWS_WRITES
    if effect.is_vendor_write:
        return faults
    tried = chance.sample(sampled, _TRIED)
    return [fault for fault in faults if fault not in sampled or fault in tried]


def _by_two(scenario: Scenario, effects: Sequence[Effect], chance: random.Random) -> Iterable[Run]:
    """A second worker at every effect: its own effects lie before and after the first one's."""
    for effect in effects if scenario.again else ():
        yield Run(scenario.name, effect, Fault.INTERLEAVED, stop=chance.randint(1, _STOPS))
        if effect.is_vendor_write or chance.random() < 0.25:
            yield Run(scenario.name, effect, Fault.PAUSED)


def _by_people(scenario: Scenario, effects: Sequence[Effect], chance: random.Random) -> Iterable[Run]:
    """Each act at each write to a vendor, and one of them at every other effect.

    While the answer to a write is out, each act again: after a day, and before the call is carried out.
    """
    acts = [act for act in scenario.acts if act not in (*WHILE_OUT, *IN_DOUBT)]
    for effect in effects if acts else ():
        if effect.what.startswith(scenario.unprotected or " "):
            continue
        for act in acts if effect.is_vendor_write else [chance.choice(acts)]:
            if act != "edit the terms" or not effect.is_vendor_write:
                yield Run(scenario.name, effect, Fault.BY_PERSON, act)
    for effect in effects:
        if not effect.is_vendor_write:
            continue
        for act in scenario.acts:
            if act in IN_DOUBT:
                in_doubt = effect.what.endswith("/applications")
                yield Run(scenario.name, effect, Fault.TIMED_OUT if in_doubt else Fault.KILLED_AFTER, act)
            if act in (*AT_ONCE, *IN_DOUBT):
                continue
            if effect.what.startswith("POST "):
                yield Run(scenario.name, effect, Fault.LOST_FOR_A_DAY, act)
            yield Run(scenario.name, effect, chance.choice(list(LATE_SECONDS)), act)


def counted(runs: Iterable[Run]) -> dict[str, int]:
    """How many runs let a call come late, two workers interleave, and people act."""
    runs = list(runs)
    return {
        "late": sum(run.fault in LATE_SECONDS for run in runs),
        "interleaved": sum(run.fault in BY_TWO_WORKERS for run in runs),
        "by_people": sum(bool(run.act) for run in runs),
    }
