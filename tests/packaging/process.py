"""A function in a process of its own, under `awslambdaric`, with only what AWS puts there on its path."""

import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from local.aws.deployment import DeployedFunction
from tests.packaging.runtime_api import FunctionAnswer, FunctionFailedError, RuntimeApi

_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Sandbox:
    """The Python, packages and variables that a function runs with.

    Attributes:
        python: the interpreter.
        layers: folders of the layers' packages.
        runtime: folder of the packages that Lambda itself provides.
        environment: variables that Lambda sets, in addition to the function's own.
    """

    python: str
    layers: tuple[Path, ...]
    runtime: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, handler: str, code: Path, *options: str) -> list[str]:
        """Return the command that starts Python isolated from site-packages, user folder and variables."""
        folders = [str(path) for path in (code, *self.layers, self.runtime)]
        return [self.python, "-I", "-S", str(_LAUNCH), *options, handler, *folders]

    def unavailable(self, code: Path, files: Iterable[str]) -> list[str]:
        """Return the files that come from elsewhere than the artefact, the layers and Lambda's runtime."""
        command = [self.python, "-I", "-S", "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]
        library = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
        known = tuple(map(str, (code, *self.layers, self.runtime, _LAUNCH, library)))
        return [file for file in files if file.startswith("/") and not file.startswith(known)]

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
        sandbox: the Python and packages that it runs with.
        function: as it was deployed; its code is that of the artefact.
        region: AWS region.
    """

    def __init__(self, sandbox: Sandbox, function: DeployedFunction, region: str) -> None:
        self._sandbox = sandbox
        self._function = function
        self._region = region
        self._exit = ExitStack()
        self.api = RuntimeApi(function.arn)
        self.answers: list[FunctionAnswer] = []
        self.pid = 0

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.enter_context(self.api)
            self._output = undo.enter_context(tempfile.TemporaryFile())
            handler = f"{self._function.workflow}.handler"
            process = subprocess.Popen(  # noqa: S603 - Python, and our own launcher
                self._sandbox.command(handler, self._function.code),
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

    def invoke(self, event: Any) -> FunctionAnswer:  # noqa: ANN401 - JSON of any shape
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
        """Return what it has written so far: logs and metrics."""
        self._output.seek(0)
        return self._output.read().decode("utf-8", "replace")

    def _environment(self, handler: str) -> dict[str, str]:
        name, code = self._function.name, str(self._function.code)
        return {
            **self._sandbox.environment,
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
            "LAMBDA_RUNTIME_DIR": str(self._sandbox.runtime),
            "TZ": ":UTC",
        }
