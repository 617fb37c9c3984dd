"""A stub of the Lambda runtime API for one execution environment, and of Lambda's durable executions.

Sources: AWS Lambda developer guide, "Using the Lambda runtime API"; the Lambda API's
CheckpointDurableExecution.
"""

import json
import queue
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from aws_durable_execution_sdk_python.execution import DurableExecutionInvocationInputWithClient
from aws_durable_execution_sdk_python.lambda_service import DurableServiceClient
from aws_durable_execution_sdk_python_testing.model import CheckpointDurableExecutionRequest

_RUNTIME = "/2018-06-01/runtime/"
_DURABLE = "/2025-12-01/durable-executions/"


class FunctionFailedError(Exception):
    """The function raised, could not be loaded, or did not answer in time; the text is its error."""


@dataclass(frozen=True)
class FunctionAnswer:
    """A function's answer, and when it came (`time.monotonic`)."""

    value: Any
    at: float


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
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
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

    def next(self) -> tuple[bytes, dict[str, str]] | None:
        """The next event with its headers; blocks until there is one, `None` at the end."""
        if (sent := self._events.get()) is None:
            return None
        invocation, event = sent
        return event, {
            "Lambda-Runtime-Aws-Request-Id": invocation,
            "Lambda-Runtime-Deadline-Ms": str(int(self._deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._arn,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
        }

    def take(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Take what the runtime or the durable execution SDK posts, and answer it."""
        if path.startswith(_DURABLE):
            return 200, self._checkpoint(json.loads(body))
        if path.startswith(_RUNTIME) and path.endswith("/response"):
            self._answers.put(FunctionAnswer(json.loads(body), time.monotonic()))
        elif path.startswith(_RUNTIME) and path.endswith("/error"):
            error = json.loads(body or b"{}")
            what = f"{error.get('errorType')}: {error.get('errorMessage')}"
            self._answers.put(FunctionFailedError("\n".join([what, *error.get("stackTrace", [])])))
        else:
            return 404, b"{}"
        return 202, b"{}"

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


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Report no error of a runtime that was ended while it held a connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler_of(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path != f"{_RUNTIME}invocation/next":
                self._send(404, b"{}", {})
            elif given := api.next():
                self._send(200, *given)
            else:
                self.close_connection = True  # the end: the runtime is gone

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = self._chunks()
            self._send(*api.take(self.path, body), {})

        def _chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    return Handler
