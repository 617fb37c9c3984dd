"""``make bench``: prints one line ``BENCH {json}`` per measurement."""

import json
import sys
import time

from bench.cold_start import cold_starts
from bench.reconcile import reconcile_many
from local import demo_data
from local.stack import LocalStack
from solvimon_rillet.pacing import Priority
from tests.pacing.simulation import LIMIT, WINDOW, Simulation


def calls_per_invoice(stack: LocalStack) -> dict[str, object]:
    """Rillet calls for an invoice in the steady state: its customer and links are known."""
    seed = demo_data.solvimon_seed()
    connection = stack.connect(
        settings={"fallback_products": demo_data.fallback_products()},
        solvimon=seed,
        rillet=demo_data.rillet_seed(),
    )
    first, *others = [dict(seed["invoices"][0], id=f"invo_bench{number}") for number in range(51)]
    connection.platform.load({"invoices": [first, *others]})
    export(stack, connection, [str(first["id"])])
    before, started = connection.organisation.counts.calls, time.perf_counter()
    export(stack, connection, [str(invoice["id"]) for invoice in others])
    seconds = time.perf_counter() - started
    calls = connection.organisation.counts.calls - before
    return {
        "measure": "export_invoice, steady state",
        "invoices": len(others),
        "rillet_calls_per_invoice": calls / len(others),
        "milliseconds_per_invoice_here": round(seconds / len(others) * 1000, 1),
    }


def export(stack: LocalStack, connection: object, invoice_ids: list[str]) -> None:
    """Finalise invoices and export them."""
    for invoice_id in invoice_ids:
        connection.platform.finalise(invoice_id)  # type: ignore[attr-defined]
    stack.invoke("export_invoice", {"invoice_ids": invoice_ids})


def share_of_budget(_stack: LocalStack) -> dict[str, object]:
    """How much of Rillet's budget 8 workers use with 300 calls waiting; the twin's limiter judges."""
    simulation = Simulation(seed=1, todo={Priority.LIVE: 300})
    simulation.run({Priority.LIVE: 8})
    return {
        "measure": "pacing, 8 workers, 300 calls waiting (simulated time)",
        "limit": LIMIT,
        "window_seconds": WINDOW,
        "share_of_budget": round(simulation.share(), 3),
        "refused_429": simulation.refused,
        "handed_back_per_call": round(simulation.handed_back / 300, 2),
    }


def main() -> None:
    """Run all measurements."""
    with LocalStack(quiet=True) as stack:
        for measure in (calls_per_invoice, share_of_budget, reconcile_many):
            stack.reset()
            sys.stdout.write(f"BENCH {json.dumps(measure(stack))}\n")
        stack.reset()
        for found in cold_starts(stack):
            sys.stdout.write(f"BENCH {json.dumps(found)}\n")


if __name__ == "__main__":
    main()
