"""Recording a fake's requests and answers, byte by byte."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Literal

from werkzeug.datastructures import EnvironHeaders, Headers
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Vendor = Literal["solvimon", "rillet"]


@dataclass(frozen=True)
class RecordedCall:
    """A request as it came over the wire, and its answer.

    Attributes:
        vendor: whose fake was called.
        method: the HTTP method.
        path: without the query.
        query: as it was sent, still encoded.
        headers: of the request; keys and tokens included, so it is for the moment only.
        body: of the request.
        status: of the answer; None when the connection was closed instead.
        answer_headers: of the answer.
        answer: its body.
    """

    vendor: Vendor
    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    status: int | None
    answer_headers: Headers
    answer: bytes


class TrafficRecorder:
    """WSGI middleware that passes each call to its listeners; without listeners it costs nothing."""

    def __init__(self, vendor: Vendor, application: "WSGIApplication") -> None:
        self.listeners: list[Callable[[RecordedCall], None]] = []
        self._vendor = vendor
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass a request on, and record it when it is answered."""
        if not self.listeners:
            return self._application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        again = environ | {"wsgi.input": BytesIO(body)}
        try:
            chunks, status, headers = run_wsgi_app(self._application, again, buffered=True)
        except ConnectionAbortedError:
            self._report(environ, body, None, Headers(), b"")
            raise
        answer = b"".join(chunks)
        self._report(environ, body, int(status.split(" ", 1)[0]), headers, answer)
        start_response(status, headers.to_wsgi_list())
        return [answer]

    def _report(
        self, environ: "WSGIEnvironment", body: bytes, status: int | None, headers: Headers, answer: bytes
    ) -> None:
        recorded = RecordedCall(
            vendor=self._vendor,
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            query=environ.get("QUERY_STRING", ""),
            headers=Headers(EnvironHeaders(environ)),
            body=body,
            status=status,
            answer_headers=headers,
            answer=answer,
        )
        for listener in self.listeners:
            listener(recorded)
