"""Lambda function ``sweep``: publishes the events that no webhook delivered.

Takes the schedule's event, which puts a message for each connection onto the function's own queue; these
messages, each of which sweeps one connection; or a direct invocation, which sweeps one and answers::

    {}
    {"connection": "default"}
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ConfigDict, ValidationError

from solvimon_rillet.connections.names import is_connection_name
from solvimon_rillet.entrypoints.digest import send_digest_if_due
from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.sweep_queue import fan_out, sweep_messages
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.invalid_values import problems_in_words
from solvimon_rillet.ledger.actor import RequestedBy
from solvimon_rillet.ledger.sweep_state import SweepState
from solvimon_rillet.rate_limit.send_times import Priority
from solvimon_rillet.workflows.sweep.base import ScanResult, SweepContext
from solvimon_rillet.workflows.sweep.sweep import Sweep, sweep_connection


class SweepRequest(RequestedBy):
    """The request: one connection, or all."""

    model_config = ConfigDict(extra="forbid")

    connection: str | None = None


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "sweep")
    services = Services(environment, clock, telemetry.count)

    def sweep_of(name: str) -> Sweep:
        connection = services.connections.open(name, Priority.BULK)
        state = SweepState(connection.name, services.table, clock)

        def check_credentials() -> None:
            services.configuration.credential(connection.name, "solvimon", "api_key")
            services.connections.tokens(connection.name, connection.settings).access_token()

        return Sweep(
            SweepContext(connection, state, services.bus),
            check_credentials,
            services.connections.breaker(connection.name).check,
            telemetry.count,
            lambda: services.connections.learn_organisation(connection),
        )

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        def sweep_one(connection: str, asked_at: float | None = None) -> ScanResult:
            def seconds_left() -> float:
                seconds: float = context.get_remaining_time_in_millis() / 1000
                return seconds

            if is_connection_name(connection):
                send_digest_if_due(services, connection)
            result = sweep_connection(connection, sweep_of, seconds_left, telemetry.count, asked_at)
            if not (result.found or result.stopped or result.errors):
                telemetry.discard("RilletCalls", connection)  # an idle metric costs as much as a busy one
            return result

        if "Records" in event:
            return sweep_messages(event["Records"], sweep_one)
        try:
            connection = SweepRequest.model_validate(event).connection
        except ValidationError as error:
            return {
                "error": problems_in_words(error, SweepRequest, whole="event"),
                "example": {"connection": "default"},
            }
        if connection is None:
            return fan_out(services.connection_list.names(), services.queue, clock())
        result = sweep_one(connection)
        summary = {"connections": 1, "found": result.found.total(), "errors": len(result.errors)}
        return {"summary": summary, "connections": [result.as_answer()]}

    return handle


handler = on_first_call(create_handler)
