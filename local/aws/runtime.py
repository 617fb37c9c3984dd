"""Lambda on one machine: loads the handlers of the deployed functions and calls them."""

import importlib.util
import json
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
from local.aws.durable import ProcessEndedError, execute
from local.aws.process import Killed as Killed
from local.aws.process import run_process
from local.aws.server import REGION

Handler = Callable[[Any, Any], Any]
Build = Callable[..., Handler]


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
        clock: unix seconds.
        advance: moves the clock, where a durable execution waits.

    Attributes:
        executions: durable executions that ended, with their steps and waits.
    """

    def __init__(
        self,
        functions: Mapping[str, DeployedFunction],
        layers: Iterable[Path],
        clock: Callable[[], float],
        advance: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self.functions = functions
        self.executions: list[Execution] = []
        self._layers = [str(layer) for layer in layers]
        self._clock = clock
        self._advance = advance
        self._idle: defaultdict[str, list[Handler]] = defaultdict(list)
        self._modules: dict[str, ModuleType] = {}
        self._replaced: dict[str, Build] = {}
        # boto3 cannot create clients in two threads at once, and modules must not load twice.
        self._creating = threading.Lock()
        self._generation = 0

    def invoke(self, workflow: str, event: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        """Call a function and return its answer, both as JSON would carry them.

        Like Lambda's runtime for Python, it writes a Decimal in the answer as a number, digit by digit. A
        durable function is called until its execution has ended; for its waits the clock jumps.

        Args:
            workflow: module of the handler, such as `export_invoice`.
            event: the event; a copy of it reaches the function.

        Raises:
            KeyError: no such function is deployed.
            TypeError: the event or the answer cannot be written as JSON.
            Exception: whatever the function raises.
        """
        function, event = self.functions[workflow], json.loads(json.dumps(event))
        if function.durable:
            answer, execution = execute(function, event, partial(self._resume, function), self._advance)
            self.executions.append(execution)
        else:
            answer = self._call(function, event)
        return json.loads(simplejson.dumps(answer, use_decimal=True), parse_float=Decimal)

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
        self.executions.clear()
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
            handler: Handler = create_handler(environment, clock=self._clock)
            return handler

    def _module(self, function: DeployedFunction) -> ModuleType:
        if function.workflow not in self._modules:
            self._modules[function.workflow] = _load(function)
        return self._modules[function.workflow]


class _Loader(SourceFileLoader):
    """Leaves no bytecode in a function's folder, which goes to AWS as it is."""

    def set_data(self, *_: object, **__: object) -> None:
        """Write nothing."""


def _load(function: DeployedFunction) -> ModuleType:
    path = function.code / f"{function.workflow}.py"
    loader = _Loader(function.workflow, str(path))
    spec = importlib.util.spec_from_file_location(function.workflow, path, loader=loader)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[function.workflow] = module
    spec.loader.exec_module(module)
    return module
