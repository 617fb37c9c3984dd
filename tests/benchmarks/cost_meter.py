"""What work costs in AWS, in units: counted calls, measured work, and what stands ready."""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import local.aws.runtime
from local.aws.process import run_process
from local.aws.template import translate
from local.system import ROOT, LocalSystem
from tests.benchmarks.prices import PRICES
from tests.benchmarks.setup import book, connected, finalise, settle
from tests.support.arrange import configure, load
from tests.support.builders import DEMO_CUSTOMER, credit_note

TIMES = 5
MEMORY_GB = 0.5
PROCESSOR = {
    "receive_webhook": 0.002,
    "export_invoice": 0.018,
    "export_credit_memo": 0.043,
    "mark_invoice_paid": 0.019,
    "sync_customer": 0.026,
    "sweep": 0.047,
    "reconcile": 0.8,
}
"""Seconds of a processor that an invocation takes: warm, as `make cost` prints them where it runs, but for
the nightly reconciliation, which always starts cold (`make bench`)."""
SHARE_OF_A_PROCESSOR = MEMORY_GB * 1024 / 1769
"""Lambda gives a whole processor at 1,769 MB, and less in proportion (AWS Lambda Developer Guide)."""
ANSWER_SECONDS, AWS_SECONDS = 0.4, 0.01
"""How long a vendor, and a service of AWS in the same region, takes to answer."""
LOGGED_KB = 3
"""Log of an invocation: START, REPORT, a line a call, the result, metrics."""
UNITS: Mapping[str, tuple[str, float]] = {
    "dynamodb:GetItem": ("read", 1),
    "dynamodb:BatchGetItem": ("read", 10),
    "dynamodb:Query": ("read", 2),
    "dynamodb:PutItem": ("write", 2),
    "dynamodb:UpdateItem": ("write", 4),
    "dynamodb:DeleteItem": ("write", 2),
    "dynamodb:BatchWriteItem": ("write", 10),
    "sqs:SendMessage": ("sqs", 1),
    "sqs:GetQueueAttributes": ("sqs", 1),
    "events:PutEvents": ("event", 1),
    "secretsmanager:GetSecretValue": ("secret_call", 1),
    "s3:PutObject": ("s3_put", 1),
    "s3:DeleteObject": ("s3_put", 0),
    "s3:GetObject": ("s3_get", 1),
}
"""Priced units of a call. An update writes up to 2 KB, and its old and new entry in the index."""
FREE = {"ssm:GetParameter", "ssm:GetParametersByPath", "sns:Publish"}
"""Standard parameters cost nothing; a message to the topic a night is next to nothing."""
DAYS = 30.4
SWEEPS = 4 * 24 * DAYS
DURABLE_OPERATIONS = 20
"""Steps and waits of a nightly reconciliation."""
POLLS = 5 * 3 * 60 * 24 * DAYS
"""Requests of Lambda's five pollers on an empty queue in a month, each waiting for 20 seconds."""
IDLE_METRICS = 3 * 2 / 24
"""What a night's reconciliation counts, in two sets of dimensions, in one hour of 24; a quiet sweep: none."""
SECRETS = 3
"""Of a connection: Solvimon's, Rillet's, and the webhooks'."""
Usage = dict[str, float]


