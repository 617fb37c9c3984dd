"""``make bench``: prints one line ``BENCH {json}`` per measurement; ``ONLY=calls`` runs one part."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench.calls import calls_per_unit
from bench.cold_start import cold_starts
from bench.documents import work_per_document
from bench.latency import finalised_to_booked
from bench.reconcile import reconcile_many
from bench.throughput import simulated_share_of_budget, workers_under_the_limit
from bench.webhooks import receiver
from local.stack import LocalStack

Json = dict[str, Any]


def _throughput(_stack: LocalStack) -> Iterator[Json]:
    yield simulated_share_of_budget()
    yield workers_under_the_limit(live=600)
    yield workers_under_the_limit(live=240, bulk=60)


def _one(measure: Callable[[LocalStack], Json]) -> Callable[[LocalStack], Iterator[Json]]:
    def measured(stack: LocalStack) -> Iterator[Json]:
        yield measure(stack)

    return measured


PARTS: Mapping[str, Callable[[LocalStack], Iterator[Json]]] = {
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
    with LocalStack(quiet=True) as stack:
        for name, part in PARTS.items():
            if only in {"", name}:
                stack.reset()
                for found in part(stack):
                    sys.stdout.write(f"BENCH {json.dumps(found)}\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    main(os.environ.get("ONLY", ""))
