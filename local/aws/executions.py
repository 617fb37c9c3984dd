"""Durable executions under way and ended: each has a name, and a name begins only one."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aws_durable_execution_sdk_python_testing.execution import Execution

from local.aws.deployment import DeployedFunction
from local.aws.durable import VERSION, Invoke, execute
from local.aws.refusals import RequestRefusedError
from local.clock import Clock

Failed = Callable[[BaseException], None]
"""Is given the error of an execution that failed, before anybody who waits for it."""


@dataclass
class DurableExecution:
    """One execution of a durable function.

    Attributes:
        function: which one.
        name: unique for the function.
        payload: its input, in JSON.
        version: of the function.
        result: what it answers, once it has ended.
        state: its operations, as the SDK keeps them.
    """

    function: DeployedFunction
    name: str
    payload: str
    version: str
    result: Future[Any] = field(default_factory=Future)
    _begun: Future[Execution] = field(default_factory=Future)

    @property
    def state(self) -> Execution:
        """The execution as the SDK keeps it, with its operations."""
        return self._begun.result()

    @property
    def arn(self) -> str:
        """The ARN, as Lambda writes it."""
        return self.state.durable_execution_arn

    def run(self, invoke: Invoke, clock: Clock, failed: Failed) -> None:
        """Run it to its end."""
        begun = self._begun.set_result
        try:
            answer = execute(self.function, self.name, self.payload, invoke, clock, begun, self.version)
            self.result.set_result(answer)
        # Whatever ends it is for the one who waits for it.
        except BaseException as error:  # noqa: BLE001
            if not self._begun.done():
                self._begun.set_exception(error)
            failed(error)
            self.result.set_exception(error)


class DurableExecutions:
    """The durable executions of a local system.

    Args:
        clock: moves, when all that is left to do is to wait.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: list[DurableExecution] = []
        self._naming = threading.Lock()

    def begin(
        self,
        function: DeployedFunction,
        payload: str,
        invoke: Invoke,
        name: str = "",
        *,
        version: str = VERSION,
        failed: Failed = lambda _error: None,
    ) -> DurableExecution:
        """Begin an execution, in the background.

        Args:
            function: which durable function.
            payload: the input, in JSON.
            invoke: calls the function.
            name: of the execution; without, it gets one.
            version: of the function.
            failed: is called when it fails; without, only who waits for the execution learns of it.

        Returns:
            The execution; the earlier one of this name, if it had the same input.

        Raises:
            RequestRefusedError: another input began an execution of this name.
        """
        with self._naming:
            for known in self.of(function):
                if name and known.name == name:
                    if known.payload == payload:
                        return known
                    raise RequestRefusedError(
                        "DurableExecutionAlreadyStartedException",
                        f"Durable execution {name} is already started with another input.",
                        409,
                    )
            execution = DurableExecution(function, name or str(uuid.uuid4()), payload, version)
            self._all.append(execution)
        work = partial(execution.run, invoke, self._clock, failed)
        thread = threading.Thread(target=work, name=execution.name, daemon=True)
        Context().run(thread.start)  # it outlives a function that began it
        return execution

    def of(self, function: DeployedFunction) -> list[DurableExecution]:
        """The executions of a function, oldest first."""
        return [execution for execution in self._all if execution.function.name == function.name]

    def find(self, arn: str) -> DurableExecution | None:
        """Return the execution with an ARN, or None."""
        return next((execution for execution in self._all if execution.arn == arn), None)

    def all(self) -> list[DurableExecution]:
        """All executions, oldest first."""
        return list(self._all)

    def clear(self) -> None:
        """Wait for what is under way, and forget all."""
        for execution in self.all():
            execution.result.exception()
        self._all.clear()
