"""Cold starts from the built artefacts: import to first answer under awslambdaric, against a bare function.

The bare function imports boto3 and makes the same AWS clients, nothing else. Both run in fresh processes, in
turns. The time includes the answers of moto and of the vendors' fakes, which run here; the processor's time
includes only the function's own work, and does not depend on the load of the machine.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from local import sample_data
from local.aws.deployment import DeployedFunction
from local.aws.durable import execute
from local.aws.server import REGION
from local.system import LocalSystem
from tests.benchmarks.latency import captured
from tests.benchmarks.setup import Json, connected_without_limit
from tests.packaging.artefacts import built, lambdas_python, linked, sam_build, sandbox_for
from tests.packaging.built_functions import connected_to
from tests.packaging.process import FunctionProcess, Sandbox

ROUNDS = 5
_BASIC = ("ssm", "secretsmanager", "dynamodb")
CLIENTS: Mapping[str, tuple[str, ...]] = {
    "receive_webhook": ("ssm", "secretsmanager", "events", "dynamodb"),
    "connect_rillet": (*_BASIC, "sns"),
    "configure": _BASIC,
    "export_invoice": _BASIC,
    "export_credit_memo": _BASIC,
    "sync_customer": _BASIC,
    "mark_invoice_paid": _BASIC,
    "sweep": (*_BASIC, "events"),
    "link_records": (*_BASIC, "events"),
    "sync_status": (*_BASIC, "sqs"),
    "panel": ("ssm", "dynamodb", "lambda"),
    "import_customers": (*_BASIC, "lambda"),
    "import_products": (*_BASIC, "lambda"),
    "import_subsidiaries": (*_BASIC, "lambda"),
    "reconcile": (*_BASIC, "lambda", "s3", "events", "sns"),
}
"""The AWS clients that a function makes for its first answer."""
_DURABLE, _WEBHOOK, _WORKER = 2.3, 1.3, 2.0
_BARE = """import os
import boto3
CLIENTS = [boto3.client(name) for name in os.environ["CLIENTS"].split()]
"""
_SDK = """import solvimon_python_sdk
"""
_HANDLER = """def handler(event, context):
    return {}
"""


@dataclass(frozen=True)
class Start:
    """First import to first answer: seconds, the processor's seconds, and the peak memory in MB."""

    time: float
    processor: float
    memory: float


class ColdStarts:
    """Starts functions in fresh processes.

    Args:
        system: the local system.
        sandbox: the Python and packages that they run with.
        functions: folder of each function.
        folder: for the functions to compare with.
    """

    def __init__(
        self, system: LocalSystem, sandbox: Sandbox, functions: Mapping[str, Path], folder: Path
    ) -> None:
        self._system = system
        self._sandbox = connected_to(system, sandbox)
        self._functions = functions
        self._folder = folder
        self._events = _events(system)
        for name, source in (("bare", _BARE), ("sdk", _SDK)):
            (folder / f"{name}.py").write_text(source + _HANDLER, encoding="utf-8")

    def function(self, workflow: str) -> Start:
        """Measure a cold start of one of our functions, up to its first answer."""
        deployed = replace(self._system.deployment.functions[workflow], code=self._functions[workflow])
        with FunctionProcess(self._sandbox, deployed, REGION) as process:
            if not deployed.durable:
                return _start(process, self._events[workflow])
            starts: list[Start] = []

            def invoke(given: Any) -> Any:  # noqa: ANN401
                starts.append(_start(process, given))
                return process.answers[-1].value

            execute(deployed, workflow, json.dumps(self._events[workflow]), invoke, self._system.clock)
            return starts[0]

    def bare(self, workflow: str) -> Start:
        """Measure a cold start of a function that only makes the same AWS clients."""
        return self._other("bare", self._sandbox, " ".join(CLIENTS[workflow]))

    def sdk(self) -> Start:
        """Measure a cold start of a function that only imports Solvimon's official SDK."""
        folder = self._folder / "packages"
        if not folder.exists():
            shutil.copytree(linked(["solvimon-python-sdk"], self._folder / "links"), folder)
            compile_all = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
            subprocess.run([self._sandbox.python, *compile_all], check=True)  # noqa: S603
        layers = (folder, *self._sandbox.layers)
        return self._other("sdk", replace(self._sandbox, layers=layers), "")

    def _other(self, name: str, sandbox: Sandbox, clients: str) -> Start:
        environment = {"CLIENTS": clients}
        function = DeployedFunction(name, name, f"arn:{name}", self._folder, environment, 60, 512)
        with FunctionProcess(sandbox, function, REGION) as process:
            return _start(process, {})


