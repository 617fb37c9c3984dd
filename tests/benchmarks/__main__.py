"""``make bench``: prints one line ``BENCH {json}`` per measurement; ``ONLY=calls`` runs one part."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.system import LocalSystem
from tests.benchmarks.calls import calls_per_unit
from tests.benchmarks.cold_start import cold_starts
from tests.benchmarks.documents import work_per_document
from tests.benchmarks.latency import finalised_to_booked
from tests.benchmarks.reconcile import reconcile_many
from tests.benchmarks.throughput import simulated_share_of_budget, workers_under_the_limit
from tests.benchmarks.webhooks import receiver

Json = dict[str, Any]


def _throughput(_system: LocalSystem) -> Iterator[Json]:
    yield simulated_share_of_budget()
    yield workers_under_the_limit(live=600)
    yield workers_under_the_limit(live=240, bulk=60)


def _one(measure: Callable[[LocalSystem], Json]) -> Callable[[LocalSystem], Iterator[Json]]:
    def measured(system: LocalSystem) -> Iterator[Json]:
        yield measure(system)

    return measured


PARTS: Mapping[str, Callable[[LocalSystem], Iterator[Json]]] = {
    "calls": calls_per_unit,
    "throughput": _throughput,
    "latency": _one(finalised_to_booked),
    "webhooks": _one(receiver),
    "documents": lambda _: work_per_document(),
    "reconcile": _one(reconcile_many),
    "cold-starts": cold_starts,
}


def main(only: str = "") -> None:
    """Run all measurements, or one part of them."""
    if only and only not in PARTS:
        sys.exit(f"There is no part {only!r}; there are {', '.join(PARTS)}.")
    with LocalSystem(quiet=True) as system:
        for name, part in PARTS.items():
            if only in {"", name}:
                system.reset()
                for found in part(system):
                    sys.stdout.write(f"BENCH {json.dumps(found)}\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    main(os.environ.get("ONLY", ""))
