"""``make faults``: every fault at every external effect of every workflow; prints ``FAULTS {json}``."""

import json
import shlex
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.fault_injection.harness import RunResult
from tests.fault_injection.parallel_runs import Share, lived, lived_again, recorded, replayed
from tests.fault_injection.runs import Run, counted

WORKERS = 2
LIVES = 80
AT_ONCE = 40
_COMMAND = "PYTHONPATH=layers/mapping .venv/bin/python -m tests.fault_injection"


def main(arguments: list[str]) -> int:
    """Run everything, or the scenarios whose names contain one of the arguments.

    Args:
        arguments: words; or ``--replay`` and the schedules of runs; or ``--life`` and that of a life.
    """
    started = time.monotonic()
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        if arguments[:1] == ["--life"]:
            problem = pool.submit(lived_again, arguments[1]).result()
            sys.stdout.write(f"{problem or 'Nothing is wrong.'}\n")
            return bool(problem)
        if arguments[:1] == ["--replay"]:
            runs = [Run.of(schedule) for schedule in arguments[1:]]
        else:
            shares = [Share(number, WORKERS, tuple(arguments)) for number in range(WORKERS)]
            runs = [run for share in pool.map(recorded, shares) for run in share]
        lives = LIVES if not arguments else 0
        life = pool.submit(lived, lives) if lives else None
        results: list[RunResult] = []
        # One scenario after the other: each process has to record those that it replays.
        for some in pool.map(
            replayed, [runs[start : start + AT_ONCE] for start in range(0, len(runs), AT_ONCE)]
        ):
            results += some
        try:
            problem = life.result() if life else ""
        except TimeoutError as error:  # a worker of a life hangs; the other runs are reported all the same
            problem = f"{error}: {error.__notes__[0] if hasattr(error, '__notes__') else 'see its traceback'}"
    failed = [result for result in results if result.differences]
    for result in sorted(failed, key=lambda each: str(each.run)):
        sys.stdout.write(f"{result.run}\n")
        for difference in result.differences:
            sys.stdout.write(f"    {difference.kind}: {difference.what}\n")
        sys.stdout.write(f"    again: {_COMMAND} --replay {shlex.quote(result.run.schedule)}\n")
    if problem:
        sys.stdout.write(f"a life of an invoice\n    {problem}\n")
    kinds = Counter(difference.kind for result in failed for difference in result.differences)
    summary = {
        "effects": len({(run.scenario, run.effect) for run in runs}),
        "runs": len(results),
        **counted(runs),
        "lives": lives,
        "duplicates": kinds["duplicate"],
        "lost": kinds["lost"],
        "stuck": kinds["stuck"],
        "different": kinds["different"],
        "reported": sum(result.reported for result in results),
        "unnoticed": kinds["unnoticed"],
        "seconds": round(time.monotonic() - started),
    }
    sys.stdout.write(f"FAULTS {json.dumps(summary)}\n")
    return 1 if failed or problem or not runs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
