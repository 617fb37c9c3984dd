"""Long work as durable executions of AWS Lambda: each step is a checkpoint, each wait ends the invocation.

Nothing else knows the durable execution SDK.
"""

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryDecision
from pydantic import ValidationError

from solvimon_rillet.errors import RetryLater
from solvimon_rillet.lambda_handler import Handler
from solvimon_rillet.runtime import Runtime
from solvimon_rillet.telemetry import Telemetry
from solvimon_rillet.workflows.import_customers import CUSTOMERS
from solvimon_rillet.workflows.import_kind import Json, Kind
from solvimon_rillet.workflows.import_products import PRODUCTS
from solvimon_rillet.workflows.import_run import ImportRun
from solvimon_rillet.workflows.import_subsidiaries import SUBSIDIARIES
from solvimon_rillet.workflows.importing import Import, ImportRequest
from solvimon_rillet.workflows.reconcile_run import ReconcileRun
from solvimon_rillet.workflows.reconciling import EXAMPLE as RECONCILE_EXAMPLE
from solvimon_rillet.workflows.reconciling import ReconcileRequest, Reconciliation

EXAMPLE = {"connection": "default", "updated_since": "2026-01-01T00:00:00Z", "dry_run": True}
_KINDS: Mapping[str, Kind] = {kind.plural: kind for kind in (CUSTOMERS, PRODUCTS, SUBSIDIARIES)}
_LONGEST_NAME = 256


def _again(_error: Exception, attempt: int) -> RetryDecision:
    """An error that no step expects: twice more, for what passes by itself; then the execution fails."""
    return RetryDecision.retry(Duration.from_seconds(10)) if attempt < 3 else RetryDecision.no_retry()


class DurableSteps:
    """Implements ``stepping.Steps``.

    Args:
        context: the durable execution.
    """

    def __init__(self, context: DurableContext) -> None:
        self._context = context

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        """Do the work once; a replay answers what it came to."""
        config = StepConfig(retry_strategy=_again)
        result: Json = self._context.step(lambda _: work(), name=_shown(name), config=config)
        return result

    def wait(self, name: str, seconds: int) -> None:
        """End the invocation; Lambda begins another one when the time has passed."""
        self._context.wait(Duration.from_seconds(seconds), name=_shown(name))


def import_handler(
    what: str, environment: Mapping[str, str], clock: Callable[[], float] = time.time
) -> Handler:
    """A handler that imports ``customers``, ``products`` or ``subsidiaries``."""
    kind = _KINDS[what]
    telemetry = Telemetry(environment, f"import_{what}")
    runtime = Runtime(environment, clock, telemetry.count)

    def run(event: Any, context: DurableContext) -> Json:  # noqa: ANN401
        try:
            request = ImportRequest.model_validate(event)
        except ValidationError as error:
            return {"error": _wrong(error), "example": EXAMPLE}
        invocation = context.lambda_context

        def time_left() -> float:
            return invocation.get_remaining_time_in_millis() / 1000 if invocation else math.inf

        work = ImportRun(
            kind,
            request,
            context.execution_context.durable_execution_arn,
            lambda: runtime.import_parts(kind, request.connection),
            clock,
            time_left,
            telemetry.count,
        )
        return Import(kind, request, DurableSteps(context), work).run()

    return _handler(run, telemetry)


def reconcile_handler(environment: Mapping[str, str], clock: Callable[[], float] = time.time) -> Handler:
    """A handler that compares both sides' books."""
    telemetry = Telemetry(environment, "reconcile")
    runtime = Runtime(environment, clock, telemetry.count)

    def run(event: Any, context: DurableContext) -> Json:  # noqa: ANN401
        try:
            request = ReconcileRequest.model_validate(event)
        except ValidationError as error:
            return {"error": _wrong(error), "example": RECONCILE_EXAMPLE}
        name = hashlib.sha256(context.execution_context.durable_execution_arn.encode()).hexdigest()[:20]

        def connections() -> Json:
            try:
                return {"connections": runtime.configuration.connections()}
            except RetryLater as error:
                return {"later": error.after, "why": str(error)}

        def work(connection: str) -> ReconcileRun:
            parts = partial(runtime.reconcile_parts, connection)
            return ReconcileRun(connection, request, name, parts, clock, telemetry.count)

        return Reconciliation(request, DurableSteps(context), connections, work).run()

    return _handler(run, telemetry)


def _handler(run: Callable[[Any, DurableContext], Json], telemetry: Telemetry) -> Handler:
    durable = durable_execution(run)

    @telemetry.logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            answer: dict[str, Any] = durable(event, context)
            return answer
        finally:
            telemetry.flush()

    return handle


def _wrong(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, part['loc'])) or 'event'}: {part['msg']}" for part in error.errors()
    )


def _shown(name: str) -> str:
    """A name as Lambda takes it for a step: printable ASCII, at most 256 characters."""
    text = " ".join(name.split()).encode("ascii", "replace").decode()
    return "".join(sign for sign in text if sign.isprintable())[:_LONGEST_NAME]
