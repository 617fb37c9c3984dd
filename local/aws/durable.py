"""Durable executions on one machine: the SDK's own local runner, with waits that jump instead of lasting."""

import asyncio
import json
import logging
import math
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
    ErrorObject,
    InvocationStatus,
    OperationType,
    OperationUpdate,
)
from aws_durable_execution_sdk_python.state import ExecutionState, _Signal
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
from local.clock import Clock

Invoke = Callable[[Any], Any]
"""Gives an event to an execution environment of the function and returns the answer."""

VERSION = "1"
"""The version of every function that a stack has just made."""
MAX_CHECKPOINT = 256 * 1024
"""Bytes that a step may leave (Lambda quotas, durable functions)."""
_NEVER = 3600  # seconds of real time after which an execution is taken for stuck


_stop_checkpointing = ExecutionState.stop_checkpointing


def _stop_at_once(self: ExecutionState) -> None:
    """Wake the thread that saves checkpoints when an invocation ends: it looks only each 0.1 seconds."""
    _stop_checkpointing(self)
    self._checkpoint_queue.put(_Signal.REFRESH_WAKE)


ExecutionState.stop_checkpointing = _stop_at_once  # type: ignore[method-assign]


class ExecutionFailedError(Exception):
    """A durable execution ended as FAILED or TIMED_OUT; the text is the error that its caller gets."""


class ProcessEndedError(Exception):
    """The function's process ended in the middle; Lambda begins another invocation."""


def execute(
    function: DeployedFunction,
    name: str,
    payload: str,
    invoke: Invoke,
    clock: Clock,
    started: Callable[[Execution], object] = lambda _execution: None,
    version: str = VERSION,
) -> Any:  # noqa: ANN401 - JSON of any shape
    """Run a durable execution to its end, or until its `ExecutionTimeout` has passed on the clock.

    Args:
        function: the durable function.
        name: of the execution.
        payload: its input, in JSON.
        invoke: calls the function; as often as the execution is resumed.
        clock: of the whole system; moves, when all that is left to do is to wait.
        started: is given the execution when it begins.
        version: of the function.

    Returns:
        The result.

    Raises:
        ExecutionFailedError: it failed, or took too long.
    """
    _keep_the_root_logger_quiet()
    store = _Store(function, version)
    deadline = _Deadline(function.execution_timeout, clock, store)
    with _Scheduler(deadline) as scheduler:
        processor = CheckpointProcessor(store, scheduler)
        checkpoints = _Checkpoints(processor, deadline)
        executor = Executor(store, scheduler, _Invoker(invoke, checkpoints, deadline), processor)
        deadline.executor = executor
        processor.add_execution_observer(executor)
        arn = executor.start_execution(_start_input(function, name, payload)).execution_arn
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


def _start_input(function: DeployedFunction, name: str, payload: str) -> StartDurableExecutionInput:
    return StartDurableExecutionInput(
        account_id=ACCOUNT,
        function_name=function.name,
        function_qualifier="live",
        execution_name=name,
        execution_timeout_seconds=0,  # the runner would count real seconds; see `_Deadline`
        execution_retention_period_days=1,
        input=payload,
    )


class _Deadline:
    """The moment at which an execution ends as TIMED_OUT, whatever it is doing or waiting for."""

    def __init__(self, seconds: int, clock: Clock, store: InMemoryExecutionStore) -> None:
        self.executor: Executor
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._at = clock.now() + seconds if seconds else math.inf

    @property
    def passed(self) -> bool:
        return self._clock.now() >= self._at

    def wait(self, seconds: float) -> None:
        """Let the clock jump, at most to the deadline."""
        self._clock.advance(min(seconds, max(0, self._at - self._clock.now())))

    def end(self) -> None:
        """End the execution, unless it is over already."""
        [execution] = self._store.list_all()
        if not execution.is_complete:
            message = f"The execution timed out after {self._seconds} seconds."
            error = ErrorObject(message, "ExecutionTimedOut", None, None)
            self.executor.on_timed_out(execution.durable_execution_arn, error)


class _Store(InMemoryExecutionStore):
    """Keeps the execution, under an ARN as Lambda writes it."""

    def __init__(self, function: DeployedFunction, version: str) -> None:
        super().__init__()
        self._function = function
        self._version = version

    def save(self, execution: Execution) -> None:
        """Keep a new execution."""
        given = execution.start_input
        execution.durable_execution_arn = (
            f"{self._function.arn}:{self._version}/durable-execution/"
            f"{given.execution_name}/{given.invocation_id}"
        )
        super().save(execution)


class _Checkpoints(InMemoryServiceClient):
    """Takes checkpoints as Lambda does: none from a killed process or after the end, and none too large."""

    def __init__(self, processor: CheckpointProcessor, deadline: _Deadline) -> None:
        super().__init__(processor)
        self._deadline = deadline

    def checkpoint(
        self,
        durable_execution_arn: str,
        checkpoint_token: str,
        updates: list[OperationUpdate],
        client_token: str | None,
    ) -> CheckpointOutput:
        """Save the progress of an execution.

        Raises:
            ValueError: the output of a step is too large, or the execution has timed out.
        """
        ensure_alive()
        if self._deadline.passed:
            raise ValueError("The durable execution has timed out.")
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

    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

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
            self._deadline.wait(delay)
            if self._deadline.passed:
                return self._deadline.end()
            return await func() if asyncio.iscoroutinefunction(func) else func()

        return super().call_later(due if delay else func, 0, count, completion_event)


class _Invoker:
    """Calls the function with the state of its execution, as Lambda does."""

    def __init__(self, invoke: Invoke, client: InMemoryServiceClient, deadline: _Deadline) -> None:
        self._invoke = invoke
        self._client = client
        self._deadline = deadline

    def create_invocation_input(self, execution: Execution) -> DurableExecutionInvocationInput:
        """Describe the execution as it stands."""
        return DurableExecutionInvocationInputWithClient(
            durable_execution_arn=execution.durable_execution_arn,
            checkpoint_token=execution.get_new_checkpoint_token(),
            initial_execution_state=InitialExecutionState(execution.operations, ""),
            service_client=self._client,
        )

    def invoke(
        self, function_name: str, input: DurableExecutionInvocationInput, endpoint_url: str | None = None
    ) -> InvokeResponse:
        """Call the function once."""
        answer = self._invoke(input)
        if self._deadline.passed:
            self._deadline.end()
        return InvokeResponse(DurableExecutionInvocationOutput.from_dict(answer), "local")

    def update_endpoint(self, endpoint_url: str, region_name: str) -> None:
        """Do nothing: there is no endpoint."""


def _keep_the_root_logger_quiet() -> None:
    """Give the root logger a handler; the runner logs with `logging.info`, which would add a noisy one."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())
