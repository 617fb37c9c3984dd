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
from solvimon_rillet.http import CountingRateLimiter
from solvimon_rillet.workflows.durable_steps import Json
from solvimon_rillet.workflows.reconcile.steps import ReconcileServices, ReconcileSteps
from solvimon_rillet.workflows.reconcile.workflow import EXAMPLE, ReconcileRequest, Reconciliation


def reconcile_handler(environment: Mapping[str, str], clock: Callable[[], float] = time.time) -> Handler:
    """A handler that compares both sides' books."""
    telemetry = Telemetry(environment, "reconcile")
    services = Services(environment, clock, telemetry.count)

    def connections() -> Json:
        try:
            return {"connections": services.configuration.connections()}
        except RetryLater as error:
            return {"later": error.after, "why": str(error)}

    def work(request: ReconcileRequest, run: Execution) -> Json:
        name = hashlib.sha256(run.name.encode()).hexdigest()[:20]

        def steps(connection: str) -> ReconcileSteps:
            parts = partial(reconcile_services, services, connection)
            return ReconcileSteps(connection, request, name, parts, clock, telemetry.count)

        return Reconciliation(request, run.steps, connections, steps).run()

    return durable_handler(ReconcileRequest, EXAMPLE, work, telemetry)


def reconcile_services(services: Services, name: str) -> tuple[ReconcileServices, CountingRateLimiter]:
    """What a reconciliation of a connection works with, and the count of its calls to Rillet."""
    at, limiter = services.connections.open_for_bulk_work(name)
    return (
        ReconcileServices(
            at.name,
            at.settings,
            at.ledger,
            at.solvimon,
            at.rillet,
            services.reports,
            services.bus,
            services.topic,
        ),
        limiter,
    )
