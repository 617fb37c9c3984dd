"""The handler of the reconciliation function."""

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import partial

from solvimon_rillet.entrypoints.durable_function import Execution, durable_handler
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.http.client import CountingRateLimiter
from solvimon_rillet.workflows.durable.steps import Json
from solvimon_rillet.workflows.reconcile.fan_out import FanOut
from solvimon_rillet.workflows.reconcile.request import RECONCILE_EXAMPLE, ReconcileRequest
from solvimon_rillet.workflows.reconcile.steps import ReconcileServices, ReconcileSteps
from solvimon_rillet.workflows.reconcile.workflow import Reconciliation


def reconcile_handler(environment: Mapping[str, str], clock: Callable[[], float] = time.time) -> Handler:
    """A handler that compares both sides' documents."""
    telemetry = Telemetry(environment, "reconcile")
    services = Services(environment, clock, telemetry.count)

    def reconcile(request: ReconcileRequest, execution: Execution) -> Json:
        run = hashlib.sha256(execution.name.encode()).hexdigest()[:20]

        def steps_of(connection: str) -> ReconcileSteps:
            connect = partial(reconcile_services, services, connection)
            return ReconcileSteps(connection, request, run, connect, telemetry.count)

        fan_out = FanOut(
            request, lambda: services.connection_list.names(), lambda: services.own_executions, clock
        )
        failed = partial(telemetry.count, "ReconciliationFailed", "all")
        return Reconciliation(request, execution.steps, fan_out, steps_of, failed).run()

    def publish(execution: str, answer: Json) -> None:
        services.outcomes.reconciliation_ended(execution, answer)

    return durable_handler(
        "reconcile", ReconcileRequest, RECONCILE_EXAMPLE, reconcile, telemetry, lambda: services.runs, publish
    )


def reconcile_services(services: Services, name: str) -> tuple[ReconcileServices, CountingRateLimiter]:
    """The services of the steps for a connection, and the limiter that counts the calls to Rillet."""
    connection, limiter = services.connections.open_for_bulk_work(name)
    return ReconcileServices(connection, services.reports, services.bus, services.topic), limiter
