"""A stub of the Lambda runtime API for one execution environment, and of Lambda's durable executions.

Sources: AWS Lambda developer guide, "Using the Lambda runtime API"; the Lambda API's
CheckpointDurableExecution.
"""

import json
import queue
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from aws_durable_execution_sdk_python.execution import DurableExecutionInvocationInputWithClient
from aws_durable_execution_sdk_python.lambda_service import DurableServiceClient
from aws_durable_execution_sdk_python_testing.model import CheckpointDurableExecutionRequest
from werkzeug import Request, Response
from werkzeug.serving import make_server

from local.aws.server import KeepAliveHandler

_RUNTIME = "/2018-06-01/runtime/"
_DURABLE = "/2025-12-01/durable-executions/"


class FunctionFailedError(Exception):
    """The function raised, could not be loaded, or did not answer in time; the text is its error."""


@dataclass(frozen=True)
class FunctionAnswer:
    """A function's answer, and when it came (`time.monotonic`)."""

    value: Any
    at: float


class _Json(Response):
    default_mimetype = "application/json"


class RuntimeApi:
    """Serves events to a runtime and takes its answers; a context manager.

    Args:
        arn: of the function.
    """

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self._answers: queue.Queue[FunctionAnswer | FunctionFailedError] = queue.Queue()
        self._durable: DurableServiceClient | None = None
        self._deadline = 0.0
        self._server = make_server(
            "127.0.0.1", 0, Request.application(self._serve), threaded=True, request_handler=KeepAliveHandler
        )
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()

    def send(self, event: Any, seconds: float) -> None:  # noqa: ANN401 - JSON of any shape
        """Hand an event to the runtime as soon as it asks for one.

        Args:
            event: JSON, or the input of a durable execution with the service that stores its state.
            seconds: time that the function may take.
        """
        if isinstance(event, DurableExecutionInvocationInputWithClient):
            self._durable, event = event.service_client, event.to_json_dict()
        self._deadline = time.time() + seconds
        self._events.put((str(uuid.uuid4()), json.dumps(event, default=_timestamp).encode()))

    def answer(self, seconds: float) -> FunctionAnswer:
        """Wait for the answer to what was sent.

        Raises:
            FunctionFailedError: the function raised, or there is no answer in time.
        """
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise FunctionFailedError(f"no answer within {seconds:.0f} s") from None
        if isinstance(answer, FunctionFailedError):
            raise answer
        return answer

    def _serve(self, request: Request) -> _Json:
        """Answer what the runtime or the durable execution SDK asks for or posts."""
        if request.method == "POST":
            return self._take(request.path, request.get_data())
        if request.path == f"{_RUNTIME}invocation/next":
            return self._next()
        return _Json("{}", 404)

    def _next(self) -> _Json:
        """The next event, once there is one."""
        if (sent := self._events.get()) is None:
            return _Json(status=410)  # the end: the runtime is gone
        invocation, event = sent
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation,
            "Lambda-Runtime-Deadline-Ms": str(int(self._deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._arn,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
        }
        return _Json(event, headers=headers)

    def _take(self, path: str, body: bytes) -> _Json:
        if path.startswith(_DURABLE):
            return _Json(self._checkpoint(json.loads(body)))
        if path.startswith(_RUNTIME) and path.endswith("/response"):
            self._answers.put(FunctionAnswer(json.loads(body), time.monotonic()))
        elif path.startswith(_RUNTIME) and path.endswith("/error"):
            error = json.loads(body or b"{}")
            what = f"{error.get('errorType')}: {error.get('errorMessage')}"
            self._answers.put(FunctionFailedError("\n".join([what, *error.get("stackTrace", [])])))
        else:
            return _Json("{}", 404)
        return _Json("{}", 202)

    def _checkpoint(self, body: dict[str, Any]) -> bytes:
        if self._durable is None:
            raise FunctionFailedError("a function that is not durable made a checkpoint")
        request = CheckpointDurableExecutionRequest.from_dict(body, self._arn)
        stored = self._durable.checkpoint(
            self._arn, request.checkpoint_token, request.updates or [], request.client_token
        )
        state = {"Operations": [operation.to_dict() for operation in stored.new_execution_state.operations]}
        answer = {"CheckpointToken": stored.checkpoint_token, "NewExecutionState": state}
        return json.dumps(answer, default=_timestamp).encode()


def _timestamp(value: object) -> float:
    """Lambda's JSON has timestamps as Unix seconds."""
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} is not JSON")
