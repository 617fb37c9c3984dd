"""The vendors and the gateway without sockets: calls of `requests` become plain calls in the same thread.

For runs of thousands of calls. Over loopback each call wakes two more threads of the same process.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import RemoteDisconnected
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse, Retry
from urllib3.exceptions import MaxRetryError, ProtocolError, ReadTimeoutError
from werkzeug.datastructures import Headers
from werkzeug.test import create_environ, run_wsgi_app

from local.aws.process import ensure_alive
from local.fake_vendor.faults import SilenceError
from local.system import LocalSystem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@contextmanager
def http_in_process(system: LocalSystem, given_up: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Let everything in this process call the fakes and the gateway of a system directly.

    Args:
        system: a running system.
        given_up: happens where a caller has waited for an answer in vain.
    """
    over_a_socket = HTTPAdapter.send
    applications: dict[str, WSGIApplication] = {
        f"{system.rillet.origin}/": system.rillet.recorder,
        f"{system.solvimon.origin}/": system.solvimon.recorder,
        f"{system.gateway.url}/": system.gateway.serve,
    }

    def send(
        adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **more: Any
    ) -> requests.Response:
        url = str(request.url)
        for origin, application in applications.items():
            if url.startswith(origin):
                ensure_alive()
                return _send_in_process(adapter, request, application, given_up)
        return over_a_socket(adapter, request, *args, **more)

    with patch.object(HTTPAdapter, "send", send):
        yield


def no_answer(request: requests.PreparedRequest) -> requests.ReadTimeout:
    """Return what `requests` raises when it has waited long enough."""
    pool: Any = None
    return requests.ReadTimeout(ReadTimeoutError(pool, request.url, "Read timed out."), request=request)


def hung_up(request: requests.PreparedRequest) -> requests.ConnectionError:
    """Return what `requests` raises when the connection was closed instead of an answer."""
    closed = ProtocolError("Connection aborted.", RemoteDisconnected("Remote end closed"))
    return requests.ConnectionError(closed, request=request)


def _send_in_process(
    adapter: HTTPAdapter,
    request: requests.PreparedRequest,
    application: "WSGIApplication",
    given_up: Callable[[], object],
) -> requests.Response:
    """Call an application, and again where the adapter's retries say so, without their pauses."""
    retries: Retry = adapter.max_retries
    while True:
        try:
            chunks, status, headers = run_wsgi_app(application, _environ(request), buffered=True)
        except SilenceError:
            given_up()
            raise no_answer(request) from None
        except ConnectionAbortedError:
            try:
                retries = retries.increment(request.method, request.url, error=ProtocolError())
            except (MaxRetryError, ProtocolError):
                raise hung_up(request) from None
            continue
        code = int(status.split(" ", 1)[0])
        if not retries.is_retry(str(request.method), code):
            break
        try:
            retries = retries.increment(request.method, request.url, HTTPResponse(status=code))
        except MaxRetryError:
            break
    return adapter.build_response(request, _requests_response(request, code, headers, b"".join(chunks)))


def _environ(request: requests.PreparedRequest) -> Any:  # noqa: ANN401 - as WSGI has it
    url, body = urlsplit(str(request.url)), request.body or b""
    given: Any = body.read() if hasattr(body, "read") else body
    content = given.encode() if isinstance(given, str) else bytes(given)
    environ = create_environ(
        path=unquote(url.path),
        base_url=f"{url.scheme}://{url.netloc}",
        query_string=url.query,
        method=request.method or "GET",
        headers=Headers(list(request.headers.items())),
        input_stream=BytesIO(content),
        content_length=len(content),
    )
    return environ | {"RAW_URI": request.path_url, "REMOTE_ADDR": "127.0.0.1"}


def _requests_response(
    request: requests.PreparedRequest, code: int, headers: Headers, body: bytes
) -> HTTPResponse:
    received = HTTPHeaderDict(list(headers))
    # `requests` looks for cookies in what the standard library has read.
    original: Any = SimpleNamespace(msg=received, isclosed=lambda: True, close=lambda: None)
    return HTTPResponse(
        body=BytesIO(body),
        headers=received,
        status=code,
        preload_content=False,
        decode_content=False,
        request_method=request.method,
        original_response=original,
    )
