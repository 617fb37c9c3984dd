"""Lambda function ``receive_webhook``: ``POST /webhooks/{solvimon or rillet}/{connection}``."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from solvimon_rillet.entrypoints.lambda_handler import Handler, lazily
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.workflows.receive_webhook import REFUSED, ReceiveWebhook, raw_body


def build(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "receive_webhook")
    runtime = Services(environment, clock, telemetry.count)
    receiver = ReceiveWebhook(runtime.configuration, runtime.bus, clock)

    @telemetry.logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:  # noqa: ANN401
        connection = (event.get("pathParameters") or {}).get("connection")
        vendor = "rillet" if str(event.get("rawPath", "")).startswith("/webhooks/rillet/") else "solvimon"
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        body = raw_body(event)
        try:
            answer = REFUSED if body is None else receiver.receive(vendor, connection, headers, body)
        finally:
            telemetry.flush()
        return {
            "statusCode": answer.status,
            "headers": {"content-type": "application/json"},
            "body": json.dumps({"message": answer.message}),
        }

    return handle


handler = lazily(build)
