"""A part of ``make faults`` that is the same in every run: one fault in each situation."""

import random

import pytest

from tests.fault_injection.harness import Harness
from tests.fault_injection.scenarios import SCENARIOS, Scenario

SEED = 7
RUNS = 1
# `make test` tries every second situation, `make test-all` all of them.
SITUATIONS = [
    pytest.param(each, id=each.name, marks=[pytest.mark.slow] if number % 2 else [])
    for number, each in enumerate(SCENARIOS)
]


@pytest.mark.parametrize("scenario", SITUATIONS)
def test_a_fault_at_an_effect_changes_nothing_in_the_end(harness: Harness, scenario: Scenario) -> None:
    runs = harness.runs(scenario)
    chosen = random.Random(f"{SEED} {scenario.name}").sample(runs, RUNS)  # noqa: S311 - a sample, no secret

    results = [harness.replay(scenario, run) for run in chosen]

    assert {str(result.run): result.differences for result in results} == {str(run): () for run in chosen}
