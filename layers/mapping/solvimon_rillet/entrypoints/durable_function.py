"""Durable executions of AWS Lambda: each step is a checkpoint, and each wait ends the invocation.

No other module uses the durable execution SDK.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.exceptions import DurableExecutionsError
from aws_durable_execution_sdk_python.retries import RetryDecision
from pydantic import ValidationError

from solvimon_rillet.entrypoints.direct_request import with_actor
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.invalid_values import problems_in_words
from solvimon_rillet.ledger.actor import UNKNOWN_ACTOR, RequestedBy, acting_for
from solvimon_rillet.ledger.run_log import EVERY_CONNECTION, RunLog
from solvimon_rillet.workflows.durable.recorded_run import RecordedRun
from solvimon_rillet.workflows.durable.steps import Json, Steps

_MAX_STEP_NAME = 256
M = TypeVar("M", bound=RequestedBy)


@dataclass(frozen=True, slots=True)
class Execution:
    """One durable execution.

    Attributes:
        name: the same after every interruption.
        steps: runs its steps.
        time_left: seconds until the function's time limit.
    """

    name: str
    steps: Steps
    time_left: Callable[[], float]


def _retry_unexpected(_error: Exception, attempt: int) -> RetryDecision:
    """Try a step again twice after an error that it does not return as its result."""
    return RetryDecision.retry(Duration.from_seconds(10)) if attempt < 3 else RetryDecision.no_retry()


class DurableSteps:
    """Implements ``durable.steps.Steps``.

    Args:
        context: the durable execution.
        unexpected: logs an error that no code expects, and returns one that quotes nothing.
    """

    def __init__(self, context: DurableContext, unexpected: Callable[[Exception], Exception]) -> None:
        self._context = context
        self._unexpected = unexpected

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        """Run the work, or return its checkpointed result."""

        def attempt(_: object) -> Json:
            try:
                return work()
            except Exception as error:  # noqa: BLE001 - Lambda would keep and log its text
                raise self._unexpected(error) from None

        config = StepConfig(retry_strategy=_retry_unexpected)
        result: Json = self._context.step(attempt, name=_step_name(name), config=config)
        return result

    def wait(self, name: str, seconds: int) -> None:
        """End the invocation; Lambda starts another one after so many seconds."""
        self._context.wait(Duration.from_seconds(seconds), name=_step_name(name))


def durable_handler(
    kind: str,
    model: type[M],
    example: Json,
    work: Callable[[M, Execution], Json],
    telemetry: Telemetry,
    runs: Callable[[], RunLog],
    on_end: Callable[[str, Json], None] = lambda _execution, _answer: None,
) -> Handler:
    """A handler that validates a request and runs its work as a durable execution.

    Lambda invokes such a function only asynchronously, so a record of the run has its answer too.

    Args:
        kind: name of the function in the record.
        model: validates the event.
        example: a valid event, shown with the answer to an invalid one.
        work: runs the request and returns the answer.
        telemetry: flushed after each invocation.
        runs: the records of runs.
        on_end: is given the execution and the answer, once the record has it.
    """
    field = model.model_fields["connection"]

    def run(event: Any, context: DurableContext) -> Json:  # noqa: ANN401
        name = context.execution_context.durable_execution_arn
        request: M | None = None
        try:
            request = model.model_validate(with_actor(event, context.lambda_context))
            problems = ""
        except ValidationError as error:
            problems = problems_in_words(error, model, whole="event")
        recorded = RecordedRun(
            runs(),
            kind,
            name,
            event,
            field.default or EVERY_CONNECTION,
            DurableSteps(context, telemetry.unexpected),
            request.by if request else UNKNOWN_ACTOR,
        )
        if request is None:
            return recorded.end({"error": problems, "example": example})
        invocation = context.lambda_context

        def time_left() -> float:
            return invocation.get_remaining_time_in_millis() / 1000 if invocation else math.inf

        try:
            with acting_for(request.by):
                answer = work(request, Execution(name, recorded, time_left))
        except Exception as error:
            recorded.fail()
            if isinstance(error, DurableExecutionsError):
                raise
            raise telemetry.unexpected(error) from None
        recorded.end(answer)
        on_end(name, answer)
        return answer

    durable = durable_execution(run)

    @telemetry.logger.inject_lambda_context(clear_state=True, log_event=False)
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            answer: dict[str, Any] = durable(event, context)
            return answer
        finally:
            telemetry.flush()

    return handle


def _step_name(name: str) -> str:
    """The name in the form that Lambda allows: printable ASCII, at most 256 characters."""
    text = " ".join(name.split()).encode("ascii", "replace").decode()
    return "".join(sign for sign in text if sign.isprintable())[:_MAX_STEP_NAME]
