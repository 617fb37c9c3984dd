"""How long it takes: from finalisation to the invoice in Rillet, and the receiver's answer to a webhook."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any
from unittest.mock import patch

from botocore.httpsession import URLLib3Session
from requests.adapters import HTTPAdapter

from local import sample_data
from local.aws.runtime import LambdaContext
from local.system import LocalSystem
from solvimon_rillet.aws.eventbridge import Bus
from tests.benchmarks.setup import Json, connected, connected_without_limit, finalise

INVOICES = 100
_WARM = 5
REQUESTS = 3000


def finalised_to_booked(system: LocalSystem) -> Iterator[Json]:
    """Finalise one invoice after the other, each when the one before is in Rillet.

    The whole path is measured: webhook, receiver, bus, queue, worker, until the queue's message is deleted.
    The time of the two vendors' fakes is subtracted; the time of AWS is moto's here, and reported separately.
    """
    connection = connected_without_limit(system)
    ours, aws, vendors = [], [], []
    with _waiting_for(system.solvimon.url, system.rillet.url) as waited:
        for number in range(_WARM + INVOICES):
            finalise(connection, f"invo_idle{number}")
            waited.clear()
            began = time.perf_counter()
            system.deliver_webhooks()
            system.deliver("export_invoice")
            took = time.perf_counter() - began
            if number >= _WARM:
                ours.append(took - waited["vendors"])
                aws.append(waited["aws"])
                vendors.append(waited["vendors"])
    booked = len(connection.organisation.invoices.documents())
    yield {
        "measure": "finalised to booked, idle system",
        "invoices": booked - _WARM,
        "own_share": round(sum(ours) / (sum(ours) + sum(vendors)), 3),
        "own_ms_here": _spread(ours),
        "of_which_calls_to_aws_ms_here": _spread(aws),
        "vendors_ms_here": _spread(vendors),
    }


def _spread(seconds: list[float]) -> Json:
    return {"median": round(median(seconds) * 1000, 1), "p99": round(quantiles(seconds, n=100)[-1] * 1000, 1)}


@contextmanager
def _waiting_for(*vendors: str) -> Iterator[defaultdict[str, float]]:
    """Add up the seconds of the calls to the vendors at these addresses, and to AWS."""
    waited: defaultdict[str, float] = defaultdict(float)

    def timed(send: Callable[..., Any], name: str, addresses: tuple[str, ...]) -> Callable[..., Any]:
        def timing(self: object, request: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401
            began = time.perf_counter()
            try:
                return send(self, request, *args, **more)
            finally:
                if request.url.startswith(addresses):
                    waited[name] += time.perf_counter() - began

        return timing

    with (
        patch.object(HTTPAdapter, "send", timed(HTTPAdapter.send, "vendors", vendors)),
        patch.object(URLLib3Session, "send", timed(URLLib3Session.send, "aws", ("",))),
    ):
        yield waited


def receiver(system: LocalSystem) -> Iterator[Json]:
    """Give one handler the same genuine webhook of an invoice again and again; the bus is a stub."""
    connection = connected(system)
    connection.platform.finalise(sample_data.invoice_id("first"))
    event, function = captured(system), system.runtime.functions["receive_webhook"]
    handle = system.runtime._build(function)
    context = LambdaContext(function.name, function.arn, function.memory_mb, function.timeout)
    published: list[object] = []
    with patch.object(Bus, "publish", lambda _self, *events: published.extend(events)):
        handle(event, context)  # cold: reads the settings and the secret
        began, used = time.perf_counter(), time.process_time()
        answers = [handle(event, context)["statusCode"] for _ in range(REQUESTS)]
        used, took = time.process_time() - used, time.perf_counter() - began
    yield {
        "measure": "receive_webhook, bus stubbed",
        "requests": REQUESTS,
        "accepted": answers.count(200),
        "published": len(published) - 1,
        "body_bytes": len(event["body"]),
        "processor_ms_per_request_here": round(used / REQUESTS * 1000, 3),
        "requests_per_second_here": round(REQUESTS / took),
    }


def captured(system: LocalSystem) -> Json:
    """Return Solvimon's next webhook as the event of API Gateway."""
    seen: list[Json] = []

    def build(*_: object, **__: object) -> Any:  # noqa: ANN401
        def handle(event: Json, _context: object) -> Json:
            seen.append(event)
            return {"statusCode": 200, "body": "{}"}

        return handle

    system.runtime.replace("receive_webhook", build)
    system.deliver_webhooks()
    system.runtime.reset()
    return seen[0]
