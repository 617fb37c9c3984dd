"""The handler of a reconciliation, as a durable execution."""

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import partial

from solvimon_rillet.entrypoints.durable_function import Execution, durable_handler
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.workflows.durable_steps import Json
from solvimon_rillet.workflows.reconcile.steps import ReconcileSteps
from solvimon_rillet.workflows.reconcile.workflow import EXAMPLE, ReconcileRequest, Reconciliation


def reconcile_handler(environment: Mapping[str, str], clock: Callable[[], float] = time.time) -> Handler:
    """A handler that compares both sides' books."""
    telemetry = Telemetry(environment, "reconcile")
    runtime = Services(environment, clock, telemetry.count)

    def connections() -> Json:
        try:
            return {"connections": runtime.configuration.connections()}
        except RetryLater as error:
            return {"later": error.after, "why": str(error)}

    def work(request: ReconcileRequest, run: Execution) -> Json:
        name = hashlib.sha256(run.name.encode()).hexdigest()[:20]

        def steps(connection: str) -> ReconcileSteps:
            parts = partial(runtime.reconcile_parts, connection)
            return ReconcileSteps(connection, request, name, parts, clock, telemetry.count)

        return Reconciliation(request, run.steps, connections, steps).run()

    return durable_handler(ReconcileRequest, EXAMPLE, work, telemetry)
