"""Run the soak: `python -m tests.soak`, or with `SEED=7 DAYS=5 CUSTOMERS=50` in the environment."""

import gc
import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from local.system import LocalSystem
from tests.soak.result import SoakResult, soak_result
from tests.soak.run import Soak
from tests.soak.schedule import Plan
from tests.soak.seeded_random import seeded_entropy

SEED = 20301101
LOG = Path(__file__).resolve().parents[2] / "build" / "soak" / "functions.log"


def main() -> int:
    """Run it; 0 when nothing is wrong, else 1."""
    plan = Plan(seed=_number("SEED", SEED))
    plan = replace(plan, days=_number("DAYS", plan.days), customers=_number("CUSTOMERS", plan.customers))
    screen = sys.stdout

    def print_line(text: str) -> None:
        screen.write(f"{text}\n")
        screen.flush()

    print_line(
        f"{plan.days} days of a company with {plan.customers} customers, seed {plan.seed}; a sweep every "
        f"{plan.sweep_seconds // 60} minutes, a reconciliation and imports every night. Log: {LOG}"
    )
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log, redirect_stdout(log):
        logging.getLogger("tests.soak").addHandler(logging.StreamHandler(log))
        started = time.monotonic()
        with seeded_entropy(plan.seed), LocalSystem(stack="soak", quiet=True) as system:
            soak = Soak(plan, system, print_line)
            gc.freeze()  # what is there now stays; the collector would walk through all of it again and again
            gc.set_threshold(50_000, 10, 100)
            soak.simulate()
            soak.reconcile_all()
            ended = soak_result(plan, system, soak, time.monotonic() - started)
    return print_result(plan, ended, print_line)


def print_result(plan: Plan, ended: SoakResult, print_line: Callable[[str], None]) -> int:
    """Print what is wrong and how to play it again, and the figures last; return the exit code."""
    for problem in ended.problems:
        print_line(f"! {problem}")
    if ended.problems:
        print_line(
            f"The same days again: SEED={plan.seed} DAYS={plan.days} CUSTOMERS={plan.customers} make soak"
        )
    print_line(ended.line)
    return 1 if ended.problems else 0


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


if __name__ == "__main__":
    sys.exit(main())
