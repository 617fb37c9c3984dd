"""What the tests of the export share."""

import io
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NoReturn

import botocore.endpoint
import pytest
import requests

from local import sample_data
from local.aws.queues import Depth
from local.aws.server import environment
from local.fake_rillet.calls import Call
from local.system import Connection, LocalSystem

Json = dict[str, Any]

FIRST = sample_data.invoice_id("first")
FUNCTIONS = ("receive_webhook", "export_invoice")


class Killed(BaseException):
    """The function's process ends here, as at a time-out: nothing after this point runs."""


def die(*_: object, **__: object) -> NoReturn:
    """Stands in for a step before which the process ends."""
    raise Killed


def record(system: LocalSystem, invoice_id: str, connection: str = "default") -> Json:
    """The ledger's record of an invoice."""
    found = system.ledger_item(f"{connection}#invoice#{invoice_id}", "RECORD")
    assert found is not None, f"the ledger has no record of {invoice_id}"
    return found


def rillet_invoices(connection: Connection, invoice_id: str | None = None) -> list[Json]:
    """The invoices in Rillet, or those that refer to a Solvimon invoice."""
    found = connection.organisation.invoices.documents()
    if invoice_id is None:
        return found
    return [i for i in found if any(r["id"] == invoice_id for r in i.get("external_references", []))]


def export(system: LocalSystem, *invoice_ids: str, **more: object) -> list[Json]:
    """Invoke ``export_invoice`` directly and return its results."""
    answer = system.invoke("export_invoice", {"invoice_ids": list(invoice_ids), **more})
    results: list[Json] = answer["results"]
    return results


def booked_by_hand(system: LocalSystem, connection: Connection, body: object) -> Json:
    """Create an invoice in Rillet as a person or another program would."""
    headers = {"Authorization": f"Bearer {connection.rillet_api_key}", "X-Rillet-API-Version": "4"}
    answer = requests.post(f"{system.rillet.url}/invoices", json=body, headers=headers, timeout=5)
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


def until(system: LocalSystem, done: Callable[[], bool], step: float = 60, most: float = 2 * 3600) -> None:
    """Let time pass and work go on until something is true."""
    passed = 0.0
    while not done():
        assert passed < most, "it did not become true in time"
        system.advance(step)
        system.settle()
        passed += step


def finalise(system: LocalSystem, connection: Connection, *invoice_ids: str) -> None:
    """Finalise invoices, so that their messages are on the queue."""
    for invoice_id in invoice_ids or (FIRST,):
        connection.platform.finalise(invoice_id)
    system.deliver_webhooks()


def invoice(connection: Connection, invoice_id: str = FIRST) -> Json:
    """An invoice in Solvimon itself, to be changed by a test."""
    return connection.platform.records["invoices"][invoice_id]


def configure(system: LocalSystem, connection: Connection, **changes: object) -> None:
    """Change settings, and let every function read them anew."""
    system.put_settings(connection.name, {**connection.settings, **changes})
    system.runtime.reset()


def calls_to(system: LocalSystem, method: str, path: str = "/") -> list[Call]:
    """The calls that reached Rillet, by method and the beginning of the path."""
    return [c for c in system.rillet.state.calls if c.method == method and c.path.startswith(path)]


def sent(system: LocalSystem) -> list[Call]:
    """The requests to create an invoice that reached Rillet."""
    return [call for call in calls_to(system, "POST", "/invoices") if call.path == "/invoices"]


def waiting(system: LocalSystem) -> Depth:
    """What is on the queue of ``export_invoice``."""
    return system.pollers.queues["export_invoice"].depth()


def dead(system: LocalSystem) -> list[str]:
    """What is in the dead-letter queue of ``export_invoice``."""
    return system.pollers.dead_letters["export_invoice"].bodies()


def put_on_queue(system: LocalSystem, body: object, **attributes: int) -> None:
    """Send a message to the queue of ``export_invoice``, as the bus does."""
    system.aws.sqs.send_message(
        QueueUrl=system.deployment.queues["export_invoice"].url,
        MessageBody=body if isinstance(body, str) else json.dumps(body),
        MessageAttributes={
            name: {"DataType": "Number", "StringValue": str(value)} for name, value in attributes.items()
        },
    )


def bus_event(invoice_id: str = FIRST, connection: str = "default") -> Json:
    """An event as EventBridge puts it on the queue."""
    return {
        "source": "solvimon",
        "detail-type": "Invoice Finalised",
        "detail": {"connection": connection, "id": invoice_id, "event_id": "e", "occurred_at": ""},
    }


def without_waiting_for_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let AWS's own client repeat a failed request at once, so that an outage takes no time."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))


@dataclass
class Heard:
    """What the functions wrote to their log; ``namespace`` is where their metrics belong."""

    namespace: str
    out: io.StringIO = field(default_factory=io.StringIO)

    @property
    def text(self) -> str:
        """Everything, as it was written."""
        return self.out.getvalue()

    @property
    def lines(self) -> list[Json]:
        """Everything, line by line; each is JSON."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def counted(self) -> Counter[str]:
        """Sums of the metrics (CloudWatch's embedded metric format), named ``connection.Metric``."""
        sums: Counter[str] = Counter()
        for line in self.lines:
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                assert directive["Namespace"] == self.namespace
                assert ["service"] in directive["Dimensions"], "the alarms ask for it"
                assert line["service"] in FUNCTIONS
                for metric in directive["Metrics"]:
                    sums[f"{line['connection']}.{metric['Name']}"] += int(sum(line[metric["Name"]]))
        return sums


@contextmanager
def listening(system: LocalSystem) -> Iterator[Heard]:
    """Let the functions speak, at the most talkative level that the template offers, and write it down."""
    heard = Heard(system.runtime.functions["export_invoice"].environment["POWERTOOLS_METRICS_NAMESPACE"])
    for function in FUNCTIONS:
        system.invoke(function, {})  # a logger gets its handler when its function is first built
    loggers = [logging.getLogger(name) for name in (*FUNCTIONS, "solvimon_rillet")]
    handlers = {h for logger in loggers for h in logger.handlers if isinstance(h, logging.StreamHandler)}
    levels = [logger.level for logger in loggers]
    streams = {handler: handler.setStream(heard.out) for handler in handlers}
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        with environment({"POWERTOOLS_METRICS_DISABLED": None}), redirect_stdout(heard.out):
            yield heard
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for handler, stream in streams.items():
            handler.setStream(stream)
