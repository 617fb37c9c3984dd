"""``make faults``: every fault at every external effect of every workflow; prints ``FAULTS {json}``."""

import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.fault_injection.harness import RunResult
from tests.fault_injection.parallel_runs import Share, recorded, replayed

WORKERS = 2
AT_ONCE = 40


def main(arguments: list[str]) -> int:
    """Run everything, or the scenarios whose names contain one of the arguments."""
    started = time.monotonic()
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        shares = [Share(number, WORKERS, tuple(arguments)) for number in range(WORKERS)]
        runs = [run for share in pool.map(recorded, shares) for run in share]
        results: list[RunResult] = []
        # One scenario after the other: each process has to record those that it replays.
        for some in pool.map(
            replayed, [runs[start : start + AT_ONCE] for start in range(0, len(runs), AT_ONCE)]
        ):
            results += some
    failed = [result for result in results if result.differences]
    for result in sorted(failed, key=lambda each: str(each.run)):
        sys.stdout.write(f"{result.run}\n")
        for difference in result.differences:
            sys.stdout.write(f"    {difference.kind}: {difference.what}\n")
    kinds = Counter(difference.kind for result in failed for difference in result.differences)
    summary = {
        "effects": len({(run.scenario, run.effect) for run in runs}),
        "runs": len(results),
        "duplicates": kinds["duplicate"],
        "lost": kinds["lost"],
        "stuck": kinds["stuck"],
        "different": kinds["different"],
        "seconds": round(time.monotonic() - started),
    }
    sys.stdout.write(f"FAULTS {json.dumps(summary)}\n")
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
