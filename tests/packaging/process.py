"""A function in a process of its own, under `awslambdaric`, with only what AWS puts there on its path."""

import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from local.aws.deployment import DeployedFunction
from tests.packaging.runtime_api import Answer, FunctionFailedError, RuntimeApi

_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Surroundings:
    """What a function finds on its machine.

    Attributes:
        python: the interpreter.
        layers: folders of the layers' packages.
        runtime: folder of the packages that Lambda itself provides.
        environment: variables that Lambda sets, beside the function's own.
    """

    python: str
    layers: tuple[Path, ...]
    runtime: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, handler: str, code: Path, *options: str) -> list[str]:
        """How to start Python: without site-packages, user's folder or variables of its own."""
        folders = [str(path) for path in (code, *self.layers, self.runtime)]
        return [self.python, "-I", "-S", str(_LAUNCH), *options, handler, *folders]

    def standard_library(self) -> str:
        """Folder of Python's own modules."""
        command = [self.python, "-I", "-S", "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603

    def modules(self, handler: str, code: Path) -> dict[str, str]:
        """Import a handler in a clean process, and return each loaded module's file.

        Raises:
            FunctionFailedError: it cannot be imported.
        """
        command = self.command(handler, code, "--import")
        done = subprocess.run(  # noqa: S603 - Python, and our own launcher
            command, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise FunctionFailedError(done.stderr)
        return dict(line.split("\t") for line in done.stdout.splitlines()[1:])


class FunctionProcess:
    """One execution environment; a context manager.

    Args:
        surroundings: what it finds on its machine.
        function: as it was deployed; its code is that of the artefact.
        region: AWS region.
    """

    def __init__(self, surroundings: Surroundings, function: DeployedFunction, region: str) -> None:
        self._surroundings = surroundings
        self._function = function
        self._region = region
        self._exit = ExitStack()
        self.api = RuntimeApi(function.arn)
        self.answers: list[Answer] = []
        self.pid = 0

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.enter_context(self.api)
            self._output = undo.enter_context(tempfile.TemporaryFile())
            handler = f"{self._function.workflow}.handler"
            process = subprocess.Popen(  # noqa: S603 - Python, and our own launcher
                self._surroundings.command(handler, self._function.code),
                env=self._environment(handler),
                stdout=self._output,
                stderr=subprocess.STDOUT,
            )
            undo.callback(process.wait)
            undo.callback(process.kill)
            self.pid = process.pid
            self._exit = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def invoke(self, event: Any) -> Answer:  # noqa: ANN401 - JSON of any shape
        """Give it an event and return its answer.

        Raises:
            FunctionFailedError: it raised; with what it wrote.
        """
        self.api.send(event, self._function.timeout)
        try:
            self.answers.append(self.api.answer(min(self._function.timeout, 60)))
        except FunctionFailedError as error:
            raise FunctionFailedError(
                f"{self._function.workflow}: {error}\n{self.output()[-4000:]}"
            ) from None
        return self.answers[-1]

    def output(self) -> str:
        """What it wrote so far: logs and metrics."""
        self._output.seek(0)
        return self._output.read().decode("utf-8", "replace")

    def _environment(self, handler: str) -> dict[str, str]:
        name, code = self._function.name, str(self._function.code)
        return {
            **self._surroundings.environment,
            **self._function.environment,
            "_HANDLER": handler,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._function.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "AWS_ENDPOINT_URL_LAMBDA": f"http://{self.api.address}",
            "LAMBDA_TASK_ROOT": code,
            "LAMBDA_RUNTIME_DIR": str(self._surroundings.runtime),
            "TZ": ":UTC",
        }
