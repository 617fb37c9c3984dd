"""The receiver of webhooks: the processor's time for a request, and the requests of a process in a second."""

import importlib
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from local import sample_data
from local.aws.runtime import LambdaContext
from local.aws.server import REGION
from local.system import LocalSystem
from solvimon_rillet.aws.eventbridge import Bus
from tests.benchmarks.setup import Json, connected

REQUESTS = 3000


def receiver(system: LocalSystem) -> Iterator[Json]:
    """Give one handler the same genuine webhook of an invoice again and again; the bus is a stub."""
    connection = connected(system)
    connection.platform.finalise(sample_data.invoice_id("first"))
    event, handle = captured(system), _handler(system)
    function = system.runtime.functions["receive_webhook"]
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


def _handler(system: LocalSystem) -> Any:  # noqa: ANN401 - a function's handler
    function = system.runtime.functions["receive_webhook"]
    module = importlib.import_module("functions.receive_webhook.receive_webhook")
    names = {"AWS_LAMBDA_FUNCTION_NAME": function.name, "AWS_REGION": REGION}
    return module.create_handler({**function.environment, **names}, clock=system.clock.now)
