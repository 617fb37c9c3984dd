"""Lambda on one machine: loads the handlers of the deployed functions and calls them."""

import importlib.util
import json
import logging
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import simplejson
from aws_durable_execution_sdk_python_testing.execution import Execution

from local.aws.deployment import DeployedFunction
from local.aws.durable import VERSION, ProcessEndedError
from local.aws.executions import DurableExecution, DurableExecutions
from local.aws.process import Killed as Killed
from local.aws.process import run_process
from local.aws.queues import set_aside
from local.aws.refusals import MAX_ASYNCHRONOUS, MAX_SYNCHRONOUS, MAX_SYNCHRONOUS_SECONDS, RequestRefusedError
from local.aws.server import REGION
from local.clock import Clock

Handler = Callable[[Any, Any], Any]
Build = Callable[..., Handler]

RETRIES_AFTER = (60, 120)
"""Seconds after which an event that nobody waits for comes again if the function fails: Lambda's default."""

logger = logging.getLogger(__name__)


class AnswerTooLargeError(Exception):
    """A function answered more than Lambda takes."""


@dataclass(frozen=True)
class LambdaContext:
    """The context object of an invocation."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: int
    timeout: int
    """Seconds that the function may take."""
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    log_stream_name: str = "local"
    started_at: float = field(default_factory=time.monotonic)

    @property
    def log_group_name(self) -> str:
        """The log group that Lambda would write to."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before the timeout; never negative."""
        left = self.timeout - (time.monotonic() - self.started_at)
        return max(0, int(left * 1000))


