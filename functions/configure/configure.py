"""Lambda function ``configure``: show, change and restore the settings of a connection.

Takes a direct invocation::

    {"connection": "default", "show": true}
    {"set": {"workflows.export_invoice": false}, "version": 7, "dry_run": true}
    {"restore": 5, "version": 7}
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from solvimon_rillet.connections.names import UnknownConnection
from solvimon_rillet.entrypoints.direct_request import answer_direct_request
from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.workflows.configure.configure import Configure
from solvimon_rillet.workflows.configure.effect import Effect
from solvimon_rillet.workflows.configure.product_check import ProductCheck
from solvimon_rillet.workflows.configure.request import CONFIGURE_EXAMPLES, ConfigureRequest
from solvimon_rillet.workflows.connect.known_connections import KnownConnections


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "configure")
    services = Services(environment, clock, telemetry.count)

    def answer(request: ConfigureRequest) -> dict[str, Any]:
        try:
            parameter = services.configuration.settings_parameter(request.connection, services.table)
            return Configure(
                request.connection,
                parameter,
                ProductCheck(services.connections),
                Effect(request.connection, services.ledger),
                services.configuration.hosts,
            ).run(request)
        except UnknownConnection as error:
            return KnownConnections(services.configuration, services.connections).unknown(error)

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        return answer_direct_request(
            event, ConfigureRequest, answer, {"examples": CONFIGURE_EXAMPLES}, context=context
        )

    return handle


handler = on_first_call(create_handler)
