"""Durable executions on one machine: the SDK's own local runner, with waits that jump instead of lasting."""

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from aws_durable_execution_sdk_python.execution import (
    DurableExecutionInvocationInput,
    DurableExecutionInvocationInputWithClient,
    InitialExecutionState,
)
from aws_durable_execution_sdk_python.lambda_service import (
    CheckpointOutput,
    DurableExecutionInvocationOutput,
    InvocationStatus,
    OperationType,
    OperationUpdate,
)
from aws_durable_execution_sdk_python_testing.checkpoint.processor import CheckpointProcessor
from aws_durable_execution_sdk_python_testing.client import InMemoryServiceClient
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.invoker import InvokeResponse
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput
from aws_durable_execution_sdk_python_testing.scheduler import Event, Scheduler
from aws_durable_execution_sdk_python_testing.stores.memory import InMemoryExecutionStore

from local.aws.deployment import DeployedFunction
from local.aws.process import ensure_alive
from local.aws.server import ACCOUNT

Invoke = Callable[[Any], Any]
"""Gives an event to an execution environment of the function and returns the answer."""

VERSION = "1"
"""The version of every function that a stack has just made."""
MAX_CHECKPOINT = 256 * 1024
"""Bytes that a step may leave (Lambda quotas, durable functions)."""
_NEVER = 3600  # seconds of real time after which an execution is taken for stuck


class ExecutionFailedError(Exception):
    """A durable execution ended as FAILED; the text is the error that its caller gets."""


class ProcessEndedError(Exception):
    """The function's process ended in the middle; Lambda begins another invocation."""


def execute(
    function: DeployedFunction,
    name: str,
    payload: str,
    invoke: Invoke,
    advance: Callable[[float], None],
    started: Callable[[Execution], object] = lambda _execution: None,
) -> Any:  # noqa: ANN401 - JSON of any shape
    """Run a durable execution to its end.

    Args:
        function: the durable function.
        name: of the execution.
        payload: its input, in JSON.
        invoke: calls the function; as often as the execution is resumed.
        advance: moves the clock, when all that is left to do is to wait.
        started: is given the execution when it begins.

    Returns:
        The result.

    Raises:
        ExecutionFailedError: it failed.
    """
    _keep_the_root_logger_quiet()
    store = _Store(function)
    with _Scheduler(advance) as scheduler:
        processor = CheckpointProcessor(store, scheduler)
        executor = Executor(store, scheduler, _Invoker(invoke, _Checkpoints(processor)), processor)
        processor.add_execution_observer(executor)
        arn = executor.start_execution(_start(function, name, payload)).execution_arn
        if arn is None:
            raise ExecutionFailedError(f"the execution of {function.workflow} did not start")
        started(store.load(arn))
        if not executor.wait_until_complete(arn, _NEVER):
            raise ExecutionFailedError(f"the execution of {function.workflow} did not end")
        result = store.load(arn).result
    if result is None or result.status is not InvocationStatus.SUCCEEDED:
        error = result.error if result else None
        raise ExecutionFailedError(f"{error.type}: {error.message}" if error else "it failed")
    return json.loads(result.result or "null")


def _start(function: DeployedFunction, name: str, payload: str) -> StartDurableExecutionInput:
    return StartDurableExecutionInput(
        account_id=ACCOUNT,
        function_name=function.name,
        function_qualifier="live",
        execution_name=name,
        execution_timeout_seconds=0,  # the runner would count real seconds
        execution_retention_period_days=1,
        input=payload,
    )


class _Store(InMemoryExecutionStore):
    """Keeps the execution, under an ARN as Lambda writes it."""

    def __init__(self, function: DeployedFunction) -> None:
        super().__init__()
        self._function = function

    def save(self, execution: Execution) -> None:
        """Keep a new execution."""
        given = execution.start_input
        execution.durable_execution_arn = (
            f"{self._function.arn}:{VERSION}/durable-execution/{given.execution_name}/{given.invocation_id}"
        )
        super().save(execution)


class _Checkpoints(InMemoryServiceClient):
    """Takes checkpoints as Lambda does: none from a process that has been killed, and none too large."""

    def checkpoint(
        self,
        durable_execution_arn: str,
        checkpoint_token: str,
        updates: list[OperationUpdate],
        client_token: str | None,
    ) -> CheckpointOutput:
        """Save the progress of an execution.

        Raises:
            ValueError: the output of a step is too large.
        """
        ensure_alive()
        for update in updates:
            if update.operation_type is not OperationType.EXECUTION and (
                len((update.payload or "").encode()) > MAX_CHECKPOINT
            ):
                kind = update.operation_type.value
                raise ValueError(
                    f"{kind} output payload size must be less than or equal to {MAX_CHECKPOINT} bytes."
                )
        return super().checkpoint(durable_execution_arn, checkpoint_token, updates, client_token)


class _Scheduler(Scheduler):
    """Runs at once what is due later, and moves the clock to that moment."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        super().__init__()
        self._advance = advance

    def stop(self) -> None:
        """Stop, and close the loop, which the SDK leaves open."""
        super().stop()  # type: ignore[no-untyped-call]
        self._loop.close()

    def call_later(
        self,
        func: Callable[[], Any],
        delay: float = 0,
        count: int | None = 1,
        completion_event: Event | None = None,
    ) -> "Future[Any]":
        """Schedule a call; it waits for the invocation under way, which occupies the loop."""

        async def due() -> Any:  # noqa: ANN401
            self._advance(delay)
            return await func() if asyncio.iscoroutinefunction(func) else func()

        return super().call_later(due if delay else func, 0, count, completion_event)


class _Invoker:
    """Calls the function with the state of its execution, as Lambda does."""

    def __init__(self, invoke: Invoke, client: InMemoryServiceClient) -> None:
        self._invoke = invoke
        self._client = client

    def create_invocation_input(self, execution: Execution) -> DurableExecutionInvocationInput:
        """Describe the execution as it stands."""
        return DurableExecutionInvocationInputWithClient(
            durable_execution_arn=execution.durable_execution_arn,
            checkpoint_token=execution.get_new_checkpoint_token(),
            initial_execution_state=InitialExecutionState(execution.operations, ""),
            service_client=self._client,
        )

    def invoke(
        self,
        function_name: str,
        input: DurableExecutionInvocationInput,
        endpoint_url: str | None = None,
    ) -> InvokeResponse:
        """Call the function once."""
        answer = self._invoke(input)
        return InvokeResponse(DurableExecutionInvocationOutput.from_dict(answer), "local")

    def update_endpoint(self, endpoint_url: str, region_name: str) -> None:
        """Do nothing: there is no endpoint."""


def _keep_the_root_logger_quiet() -> None:
    """Give the root logger a handler; the runner logs with `logging.info`, which would add a noisy one."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())