def cold_starts(system: LocalSystem) -> Iterator[Json]:
    """Measure each function, and the import of Solvimon's official SDK."""
    python = lambdas_python()
    earlier = os.environ.get("BENCH_BUILD")  # an earlier build to measure instead
    artefacts = built(Path(earlier)) if earlier else sam_build(python)
    sandbox, note = sandbox_for(artefacts, python or sys.executable)
    with TemporaryDirectory() as folder:
        starts = ColdStarts(system, sandbox, artefacts.functions, Path(folder))
        for workflow in artefacts.functions:
            bare, ours = zip(
                *((starts.bare(workflow), starts.function(workflow)) for _ in range(ROUNDS)), strict=True
            )
            durable = system.deployment.functions[workflow].durable
            target = _WEBHOOK if workflow == "receive_webhook" else _DURABLE if durable else _WORKER
            yield {"measure": f"cold start, {workflow}", **_compared(ours, bare), "target": target}
        bare, sdk = (starts.bare("receive_webhook"),), (starts.sdk(),)  # once; it takes its time
        yield {"measure": "import of Solvimon's official SDK", **_compared(sdk, bare), "ran_on": note}


def _compared(ours: tuple[Start, ...], bare: tuple[Start, ...]) -> Json:
    processor, time = median(one.processor for one in ours), median(one.time for one in ours)
    return {
        "ratio_processor": round(processor / median(one.processor for one in bare), 2),
        "ratio_time": round(time / median(one.time for one in bare), 2),
        "peak_memory_mb": round(median(one.memory for one in ours)),
        "bare_memory_mb": round(median(one.memory for one in bare)),
        "processor_ms_here": round(processor * 1000),
        "time_ms_here": round(time * 1000),
    }


def _start(process: FunctionProcess, event: Any) -> Start:  # noqa: ANN401
    at = process.invoke(event).at
    began, used = map(float, process.output().split(maxsplit=2)[:2])
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])  # utime and stime; proc(5)
    status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    [peak] = [line for line in status if line.startswith("VmHWM")]
    processor = ticks / os.sysconf("SC_CLK_TCK") - used
    return Start(at - began, processor, int(peak.split()[1]) / 1024)


def _events(system: LocalSystem) -> dict[str, Json]:
    """Return an event for each function, on the demo's connection with a booked invoice."""
    connection = connected_without_limit(system)  # so that no start waits for Rillet's limit
    booked, other = sample_data.invoice_id("first"), sample_data.invoice_id("split-group")
    connection.platform.finalise(booked)
    note = connection.platform.credit(booked, "1.00")["id"]
    system.settle()
    invoice = connection.platform.finalise(other)
    day = str(invoice["invoice_date"])[:7]
    dry_run: Json = {"connection": "default", "dry_run": True}
    return {
        "receive_webhook": captured(system),
        "connect_rillet": {"connection": "default", "action": "status"},
        "configure": {"connection": "default", "show": True},
        "export_invoice": {**dry_run, "invoice_ids": [other]},
        "export_credit_memo": {**dry_run, "credit_note_ids": [note]},
        "sync_customer": {**dry_run, "customer_ids": [invoice["customer_id"]]},
        "mark_invoice_paid": {**dry_run, "invoice_ids": [booked]},
        "sweep": {"connection": "default"},
        "link_records": {"list": "products"},
        "sync_status": {},
        "panel": {"sign_in": {"as": "ada", "role": "viewer"}},
        "import_customers": dry_run,
        "import_products": dry_run,
        "import_subsidiaries": dry_run,
        "reconcile": {"connection": "default", "from": f"{day}-01", "to": f"{day}-28", "redrive": False},
    }
