"""Lambda function ``sweep``: finds what no webhook told of, and puts it on the bus.

Takes what the schedule sends, for all connections, or a direct invocation for one::

    {}
    {"connection": "default"}
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from solvimon_rillet.entrypoints.lambda_handler import Handler, lazily
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.formatting import validation_problems
from solvimon_rillet.workflows.sweep.sweep import sweep_all


class Request(BaseModel):
    """What is to be swept."""

    model_config = ConfigDict(extra="forbid")

    connection: str | None = None


def build(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "sweep")
    runtime = Services(environment, clock, telemetry.count)

    @telemetry.logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            named = Request.model_validate(event).connection
        except ValidationError as error:
            return {"error": validation_problems(error, "event"), "example": {"connection": "default"}}

        def left() -> float:
            seconds: float = context.get_remaining_time_in_millis() / 1000
            return seconds

        try:
            connections = runtime.configuration.connections() if named is None else [named]
            return sweep_all(connections, runtime.sweep, left, telemetry.count)
        finally:
            telemetry.flush()

    return handle


handler = lazily(build)