class Meter:
    """Counts the invocations and calls of a local system."""

    def __init__(self, system: LocalSystem) -> None:
        self._system = system
        self._invoked: Counter[str] = Counter()
        self.processor: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count invocations for a while."""
        runtime = self._system.runtime

        def counted(real: Callable[[str, Any], Any], workflow: str, event: Any) -> Any:  # noqa: ANN401 - JSON
            self._invoked[workflow] += 1
            timed = partial(self._timed, workflow)
            with patch.object(local.aws.runtime, "run_process", timed):
                return real(workflow, event)

        with (
            patch.object(runtime, "invoke", partial(counted, runtime.invoke)),
            patch.object(runtime, "start", partial(counted, runtime.start)),
        ):
            yield

    def _timed(self, workflow: str, work: Callable[[], Any], seconds: float) -> Any:  # noqa: ANN401 - JSON
        """Do the work in a thread of its own, and note how long the processor worked for it."""

        def timed() -> Any:  # noqa: ANN401 - JSON
            began = time.thread_time()
            try:
                return work()
            finally:
                self.processor[workflow].append(time.thread_time() - began)

        return run_process(timed, seconds)

    def of(self, work: Callable[[int], object], times: int = TIMES) -> Usage:
        """Return the average units of a piece of work, its webhooks and messages included."""
        self._invoked.clear()
        self._system.aws.permissions.counted.clear()
        before = self._vendor_calls()
        for number in range(times):
            work(number)
            settle(self._system)
            self._system.advance(600)
            settle(self._system)
        units = self._units()
        units["gb_second"] = MEMORY_GB * self._seconds(self._vendor_calls() - before)
        return {unit: quantity / times for unit, quantity in units.items()}

    def _vendor_calls(self) -> int:
        return len(self._system.solvimon.state.calls) + len(self._system.rillet.state.calls)

    def _seconds(self, vendors: int) -> float:
        """Billed seconds: the functions' own work, and what they waited for."""
        own = sum(PROCESSOR[workflow] * times for workflow, times in self._invoked.items())
        aws = self._system.aws.permissions.counted.total()
        return own / SHARE_OF_A_PROCESSOR + vendors * ANSWER_SECONDS + aws * AWS_SECONDS

    def _units(self) -> Usage:
        units = dict.fromkeys(PRICES, 0.0)
        for (_, action), calls in self._system.aws.permissions.counted.items():
            if action not in FREE:
                unit, each = UNITS[action]
                units[unit] += each * calls
        for workflow, times in self._invoked.items():
            units["invocation"] += times
            units["trace"] += times
            units["log_gb"] += times * LOGGED_KB / 1024**2
            units["api"] += times if workflow == "receive_webhook" else 0
            # EventBridge's send, the poller's receive and delete.
            units["sqs"] += 3 * times if workflow in self._system.deployment.queues else 0
        return units


def measured(meter: Meter, system: LocalSystem) -> dict[str, Usage]:
    """Units of one invoice, one credit note, and so on."""
    connection = connected(system)
    platform, organisation = connection.platform, connection.organisation
    book(system, connection, "invo_warm")

    def credit(number: int) -> None:
        load(connection, credit_note(f"invo_note{number}", of=f"invo_cost{number}"))

    with meter.watching():
        usage = {
            "invoice": meter.of(lambda n: finalise(connection, f"invo_cost{n}")),
            "credit note": meter.of(credit),
        }
        booked = book(system, connection, *(f"invo_paid{number}" for number in range(TIMES)))
        usage |= {
            "payment": meter.of(lambda n: organisation.pay(booked[n])),
            "customer's edit": meter.of(
                lambda n: platform.edit_customer(DEMO_CUSTOMER, email=f"quay{n}@example.com")
            ),
            "sweep": meter.of(lambda _: system.invoke("sweep", {})),
            "reconciliation": meter.of(lambda _: system.invoke("reconcile", {"connection": "default"}), 1),
        }
        configure(system, connection, mark_as_sent=False)
        book(system, connection, "invo_warm_unmarked")
        return usage | {UNMARKED: meter.of(lambda n: finalise(connection, f"invo_unmarked{n}"))}


def idle(work: Mapping[str, Usage], connections: int = 1) -> Usage:
    """Units of a month in which nothing happens, for so many connections."""
    body = translate(ROOT / "template.yaml", {})["Resources"].values()
    number_of = Counter(resource["Type"] for resource in body)
    units = {unit: SWEEPS * work["sweep"][unit] + DAYS * work["reconciliation"][unit] for unit in PRICES}
    units["durable"] += DAYS * DURABLE_OPERATIONS
    units["metric"] += IDLE_METRICS
    units["secret"] += SECRETS
    units = {unit: connections * quantity for unit, quantity in units.items()}
    units["sqs"] += POLLS * number_of["AWS::Lambda::EventSourceMapping"]
    units["alarm"] += watched()[0]
    units["dashboard"] += number_of["AWS::CloudWatch::Dashboard"]
    units["key"] += number_of["AWS::KMS::Key"]
    return units


def watched() -> tuple[int, int]:
    """The metrics that the template's alarms name, and the number of queries, which find one at most."""
    body = translate(ROOT / "template.yaml", {})["Resources"].values()
    alarms = [r["Properties"] for r in body if r["Type"] == "AWS::CloudWatch::Alarm"]
    metrics = [metric for alarm in alarms for metric in alarm.get("Metrics", [alarm])]
    queries = re.findall(r"SELECT \w+\((\w+)\)", str([metric.get("Expression") for metric in metrics]))
    return sum("Expression" not in metric for metric in metrics), len(queries)


def dollars(units: Mapping[str, float]) -> dict[str, float]:
    """Dollars by service."""
    bill: dict[str, float] = dict.fromkeys((price.service for price in PRICES.values()), 0.0)
    for unit, quantity in units.items():
        bill[PRICES[unit].service] += quantity * PRICES[unit].dollars
    return bill


UNMARKED = "invoice, not marked as sent"
