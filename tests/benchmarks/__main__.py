"""``make bench``: prints one line ``BENCH {json}`` per measurement; ``ONLY=calls`` runs one part.

It fails if a measurement is not within its limit.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping

from local.system import LocalSystem
from tests.benchmarks.calls import calls_per_unit
from tests.benchmarks.cold_start import cold_starts
from tests.benchmarks.connections import connections
from tests.benchmarks.documents import work_per_document
from tests.benchmarks.latency import finalised_to_booked, receiver
from tests.benchmarks.reconcile import reconcile_many
from tests.benchmarks.setup import Json
from tests.benchmarks.workers import isolation, shares_of_budget

MEASUREMENTS: Mapping[str, Callable[[LocalSystem], Iterator[Json]]] = {
    "calls": calls_per_unit,
    "throughput": shares_of_budget,
    "latency": finalised_to_booked,
    "webhooks": receiver,
    "documents": work_per_document,
    "reconcile": reconcile_many,
    "connections": connections,
    "isolation": isolation,
    "cold-starts": cold_starts,
}


def main(only: str = "") -> None:
    """Run all measurements, or one part of them."""
    if only and only not in MEASUREMENTS:
        sys.exit(f"There is no part {only!r}; there are {', '.join(MEASUREMENTS)}.")
    beyond = list[str]()
    with LocalSystem(quiet=True) as system:
        for name, measure in MEASUREMENTS.items():
            if only in {"", name}:
                system.reset()
                for found in measure(system):
                    sys.stdout.write(f"BENCH {json.dumps(found)}\n")
                    sys.stdout.flush()
                    if not found.get("within_limit", True):
                        beyond.append(str(found["measure"]))
    if beyond:
        sys.exit(f"Beyond the limit: {'; '.join(beyond)}.")


if __name__ == "__main__":
    main(os.environ.get("ONLY", ""))
