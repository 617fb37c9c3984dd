"""The handler of ``link_records``: list, link and unlink what exists in both systems."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from solvimon_rillet.entrypoints.direct_request import answer_direct_request
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.services import Services, run_id
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.workflows.linking.link_records import LinkRecords
from solvimon_rillet.workflows.linking.request import LINK_EXAMPLES, LinkRequest


def link_handler(environment: Mapping[str, str], clock: Callable[[], float] = time.time) -> Handler:
    """A handler of ``link_records``."""
    telemetry = Telemetry(environment, "link_records")
    services = Services(environment, clock, telemetry.count)

    def answer(request: LinkRequest) -> dict[str, Any]:
        connection = services.connections.open(request.connection)
        return LinkRecords(connection, services.bus, run_id()).run(request)

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        return answer_direct_request(event, LinkRequest, answer, {"examples": LINK_EXAMPLES}, context=context)

    return handle
