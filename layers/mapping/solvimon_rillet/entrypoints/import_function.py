"""The handler of an import, as a durable execution."""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.durable_function import Execution, durable_handler
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.http import CountingRateLimiter
from solvimon_rillet.ledger.import_state import ImportState
from solvimon_rillet.workflows.durable_steps import Json
from solvimon_rillet.workflows.imports.customers import CUSTOMERS
from solvimon_rillet.workflows.imports.products import PRODUCTS
from solvimon_rillet.workflows.imports.resource import ImportedResource
from solvimon_rillet.workflows.imports.steps import ImportServices, ImportSteps
from solvimon_rillet.workflows.imports.subsidiaries import SUBSIDIARIES
from solvimon_rillet.workflows.imports.workflow import Import, ImportRequest

EXAMPLE = {"connection": "default", "updated_since": "2026-01-01T00:00:00Z", "dry_run": True}
_KINDS: Mapping[str, ImportedResource] = {kind.plural: kind for kind in (CUSTOMERS, PRODUCTS, SUBSIDIARIES)}


def import_handler(
    what: str, environment: Mapping[str, str], clock: Callable[[], float] = time.time
) -> Handler:
    """A handler that imports ``customers``, ``products`` or ``subsidiaries``."""
    kind = _KINDS[what]
    telemetry = Telemetry(environment, f"import_{what}")
    services = Services(environment, clock, telemetry.count)

    def work(request: ImportRequest, run: Execution) -> Json:
        def parts() -> tuple[ImportServices, CountingRateLimiter]:
            connection, limiter = services.connections.open_for_bulk_work(request.connection)
            state = ImportState(connection.name, kind.name, services.table, clock)
            return ImportServices(connection.settings, connection.solvimon, connection.rillet, state), limiter

        steps = ImportSteps(kind, request, run.name, parts, clock, run.time_left, telemetry.count)
        return Import(kind, request, run.steps, steps).run()

    return durable_handler(ImportRequest, EXAMPLE, work, telemetry)
