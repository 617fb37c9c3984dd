"""A reconciliation of 10,000 documents a side: calls, time, and the peak memory of a process of its own."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from local import sample_data
from local.system import Connection, LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.entrypoints.reconcile_function import reconcile_services
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.workflows.reconcile.fan_out import FanOut
from solvimon_rillet.workflows.reconcile.request import ReconcileRequest
from solvimon_rillet.workflows.reconcile.steps import ReconcileSteps
from solvimon_rillet.workflows.reconcile.workflow import Reconciliation
from tests.benchmarks.setup import Json, connected_without_limit

DOCUMENTS = 10_000
_BATCH = 25


def reconcile_many(system: LocalSystem) -> Iterator[Json]:
    """Fill both sides and the ledger, then reconcile in a process that holds nothing but the product."""
    connection = connected_without_limit(system)  # with Rillet's limit, the calls alone take two minutes
    fill(system, connection)
    before = len(system.rillet.state.calls)
    measured = _in_a_process(system)
    calls = system.rillet.state.calls[before:]
    yield {
        "measure": "reconcile, documents a side",
        "documents": DOCUMENTS,
        "tied_out": measured["tied_out"],
        "rillet_calls_invoices": sum(call.path == "/invoices" for call in calls),
        "rillet_calls_credit_memos": sum(call.path == "/credit-memos" for call in calls),
        "rillet_calls": len(calls),
        "seconds_here": measured["seconds"],
        "peak_memory_mb": measured["peak_memory_mb"],
        "memory_after_import_mb": measured["memory_after_import_mb"],
    }


def fill(system: LocalSystem, connection: Connection) -> None:
    """Export one invoice, then copy it on both sides and in the ledger up to the number of documents."""
    first = sample_data.invoice_id("first")
    connection.platform.finalise(first)
    system.settle()
    record = system.ledger_item(f"default#invoice#{first}", "RECORD") or {}
    billed = connection.platform.records["invoices"][first]
    booked = connection.organisation.invoices.get(record["rillet_id"]).document
    table = Table(system.deployment.outputs["LedgerTableName"], system.aws.dynamodb)
    records: dict[str, Json] = {}
    for number in range(1, DOCUMENTS):
        solvimon_id, invoice_number = f"invo_bench{number}", f"BENCH-{number:05}"
        numbered = {"id": solvimon_id, "invoice_number": invoice_number}
        connection.platform.records["invoices"][solvimon_id] = {**billed, **numbered}
        document = deepcopy(booked)
        document |= {"invoice_number": invoice_number, "id": None}
        for reference in document["external_references"]:
            reference["id"] = solvimon_id
        made = connection.organisation.invoices.add(document)
        facts = {**record, "rillet_id": made.document["id"], "rillet_number": invoice_number}
        records[f"default#invoice#{solvimon_id}"] = {k: v for k, v in facts.items() if k not in {"pk", "sk"}}
        if len(records) == _BATCH or number == DOCUMENTS - 1:
            table.put_many(records)
            records = {}


def _in_a_process(system: LocalSystem) -> Json:
    outputs = system.deployment.outputs
    function = system.runtime.functions["reconcile"]
    environment = {**os.environ, **function.environment, "BENCH_NOW": str(system.clock.now())}
    environment["LEDGER_TABLE"] = outputs["LedgerTableName"]
    command = [sys.executable, "-m", "tests.benchmarks.reconcile"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    answer: Json = json.loads(done.stdout.splitlines()[-1])
    return answer


class InlineSteps:
    """Runs steps at once; nothing has to wait here."""

    def step(self, _name: str, work: Callable[[], Json]) -> Json:
        """Do the work."""
        return work()

    def wait(self, name: str, seconds: int) -> None:
        """Wait; Lambda would suspend the execution."""
        sys.stderr.write(f"waits {seconds} s: {name}\n")
        time.sleep(seconds)


def main() -> None:
    """Reconcile as the function does, and print the time and the memory."""
    after_import = _megabytes()
    now = float(os.environ["BENCH_NOW"])
    made = Services(os.environ, lambda: now)
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    request = ReconcileRequest.model_validate({"connection": "default", "from": "2026-09-01", "to": today})

    def work(connection: str) -> ReconcileSteps:
        services = partial(reconcile_services, made, connection)
        return ReconcileSteps(connection, request, "bench", services, lambda *_: None)

    started = time.perf_counter()
    nobody = FanOut(request, list, lambda: made.own_executions, made.clock)
    answer = Reconciliation(request, InlineSteps(), nobody, work).run()
    seconds = time.perf_counter() - started
    measured = {
        "tied_out": answer["tied_out"],
        "seconds": round(seconds, 1),
        "peak_memory_mb": _megabytes(),
        "memory_after_import_mb": after_import,
    }
    sys.stdout.write(json.dumps(measured) + "\n")


def _megabytes() -> int:
    """Return the peak memory of this program; getrusage would include that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        [peak] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return round(int(peak.split()[1]) / 1024)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
