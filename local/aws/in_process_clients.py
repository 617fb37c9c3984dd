"""AWS without sockets: requests of boto3 become plain calls of moto's application in the same thread.

Most calls go to AWS. Over loopback each opens a connection and wakes another thread of the same process
twice: a quarter of the time of an integration test. Other processes, such as the AWS CLI, use the socket.
The vendors stay behind sockets: connections must break there. Nobody checks a signature here, so a request
only says who signs for which service; S3's keep theirs, which names how the body is written.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session
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
