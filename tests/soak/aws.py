"""AWS without sockets: the functions' calls to moto become plain calls in the same thread.

Most calls of a run go to AWS. Over loopback each wakes another thread of the same process twice, which takes
longer than moto needs for its answer. The vendors stay behind sockets, because connections must break there.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

from local.system import LocalSystem

_RAW_PATH = "RAW_URI"


@contextmanager
def aws_in_process(system: LocalSystem) -> Iterator[None]:
    """Let every AWS client of this process call the running stand-in directly."""

    def send(_session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        url, body = urlsplit(request.url), request.body
        content: Any = body.read() if body and hasattr(body, "read") else body or b""
        builder = EnvironBuilder(
            path=url.path or "/",
            base_url=system.aws.url,
            query_string=url.query,
            method=request.method,
            headers=[(name, _text(value)) for name, value in request.headers.items()],
            input_stream=io.BytesIO(content.encode() if isinstance(content, str) else content),
        )
        environ = builder.get_environ()
        environ |= {"CONTENT_LENGTH": str(len(content)), _RAW_PATH: request.url.removeprefix(system.aws.url)}
        chunks, status, headers = run_wsgi_app(system.aws.serve, environ, buffered=True)
        answer = HTTPResponse(
            body=io.BytesIO(b"".join(chunks)),
            headers=HTTPHeaderDict(headers.to_wsgi_list()),
            status=int(status.split(" ", 1)[0]),
            preload_content=False,
        )
        headers_of_both: Any = answer.headers  # the stubs know those of another library
        response = AWSResponse(request.url, answer.status, headers_of_both, answer)
        if not request.stream_output:
            _ = response.content  # reads it, as the session does
        return response

    with patch.object(URLLib3Session, "send", send):
        yield


def _text(value: Any) -> str:  # noqa: ANN401 - botocore has both
    return value.decode() if isinstance(value, bytes) else str(value)
