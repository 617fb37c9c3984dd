"""Lambda function ``sweep``: publishes the events that no webhook delivered.

Takes the schedule's event, for all connections, or a direct invocation for one::

    {}
    {"connection": "default"}
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from solvimon_rillet.connections.names import is_connection_name
from solvimon_rillet.entrypoints.digest import send_due_digests
from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.formatting import validation_problems
from solvimon_rillet.ledger.sweep_state import SweepState
from solvimon_rillet.rate_limit.limiter import Priority
from solvimon_rillet.workflows.sweep.base import SweepContext
from solvimon_rillet.workflows.sweep.sweep import Sweep, sweep_all


class Request(BaseModel):
    """The request: one connection, or all."""

    model_config = ConfigDict(extra="forbid")

    connection: str | None = None


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "sweep")
    services = Services(environment, clock, telemetry.count)

    def sweep_of(name: str, *, alone: bool) -> Sweep:
        connection = services.connections.open(name, Priority.BULK)
        state = SweepState(connection.name, services.table, clock)

        def check_credentials() -> None:
            services.configuration.credential(connection.name, "solvimon", "api_key")
            services.connections.tokens(connection.name, connection.settings).access_token()

        def learn_organisation() -> None:
            if not alone:  # only connections beside others may share an organisation's rate limit
                services.connections.learn_organisation(connection)

        context = SweepContext(connection, state, services.bus)
        return Sweep(context, check_credentials, telemetry.count, learn_organisation)

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            named = Request.model_validate(event).connection
        except ValidationError as error:
            return {"error": validation_problems(error, "event"), "example": {"connection": "default"}}

        def seconds_left() -> float:
            seconds: float = context.get_remaining_time_in_millis() / 1000
            return seconds

        connections = services.configuration.connections() if named is None else [named]
        send_due_digests(services, filter(is_connection_name, connections))
        sweep_one = partial(sweep_of, alone=len(connections) == 1)
        return sweep_all(connections, sweep_one, seconds_left, telemetry.count)

    return handle


handler = on_first_call(create_handler)
