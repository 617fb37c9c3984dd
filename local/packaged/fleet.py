"""The deployed functions of a local system, each in processes of its own instead of in this one."""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from local.cloud.server import REGION
from local.packaged.process import FunctionProcess, Surroundings
from local.stack import LocalStack

Handler = Callable[[Any, Any], Any]
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def reaching(stack: LocalStack, surroundings: Surroundings) -> Surroundings:
    """The same surroundings, with the local system's AWS in reach."""
    credentials = {name: os.environ[name] for name in _CREDENTIALS}
    return replace(surroundings, environment={"AWS_ENDPOINT_URL": stack.aws.url, **credentials})


class Fleet:
    """Puts the artefacts in the place of a local system's functions; a context manager.

    Args:
        stack: the running local system; it is reset when the fleet begins.
        surroundings: where the functions run.
        functions: folder of each function's artefact.

    Attributes:
        answers: what each function answered so far, by workflow.
    """

    def __init__(self, stack: LocalStack, surroundings: Surroundings, functions: Mapping[str, Path]) -> None:
        self.answers: defaultdict[str, list[Any]] = defaultdict(list)
        self._stack = stack
        self._functions = functions
        self._surroundings = reaching(stack, surroundings)
        self._lock = threading.Lock()
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        self._stack.reset()
        for workflow in self._stack.deployment.functions:
            self._stack.runtime.replace(workflow, self._builder(workflow))
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()
        self._stack.reset()

    def process(self, workflow: str) -> FunctionProcess:
        """A cold execution environment of a function, not yet started."""
        deployed = self._stack.deployment.functions[workflow]
        return FunctionProcess(self._surroundings, replace(deployed, code=self._functions[workflow]), REGION)

    def _builder(self, workflow: str) -> Callable[..., Handler]:
        def build(_environment: Mapping[str, str], *, clock: Callable[[], float]) -> Handler:
            with self._lock:
                process = self._exit.enter_context(self.process(workflow))

            def handle(event: Any, _context: Any) -> Any:  # noqa: ANN401
                answer = process.invoke(event).value
                self.answers[workflow].append(answer)
                return answer

            return handle

        return build
