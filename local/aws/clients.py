"""boto3's clients in this process: made once, and without sockets.

Most calls go to AWS. Over loopback each opens a connection and wakes another thread of the same process
twice: a quarter of the time of an integration test. So requests become plain calls of moto's application in
the same thread. Other processes, such as the AWS CLI, use the socket. The vendors stay behind sockets:
connections must break there. Nobody checks a signature here, so a request only says who signs for which
service; S3's keep theirs, which names how the body is written.

To make a client takes longer than most calls, and each cold start makes several.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.httpsession import URLLib3Session
from botocore.retries import quota
from botocore.signers import RequestSigner
from urllib3 import HTTPResponse
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@contextmanager
def aws_in_process(url: str, application: "WSGIApplication") -> Iterator[None]:
    """Let every AWS client of this process call the application that listens at a URL directly."""
    over_a_socket = URLLib3Session.send

    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        if not request.url.startswith(url):
            return over_a_socket(session, request)
        return send_in_process(request, application)

    sign_it = RequestSigner.sign

    def sign(signer: RequestSigner, operation: str, request: AWSRequest, *args: Any, **more: Any) -> None:
        if args or more or not str(request.url).startswith(url) or signer.signing_name == "s3":
            sign_it(signer, operation, request, *args, **more)
            return
        scope = f"local/20000101/{signer.region_name}/{signer.signing_name}/aws4_request"
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, Signature=none"

    with patch.object(URLLib3Session, "send", send), patch.object(RequestSigner, "sign", sign):
        yield


def send_in_process(request: AWSPreparedRequest, application: "WSGIApplication") -> AWSResponse:
    """Send a request to a WSGI application of this process."""
    given: Any = request.body or b""
    body = given.read() if hasattr(given, "read") else given
    content = body.encode() if isinstance(body, str) else bytes(body)
    url = urlsplit(request.url)
    headers = {name.upper().replace("-", "_"): text_of(value) for name, value in request.headers.items()}
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
    return aws_response(request, int(status.split(" ", 1)[0]), list(answered), b"".join(chunks))


def aws_response(
    request: AWSPreparedRequest, status: int, headers: Sequence[tuple[str, str]], body: bytes
) -> AWSResponse:
    """Return a response as botocore's HTTP session does."""
    raw = HTTPResponse(body=BytesIO(body), status=status, preload_content=False)
    return AWSResponse(request.url, status, HTTPHeaders.from_pairs(headers), raw)


def text_of(value: object) -> str:
    """Return a header's value or a body as text: botocore has both texts and bytes."""
    return value.decode() if isinstance(value, bytes) else str(value or "")


@contextmanager
def clients_made_once() -> Iterator[None]:
    """While this lasts, a cold start gets the client that an earlier one with the same options has made.

    Its allowance of retries is full again, as that of a new client.
    """
    make: Callable[..., Any] = boto3.client
    made: dict[tuple[str, str], tuple[Any, list[quota.RetryQuota]]] = {}
    making = threading.Lock()  # boto3 cannot make clients in two threads at once

    def client(service: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the client's type is the service's
        config = options.get("config")
        if args or options.keys() != {"config"} or not isinstance(config, Config):
            return make(service, *args, **options)
        with making:
            key = service, repr(sorted(vars(config).items(), key=str))
            if key not in made:
                allowances: list[quota.RetryQuota] = []
                with patch.object(quota, "RetryQuota", _remembering(allowances)):
                    made[key] = make(service, **options), allowances
            kept, allowances = made[key]
            for allowance in allowances:
                allowance.release(allowance.INITIAL_CAPACITY)
            return kept

    with patch.object(boto3, "client", client):
        yield


def _remembering(allowances: list[quota.RetryQuota]) -> Callable[[], quota.RetryQuota]:
    real = quota.RetryQuota

    def new() -> quota.RetryQuota:
        allowances.append(real())
        return allowances[-1]

    return new
