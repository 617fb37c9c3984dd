"""The deployed functions of a local system, each in processes of its own instead of in this one."""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from local.aws.server import REGION
from local.system import LocalSystem
from tests.packaging.process import FunctionProcess, Surroundings

Handler = Callable[[Any, Any], Any]
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def reaching(system: LocalSystem, surroundings: Surroundings) -> Surroundings:
    """The same surroundings, with the local system's AWS in reach."""
    credentials = {name: os.environ[name] for name in _CREDENTIALS}
    return replace(surroundings, environment={"AWS_ENDPOINT_URL": system.aws.url, **credentials})


class Fleet:
    """Puts the artefacts in the place of a local system's functions; a context manager.

    Args:
        system: the running local system; it is reset when the fleet begins.
        surroundings: where the functions run.
        functions: folder of each function's artefact.

    Attributes:
        answers: what each function answered so far, by workflow.
    """

    def __init__(
        self, system: LocalSystem, surroundings: Surroundings, functions: Mapping[str, Path]
    ) -> None:
        self.answers: defaultdict[str, list[Any]] = defaultdict(list)
        self._system = system
        self._functions = functions
        self._surroundings = reaching(system, surroundings)
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

    def process(self, workflow: str) -> FunctionProcess:
        """A cold execution environment of a function, not yet started."""
        deployed = self._system.deployment.functions[workflow]
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
