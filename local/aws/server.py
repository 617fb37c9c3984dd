"""moto as the AWS endpoint of this process."""

import io
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen
from xml.sax.saxutils import escape

import boto3
from botocore.config import Config
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from local.aws.clients import aws_in_process, clients_made_once
from local.aws.moto_speedups import answer_without_routing
from local.aws.permissions import Permissions
from local.aws.process import killed_processes_are_silent
from local.aws.refusals import Refusal, refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

REGION = "eu-central-1"
ACCOUNT = "123456789012"

# Everything that could lead boto3 to a real account. None means: not set.
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_SESSION_TOKEN": None,
    "AWS_PROFILE": None,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": None,
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}


OwnAnswer = Callable[[Request], Response | None]
"""Answers a request to AWS in moto's place, or leaves it to moto."""


class KeepAliveHandler(WSGIRequestHandler):
    """A request handler that keeps connections open and writes no access log."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Write nothing: a demo makes hundreds of calls."""


def _client_maker(service: Any) -> Callable[["AwsServer"], Any]:  # noqa: ANN401 - a name with its own type
    """How to make a client of a service, once for each server."""
    return lambda server: server.session.client(service, config=Config(max_pool_connections=50))


class AwsServer:
    """moto on a free loopback port; while it runs, every AWS client of this process talks to it.

    Get it by `shared_aws`: moto's state and the environment belong to the whole process.

    One request is served at a time. moto checks a condition and writes in two steps, so that without
    the lock two threads could both win a conditional write that real DynamoDB gives to one of them.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.url = ""
        self._app = DomainDispatcherApplication(create_backend_app)
        self._outages: set[str] = set()
        self.own_answers: list[tuple[str, OwnAnswer]] = []
        """Asked before moto about requests to a service, each in turn: what AWS does and moto does not."""
        self.permissions = Permissions(ACCOUNT, REGION)
        self._server: BaseWSGIServer | None = None
        self._stopping = ExitStack()

    def start(self, port: int = 0) -> None:
        """Bind a port (0 takes a free one), reset moto and point the environment at it."""
        server = make_server("127.0.0.1", port, self.serve, threaded=True, request_handler=KeepAliveHandler)
        self._server = server
        self.url = f"http://127.0.0.1:{server.port}"
        threading.Thread(target=server.serve_forever, args=(0.1,), name="moto", daemon=True).start()
        # boto3's default session remembers the credentials and the region of its first use.
        self._stopping.callback(boto3.setup_default_session)
        self._stopping.enter_context(environment({**_ENVIRONMENT, "AWS_ENDPOINT_URL": self.url}))
        self._stopping.enter_context(aws_in_process(self.url, self.serve))
        self._stopping.enter_context(killed_processes_are_silent())
        self._stopping.enter_context(clients_made_once())
        boto3.setup_default_session()
        self._reset_moto()

    def stop(self) -> None:
        """Shut down and give the environment its former values back."""
        if self._server is not None:
            self._reset_moto()
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            self._stopping.close()

    @contextmanager
    def outage(self, service: str) -> Iterator[None]:
        """Let a service answer 503 to everything.

        Args:
            service: the name it signs requests with, such as `events` or `dynamodb`.
        """
        self._outages.add(service)
        try:
            yield
        finally:
            self._outages.discard(service)

    # Clients that reach this server.
    cloudformation: "cached_property[CloudFormationClient]" = cached_property(_client_maker("cloudformation"))
    dynamodb: "cached_property[DynamoDBClient]" = cached_property(_client_maker("dynamodb"))
    events: "cached_property[EventBridgeClient]" = cached_property(_client_maker("events"))
    lambda_: "cached_property[LambdaClient]" = cached_property(_client_maker("lambda"))
    secretsmanager: "cached_property[SecretsManagerClient]" = cached_property(_client_maker("secretsmanager"))
    s3: "cached_property[S3Client]" = cached_property(_client_maker("s3"))
    sqs: "cached_property[SQSClient]" = cached_property(_client_maker("sqs"))
    ssm: "cached_property[SSMClient]" = cached_property(_client_maker("ssm"))

    @cached_property
    def session(self) -> boto3.Session:
        """The session of all clients, made after the environment was pointed at this server."""
        return boto3.Session()

    def serve(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request, as a WSGI application."""
        region, service = _signing_scope(environ)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if service in self._outages:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        environ["wsgi.input"] = io.BytesIO(body)
        if refused := self._refused(service, environ, body):
            return _refusal_response(environ, refused)(environ, start_response)
        # Without the lock: a function that is invoked calls AWS itself.
        for asked, own in self.own_answers:
            if asked == service and (answered := own(Request({**environ, "wsgi.input": io.BytesIO(body)}))):
                return answered(environ, start_response)
        with self.lock:
            if quick := answer_without_routing(service, region, environ, body):
                return quick(environ, start_response)
            answer: Iterable[bytes] = self._app(environ, start_response)
            return answer

    def _refused(self, service: str, environ: "WSGIEnvironment", body: bytes) -> Refusal | None:
        """AWS's answer to a request that it does not carry out: no permission, or too much of something."""
        if call := self.permissions.refused(environ, service, body):
            text = f"User is not authorized to perform: {call.action} on resource: {call.resource}"
            return Refusal("AccessDeniedException" if _is_json(environ) else "AccessDenied", text, 403)
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        with self.lock:
            return refusal(service, operation, body, ACCOUNT, REGION)

    def _reset_moto(self) -> None:
        with urlopen(f"{self.url}/moto-api/reset", data=b"", timeout=10):  # noqa: S310 - our own loopback URL
            pass


_sharing = threading.Lock()
_shared: list[tuple[AwsServer, int]] = []


@contextmanager
def shared_aws(port: int = 0) -> Iterator[AwsServer]:
    """Yield the AWS server of this process; the first caller starts it at its port, the last one stops it."""
    with _sharing:
        server, users = _shared.pop() if _shared else (AwsServer(), 0)
        if not users:
            server.start(port)
        _shared.append((server, users + 1))
    try:
        yield server
    finally:
        with _sharing:
            server, users = _shared.pop()
            if users > 1:
                _shared.append((server, users - 1))
            else:
                server.stop()


@contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables for a while; None removes one."""
    before = {name: os.environ.get(name) for name in values}
    _set_environment(values)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _is_json(environ: "WSGIEnvironment") -> bool:
    # Lambda's API is JSON also where a request has no body, and so no type.
    return "json" in environ.get("CONTENT_TYPE", "") or _signing_scope(environ)[1] == "lambda"


def _refusal_response(environ: "WSGIEnvironment", refused: Refusal) -> Response:
    """A refusal in the protocol of its request."""
    if _is_json(environ):
        text = json.dumps({"__type": refused.code, "message": refused.message})
        headers = {"x-amzn-query-error": f"{refused.code};Sender"}
        return Response(text, refused.status, headers, content_type="application/x-amz-json-1.1")
    error = f"<Error><Code>{refused.code}</Code><Message>{escape(refused.message)}</Message></Error>"
    return Response(f"<ErrorResponse>{error}</ErrorResponse>", refused.status, content_type="text/xml")


def _signing_scope(environ: "WSGIEnvironment") -> tuple[str, str]:
    """The region and the service that a request was signed for; empty if it was not."""
    # AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ...
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0].split("/")
    return (scope[2], scope[3]) if len(scope) > 3 else ("", "")