class LambdaRuntime:
    """Execution environments of the deployed functions.

    As in Lambda, one environment handles one event at a time, is kept for the next one, and a second
    event at the same moment gets an environment of its own.

    Args:
        functions: the functions by workflow.
        layers: folders that Lambda puts on the path.
        clock: of the whole system; it moves where Lambda itself waits.

    Attributes:
        durable_executions: those under way and those that ended.
    """

    def __init__(
        self, functions: Mapping[str, DeployedFunction], layers: Iterable[Path], clock: Clock
    ) -> None:
        self.functions = functions
        self.durable_executions = DurableExecutions(clock)
        self._layers = [str(layer) for layer in layers]
        self._clock = clock
        self._idle: defaultdict[str, list[Handler]] = defaultdict(list)
        self._modules: dict[str, ModuleType] = {}
        self._replaced: dict[str, Build] = {}
        # boto3 cannot create clients in two threads at once, and modules must not load twice.
        self._creating = threading.Lock()
        self._generation = 0

    def invoke(self, workflow: str, event: Any, name: str = "") -> Any:  # noqa: ANN401 - JSON of any shape
        """Call a function as a synchronous invocation does, and return its answer.

        Like Lambda's runtime for Python, it writes a Decimal in the answer as a number, digit by digit.

        Args:
            workflow: module of the handler, such as `export_invoice`.
            event: the event; a copy of it reaches the function.
            name: of the execution, for a durable function.

        Raises:
            KeyError: no such function is deployed.
            RequestRefusedError: Lambda would not do it.
            AnswerTooLargeError: the answer is larger than Lambda's limit.
            TypeError: the event or the answer cannot be written as JSON.
            Exception: whatever the function raises.
        """
        function, payload = self.functions[workflow], _payload(event, MAX_SYNCHRONOUS)
        if function.execution_timeout > MAX_SYNCHRONOUS_SECONDS:
            raise RequestRefusedError(
                "InvalidParameterValueException",
                "You cannot synchronously invoke a durable function with an executionTimeout greater than "
                "15 minutes.",
            )
        if function.durable:
            resume = partial(self._resume, function)
            execution = self.durable_executions.begin(function, payload, resume, name)
            return _answer(execution.result.result(), MAX_SYNCHRONOUS)
        return _answer(self._call(function, json.loads(payload)), MAX_SYNCHRONOUS)

    def start(
        self,
        workflow: str,
        event: Any,  # noqa: ANN401 - JSON of any shape
        name: str = "",
        version: str = VERSION,
    ) -> DurableExecution:
        """Begin a durable execution as an asynchronous invocation does; where it waits, the clock jumps.

        If it fails or takes too long, its event goes to the function's dead-letter queue.

        Args:
            workflow: module of the handler, such as `import_customers`.
            event: the event.
            name: of the execution; the same name and event begin it only once.
            version: of the function.

        Raises:
            RequestRefusedError: Lambda would not do it.
        """
        function, payload = self.functions[workflow], _payload(event, MAX_ASYNCHRONOUS)
        failed = partial(set_aside, function, payload)
        return self.durable_executions.begin(
            function, payload, partial(self._resume, function), name, version=version, failed=failed
        )

    def call_until_done(self, workflow: str, event: Any) -> None:  # noqa: ANN401
        """Call a plain function as an asynchronous invocation does, whose answer is lost.

        A function that fails gets the event twice more; the clock jumps to the next time. Then the event goes
        to the function's dead-letter queue, if it has one.

        Args:
            workflow: module of the handler, such as `sweep`.
            event: the event.
        """
        function, payload = self.functions[workflow], _payload(event, MAX_ASYNCHRONOUS)
        for pause in (*RETRIES_AFTER, None):
            try:
                self._call(function, json.loads(payload))
                return
            except KeyboardInterrupt:
                raise
            # Lambda survives every way in which a function ends.
            except BaseException as error:
                logger.warning("%s failed", workflow, exc_info=error)
                if pause is None:
                    set_aside(function, payload, error)
                else:
                    self._clock.advance(pause)

    def run(self, workflow: str, event: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        """Invoke any function in the way that Lambda allows, wait for its end, and return its answer.

        Args:
            workflow: module of the handler, such as `import_customers`.
            event: the event.

        Raises:
            Exception: as `invoke`.
        """
        if not self.functions[workflow].durable:
            return self.invoke(workflow, event)
        return _answer(self.start(workflow, event).result.result(), MAX_ASYNCHRONOUS)

    @property
    def executions(self) -> list[Execution]:
        """Durable executions, with their steps and waits, oldest first."""
        return [execution.state for execution in self.durable_executions.all()]

    def _call(self, function: DeployedFunction, event: Any) -> Any:  # noqa: ANN401
        """Give an event to an execution environment, which is kept if the function answers."""
        generation, idle = self._generation, self._idle[function.workflow]
        try:
            handler = idle.pop()
        except IndexError:
            handler = self._build(function)
        context = LambdaContext(function.name, function.arn, function.memory_mb, function.timeout)
        answer = run_process(partial(handler, event, context), function.timeout)
        if generation == self._generation:
            idle.append(handler)
        return answer

    def _resume(self, function: DeployedFunction, event: Any) -> Any:  # noqa: ANN401
        """Call a durable function; Lambda tries again when its process ends in the middle."""
        try:
            return self._call(function, event)
        except Killed as killed:
            raise ProcessEndedError(str(killed)) from None

    def replace(self, workflow: str, build: Build) -> None:
        """Run another program instead of a function, until `reset`.

        Args:
            workflow: module of the handler that is replaced.
            build: makes a handler, as the module's own `create_handler` does.
        """
        self._replaced[workflow] = build
        self._drop()

    def reset(self) -> None:
        """Forget replacements and drop all execution environments; the next events start cold."""
        self._replaced.clear()
        self.durable_executions.clear()
        self._drop()

    def _drop(self) -> None:
        self._generation += 1
        self._idle.clear()

    def _build(self, function: DeployedFunction) -> Handler:
        environment = {
            **function.environment,
            "AWS_REGION": REGION,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        }
        with self._creating:
            # Lambda puts the layers on the path of every function.
            sys.path.extend(layer for layer in self._layers if layer not in sys.path)
            create_handler = self._replaced.get(function.workflow) or self._module(function).create_handler
            handler: Handler = create_handler(environment, clock=self._clock.now)
            return handler

    def _module(self, function: DeployedFunction) -> ModuleType:
        if function.workflow not in self._modules:
            self._modules[function.workflow] = _load(function)
        return self._modules[function.workflow]


def _payload(event: Any, most: int) -> str:  # noqa: ANN401 - JSON of any shape
    payload = json.dumps(event)
    if len(payload) > most:
        text = f"Request must be smaller than {most} bytes for the InvokeFunction operation"
        raise RequestRefusedError("RequestEntityTooLargeException", text, 413)
    return payload


def _answer(answer: Any, most: int) -> Any:  # noqa: ANN401 - JSON of any shape
    text = simplejson.dumps(answer, use_decimal=True)
    if len(text) > most:
        raise AnswerTooLargeError(
            f"Response payload size exceeded maximum allowed payload size ({most} bytes)."
        )
    return json.loads(text, parse_float=Decimal)


class _FunctionLoader(SourceFileLoader):
    """Leaves no bytecode in a function's folder, which goes to AWS as it is."""

    def set_data(self, *_: object, **__: object) -> None:
        """Write nothing."""


def _load(function: DeployedFunction) -> ModuleType:
    path = function.code / f"{function.workflow}.py"
    loader = _FunctionLoader(function.workflow, str(path))
    spec = importlib.util.spec_from_file_location(function.workflow, path, loader=loader)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[function.workflow] = module
    spec.loader.exec_module(module)
    return module
