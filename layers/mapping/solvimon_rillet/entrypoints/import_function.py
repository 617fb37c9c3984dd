"""The handler of an import, as a durable execution."""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.durable_function import Run, durable_handler
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.services import Runtime
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.http import CountedGate
from solvimon_rillet.workflows.durable_steps import Json
from solvimon_rillet.workflows.imports.customers import CUSTOMERS
from solvimon_rillet.workflows.imports.products import PRODUCTS
from solvimon_rillet.workflows.imports.resource import Kind
from solvimon_rillet.workflows.imports.steps import ImportRun, Parts
from solvimon_rillet.workflows.imports.subsidiaries import SUBSIDIARIES
from solvimon_rillet.workflows.imports.workflow import Import, ImportRequest

EXAMPLE = {"connection": "default", "updated_since": "2026-01-01T00:00:00Z", "dry_run": True}
_KINDS: Mapping[str, Kind] = {kind.plural: kind for kind in (CUSTOMERS, PRODUCTS, SUBSIDIARIES)}


def import_handler(
    what: str, environment: Mapping[str, str], clock: Callable[[], float] = time.time
) -> Handler:
    """A handler that imports ``customers``, ``products`` or ``subsidiaries``."""
    kind = _KINDS[what]
    telemetry = Telemetry(environment, f"import_{what}")
    runtime = Runtime(environment, clock, telemetry.count)

    def work(request: ImportRequest, run: Run) -> Json:
        def parts() -> tuple[Parts, CountedGate]:
            return runtime.import_parts(kind, request.connection)

        steps = ImportRun(kind, request, run.name, parts, clock, run.time_left, telemetry.count)
        return Import(kind, request, run.steps, steps).run()

    return durable_handler(ImportRequest, EXAMPLE, work, telemetry)
