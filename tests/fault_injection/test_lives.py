"""Lives of one invoice: a few of those that `make faults` draws."""

import json

from tests.fault_injection.harness import Harness
from tests.fault_injection.lives import Life, live

LIVES = 3


def test_every_life_ends_with_one_invoice_or_a_report(harness: Harness) -> None:
    live(harness, LIVES)


def test_a_life_can_be_lived_again_from_its_schedule(harness: Harness) -> None:
    schedule = [["work", 1, 30], ["deliver"], ["act", "pay"], ["sweep"]]

    life = Life(harness.system, harness.interceptor)
    problems = life.live(json.dumps(schedule))

    assert problems == []
    assert json.loads(json.dumps(life.schedule)) == schedule
