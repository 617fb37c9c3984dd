"""The built artefacts as the functions of a local system, each in processes of its own."""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from local.aws.runtime import Handler
from local.aws.server import REGION
from local.system import LocalSystem
from tests.packaging.process import FunctionProcess, Sandbox

_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# What Lambda sets for the parameter LogLevel, at the most detailed level that the template offers.
_LOGGING = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "DEBUG"}


def connected_to(system: LocalSystem, sandbox: Sandbox) -> Sandbox:
    """Return the same sandbox, with the local system's AWS as its endpoint."""
    credentials = {name: os.environ[name] for name in _CREDENTIALS}
    return replace(sandbox, environment={"AWS_ENDPOINT_URL": system.aws.url, **_LOGGING, **credentials})


class BuiltFunctions:
    """Replaces a local system's functions by the artefacts; a context manager.

    Args:
        system: the running local system; it is reset at the beginning and the end.
        sandbox: where the functions run.
        functions: folder of each function's artefact.

    Attributes:
        answers: the answers of each function so far, by workflow.
    """

    def __init__(self, system: LocalSystem, sandbox: Sandbox, functions: Mapping[str, Path]) -> None:
        self.answers: defaultdict[str, list[Any]] = defaultdict(list)
        self._processes: list[FunctionProcess] = []
        self._system = system
        self._functions = functions
        self._sandbox = connected_to(system, sandbox)
        self._lock = threading.Lock()
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        self._system.reset()
        for workflow in self._system.deployment.functions:
            self._system.runtime.replace(workflow, self._builder(workflow))
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()
        self._system.reset()

    def last_answer(self, workflow: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """Return the last answer of a function."""
        return self.answers[workflow][-1]

    @property
    def log(self) -> str:
        """All that the functions have written so far, at the level DEBUG."""
        return "\n".join(process.output() for process in self._processes)

    def _builder(self, workflow: str) -> Callable[..., Handler]:
        function = self._system.deployment.functions[workflow]
        variables = {**function.environment, "POWERTOOLS_LOG_LEVEL": "DEBUG"}
        deployed = replace(function, code=self._functions[workflow], environment=variables)

        def build(_environment: Mapping[str, str], *, clock: Callable[[], float]) -> Handler:
            with self._lock:
                process = self._exit.enter_context(FunctionProcess(self._sandbox, deployed, REGION))
                self._processes.append(process)

            def handle(event: Any, _context: Any) -> Any:  # noqa: ANN401
                answer = process.invoke(event).value
                self.answers[workflow].append(answer)
                return answer

            return handle

        return build
