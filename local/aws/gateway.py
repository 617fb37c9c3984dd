"""API Gateway on one machine: HTTP requests become payload 2.0 events, answers become responses."""

import base64
import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from local.aws.runtime import LambdaRuntime
from local.aws.server import ACCOUNT, KeepAliveHandler
from local.aws.template import Route

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

MAXIMUM_PAYLOAD = 10 * 1024 * 1024
"""Bytes that an HTTP API accepts (API Gateway quotas, HTTP API)."""

_TEXT = re.compile(r"text/|application/(json|xml|javascript)\b|application/[\w.-]+\+(json|xml)\b")


class HttpApiGateway:
    """The HTTP API on a free loopback port. It answers 404 until it has been given routes.

    Attributes:
        mounted: pages of this machine alone, by the path that theirs begin with.
    """

    def __init__(self) -> None:
        self.url = ""
        self.mounted: dict[str, WSGIApplication] = {}
        self._routes: list[tuple[Route, re.Pattern[str], str]] = []
        self._runtime: LambdaRuntime | None = None
        self._server: BaseWSGIServer | None = None

    def start(self, port: int = 0) -> None:
        """Bind a port; 0 takes a free one."""
        self._server = make_server(
            "127.0.0.1", port, self.serve, threaded=True, request_handler=KeepAliveHandler
        )
        self.url = f"http://127.0.0.1:{self._server.port}"
        server = self._server
        threading.Thread(target=server.serve_forever, args=(0.1,), name="gateway", daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def route(self, routes: Mapping[Route, str], runtime: LambdaRuntime) -> None:
        """Serve routes.

        Args:
            routes: the workflow behind each route.
            runtime: what calls the workflow's function.
        """
        self._runtime = runtime
        self._routes = [(route, _pattern(route.path), workflow) for route, workflow in routes.items()]

    def serve(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request, as a WSGI application."""
        for path, application in self.mounted.items():
            if f"{environ['PATH_INFO']}/".startswith(f"{path}/"):
                return application(environ, start_response)
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        body = request.get_data()
        if len(body) > MAXIMUM_PAYLOAD:
            return _message(413, "Request Entity Too Large")
        path = request.environ.get("RAW_URI", request.path).partition("?")[0]
        for route, pattern, workflow in self._routes:
            match = pattern.fullmatch(path)
            if match and route.method in {request.method, "ANY"}:
                parameters = {name: unquote(value) for name, value in match.groupdict().items()}
                return self._invoke(workflow, http_event(request, route, path, parameters, body))
        return _message(404, "Not Found")

    def _invoke(self, workflow: str, event: dict[str, Any]) -> Response:
        if self._runtime is None:
            return _message(503, "Service Unavailable")
        try:
            return _gateway_response(self._runtime.invoke(workflow, event))
        # A function that ends in any way, and an answer that is none, is a 500 for the caller.
        except BaseException as error:
            logger.warning("%s failed", workflow, exc_info=error)
            return _message(500, "Internal Server Error")


def http_event(
    request: Request, route: Route, path: str, parameters: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """Build the event of an HTTP API, payload format version 2.0.

    Source: API Gateway developer guide, "AWS Lambda proxy integrations for HTTP APIs". Optional keys
    are absent where API Gateway leaves them out.

    Args:
        request: the HTTP request.
        route: the route that it matched.
        path: its path as it was sent.
        parameters: values of the route's path parameters.
        body: its body.
    """
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    source_ip = request.remote_addr or "127.0.0.1"
    headers |= {"x-forwarded-for": source_ip, "x-forwarded-proto": "https", "x-forwarded-port": "443"}
    now = time.time()
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": request.query_string.decode("latin-1"),
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "localapi",
            "domainName": request.host,
            "domainPrefix": "localapi",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                "sourceIp": source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": uuid.uuid4().hex[:16],
            "routeKey": route.key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if parameters:
        event["pathParameters"] = dict(parameters)
    if request.args:
        event["queryStringParameters"] = {
            name: ",".join(values) for name, values in request.args.to_dict(flat=False).items()
        }
    if body:
        event["body"], event["isBase64Encoded"] = _encode(body, headers)
    return event


def _encode(body: bytes, headers: Mapping[str, str]) -> tuple[str, bool]:
    if _TEXT.match(headers.get("content-type", "").lower()) and "content-encoding" not in headers:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass  # Text that is no text: only base64 can carry it.
    return base64.b64encode(body).decode(), True


def _pattern(path: str) -> re.Pattern[str]:
    """Turn `/webhooks/{name}` or `/{proxy+}` into a pattern with a group for each parameter."""
    parts = re.split(r"\{(\w+\+?)\}", path)
    pieces = [re.escape(parts[0])]
    for name, literal in zip(parts[1::2], parts[2::2], strict=True):
        pieces += [f"(?P<{name.rstrip('+')}>{'.+' if name.endswith('+') else '[^/]+'})", re.escape(literal)]
    return re.compile("".join(pieces))


def _gateway_response(answer: Any) -> Response:  # noqa: ANN401 - the function's JSON
    """Turn a function's answer into a response.

    Without a status code the whole answer is the JSON body of a 200 (payload format 2.0).
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Response(json.dumps(answer), 200, content_type="application/json")
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()
    response = Response(content, int(answer["statusCode"]), content_type="text/plain;charset=UTF-8")
    for name, value in (answer.get("headers") or {}).items():
        response.headers[name] = str(value)
    for cookie in answer.get("cookies") or []:
        response.headers.add("set-cookie", cookie)
    return response


def _message(status: int, message: str) -> Response:
    return Response(json.dumps({"message": message}), status, content_type="application/json")
