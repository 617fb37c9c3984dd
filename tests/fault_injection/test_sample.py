"""A part of ``make faults`` that is the same in every run: a fault in each situation, and a few lives."""

import json
import random

import pytest

from tests.fault_injection.harness import Harness
from tests.fault_injection.lives import Life, live
from tests.fault_injection.scenarios import SCENARIOS, Scenario

SEED = 7
RUNS = 1
# `make test` tries every second situation, `make test-all` all of them.
SITUATIONS = [
    pytest.param(each, id=each.name, marks=[pytest.mark.slow] if number % 2 else [])
    for number, each in enumerate(SCENARIOS)
]
LIVES = 3


@pytest.mark.parametrize("scenario", SITUATIONS)
def test_a_fault_at_an_effect_changes_nothing_in_the_end(harness: Harness, scenario: Scenario) -> None:
    runs = harness.runs(scenario)
    chosen = random.Random(f"{SEED} {scenario.name}").sample(runs, RUNS)  # noqa: S311 - a sample, no secret

    results = [harness.replay(scenario, run) for run in chosen]

    assert {str(result.run): result.differences for result in results} == {str(run): () for run in chosen}


def test_every_life_ends_with_one_invoice_or_a_report(harness: Harness) -> None:
    live(harness, LIVES)


def test_a_life_can_be_lived_again_from_its_schedule(harness: Harness) -> None:
    schedule = [["work", 1, 30], ["deliver"], ["act", "pay"], ["sweep"]]

    life = Life(harness.system, harness.interceptor)
    problems = life.live(json.dumps(schedule))

    assert problems == []
    assert json.loads(json.dumps(life.schedule)) == schedule
