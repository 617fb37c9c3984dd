"""Lambda function ``receive_webhook``: ``POST /webhooks/{solvimon or rillet}/{connection}``."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.workflows.receive_webhook import REFUSED, ReceiveWebhook, raw_body

# By the route, not by the path: a custom domain may put a base path before it.
VENDOR_OF_ROUTE = {
    "POST /webhooks/solvimon/{connection}": "solvimon",
    "POST /webhooks/rillet/{connection}": "rillet",
}


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "receive_webhook")
    services = Services(environment, clock, telemetry.count)
    receiver = ReceiveWebhook(
        services.configuration,
        services.bus,
        clock,
        telemetry.count,
        services.webhook_arrivals.note,
    )

    @telemetry.handler
    def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:  # noqa: ANN401
        connection = _object(event, "pathParameters").get("connection")
        vendor = VENDOR_OF_ROUTE.get(str(event.get("routeKey")))
        headers = {str(name).lower(): str(value) for name, value in _object(event, "headers").items()}
        body = raw_body(event)
        if vendor is None or body is None:
            answer = REFUSED
        else:
            answer = receiver.receive(vendor, connection, headers, body)
        return {
            "statusCode": answer.status,
            "headers": {"content-type": "application/json"},
            "body": json.dumps({"message": answer.message}),
        }

    return handle


def _object(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of the event, which a direct invocation may give another type than API Gateway does."""
    part = event.get(name)
    return part if isinstance(part, Mapping) else {}


handler = on_first_call(create_handler)
