"""Requests to AWS as they leave the process, and answers as they come back, without any client."""

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from werkzeug.test import run_wsgi_app

from tests.fault_injection.effects import lasting

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_READS = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "Receive", "Head")
_TARGETS = {
    "DynamoDB_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "AWSEvents": "events",
    "secretsmanager": "secretsmanager",
    "AmazonSSM": "ssm",
}
_THROTTLED = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "sqs": "RequestThrottled",
    "events": "ThrottlingException",
    "secretsmanager": "ThrottlingException",
    "ssm": "ThrottlingException",
}
_S3_SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"
)
_SNS_THROTTLED = (
    b'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
    b"<Code>Throttled</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
)


def operation_of(request: AWSPreparedRequest) -> tuple[str, str]:
    """Service and operation of a request, such as ``("dynamodb", "PutItem")``."""
    target = _text(request.headers.get("X-Amz-Target", ""))
    if target:
        prefix, _, operation = target.partition(".")
        return _TARGETS.get(prefix, prefix), operation
    if action := dict(parse_qsl(_text(request.body))).get("Action") if _is_form(request) else None:
        return "sns", action
    return "s3", f"{str(request.method).capitalize()}Object"


def is_write(operation: str) -> bool:
    """Whether an operation changes anything."""
    return not operation.startswith(_READS)


def described(request: AWSPreparedRequest) -> str:
    """Operation and what it is about, without what differs from run to run."""
    service, operation = operation_of(request)
    if service == "s3":
        return lasting(f"{operation} {unquote(urlsplit(request.url).path)}")
    body = json.loads(_text(request.body)) if service in _TARGETS.values() else {}
    return lasting(f"{operation} {_about(service, body)}".strip())


def invocation_of(request: AWSPreparedRequest) -> str:
    """Names one call of an AWS client; its repetitions have the same name."""
    return _text(request.headers.get("amz-sdk-invocation-id", ""))


def throttled(request: AWSPreparedRequest) -> AWSResponse:
    """The answer of a service that is asked too often."""
    service, _ = operation_of(request)
    if service == "s3":
        return answer(request, 503, _S3_SLOW_DOWN, "application/xml")
    if service == "sns":
        return answer(request, 400, _SNS_THROTTLED, "text/xml")
    problem = json.dumps({"__type": _THROTTLED[service], "message": "Rate exceeded"})
    return answer(request, 400, problem.encode(), "application/x-amz-json-1.0")


def sent_directly(request: AWSPreparedRequest, application: "WSGIApplication") -> AWSResponse:
    """Send a request to a server of this process without a network, which takes half the time."""
    given: Any = request.body or b""
    body = given.read() if hasattr(given, "read") else given
    content = body.encode() if isinstance(body, str) else bytes(body)
    url = urlsplit(request.url)
    headers = {name.upper().replace("-", "_"): _text(value) for name, value in request.headers.items()}
    environ: dict[str, Any] = {
        **{f"HTTP_{name}": value for name, value in headers.items()},
        "HTTP_HOST": url.netloc,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path, "latin-1"),
        "RAW_URI": request.url,
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": headers.get("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(content)),
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    chunks, status, answered = run_wsgi_app(application, environ, buffered=True)
    return AWSResponse(
        request.url, int(status.split(" ", 1)[0]), HTTPHeaders.from_pairs(answered), _Raw(b"".join(chunks))
    )


def answer(request: AWSPreparedRequest, status: int, body: bytes, kind: str) -> AWSResponse:
    """An answer that nobody sent."""
    return AWSResponse(request.url, status, HTTPHeaders.from_pairs([("Content-Type", kind)]), _Raw(body))


class _Raw:
    """As much of urllib3's response as botocore needs."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, amt: int = 0, decode_content: bool | None = None) -> Iterator[bytes]:
        """The body in one piece."""
        yield self._body

    def read(self, amt: int | None = None) -> bytes:
        """The body."""
        return self._body


def _about(service: str, body: dict[str, object]) -> str:
    if service == "dynamodb":
        keys = body.get("Key") or body.get("Item") or {}
        if isinstance(keys, dict) and "pk" in keys:
            return str(keys["pk"]["S"])
        return "several" if "RequestItems" in body else ""
    if service == "sqs":
        return str(body.get("QueueUrl", "")).rpartition("/")[2]
    if service == "events":
        entries = body.get("Entries")
        kinds = [str(entry.get("DetailType")) for entry in entries] if isinstance(entries, list) else []
        return ", ".join(sorted(set(kinds)))
    return str(body.get("SecretId") or body.get("Name") or "")


def _is_form(request: AWSPreparedRequest) -> bool:
    return "x-www-form-urlencoded" in _text(request.headers.get("Content-Type", ""))


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")
