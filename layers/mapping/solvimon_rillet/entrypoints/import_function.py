"""The handler of the three import functions."""

import time
from collections.abc import Callable, Mapping
from functools import partial

from solvimon_rillet.entrypoints.durable_function import Execution, durable_handler
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.workflows.durable.steps import Json
from solvimon_rillet.workflows.imports.customers import CUSTOMERS
from solvimon_rillet.workflows.imports.products import PRODUCTS
from solvimon_rillet.workflows.imports.request import IMPORT_EXAMPLE, ImportRequest
from solvimon_rillet.workflows.imports.steps import ImportSteps
from solvimon_rillet.workflows.imports.subsidiaries import SUBSIDIARIES
from solvimon_rillet.workflows.imports.workflow import Import

_RESOURCES = {resource.plural: resource for resource in (CUSTOMERS, PRODUCTS, SUBSIDIARIES)}


def import_handler(
    plural: str, environment: Mapping[str, str], clock: Callable[[], float] = time.time
) -> Handler:
    """A handler that imports ``customers``, ``products`` or ``subsidiaries``."""
    resource = _RESOURCES[plural]
    telemetry = Telemetry(environment, f"import_{plural}")
    services = Services(environment, clock, telemetry.count)

    def run_import(request: ImportRequest, execution: Execution) -> Json:
        connect = partial(services.connections.open_for_bulk_work, request.connection)
        steps = ImportSteps(
            resource,
            request,
            execution.name,
            connect,
            execution.time_left,
            telemetry.count,
            lambda: services.reports,
        )
        return Import(resource, request, execution.steps, steps).run()

    def publish(execution: str, answer: Json) -> None:
        services.outcomes.import_ended(execution, answer)

    return durable_handler(
        f"import_{plural}",
        ImportRequest,
        IMPORT_EXAMPLE,
        run_import,
        telemetry,
        lambda: services.runs,
        publish,
    )
