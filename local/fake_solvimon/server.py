"""The Solvimon fake's application and server: call log, faults, authentication, idempotency, errors."""

import itertools
import json
import logging
import time
from collections.abc import Callable

from flask import Blueprint, Flask, Response, g, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from local.fake_solvimon.calls import Call
from local.fake_solvimon.errors import ApiProblem, no_such_path
from local.fake_solvimon.platform import Platform
from local.fake_solvimon.resources import catalogue, invoices, webhooks
from local.fake_solvimon.resources.definitions import CATALOGUE
from local.fake_solvimon.state import State
from local.fake_vendor.fault_middleware import FaultMiddleware
from local.fake_vendor.faults import Fault
from local.fake_vendor.http_server import HttpServer
from local.fake_vendor.idempotency import SavedAnswer

_log = logging.getLogger(__name__)


class SolvimonFaults(FaultMiddleware[Call, State]):
    """WSGI middleware around the API."""

    def _begin(self, request: Request) -> Call:
        return self._state.calls.begin(request)

    def _error(self, fault: Fault, status: int) -> Response:
        options = fault.options
        code = options.get("code", "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST")
        problem = ApiProblem(status, str(code), str(options.get("message", "told to misbehave")))
        given = options.get("body")
        body = json.dumps(problem.document()) if given is None else str(given)
        headers = {"X-REQUEST-ID": "reqr_misbehaving", **options.get("headers", {})}
        return Response(body, status, headers, content_type="application/json")


class _Json(DefaultJSONProvider):
    ensure_ascii = False
    sort_keys = False


def create_app(state: State) -> Flask:
    """Return the API as a WSGI application without its middleware."""
    app = Flask("fake_solvimon")
    app.json = _Json(app)
    api = Blueprint("api", __name__, url_prefix="/v1")
    for resource in CATALOGUE:
        api.register_blueprint(catalogue.resource_blueprint(resource))
    for routes in (catalogue.custom_field_routes, invoices.routes, invoices.payment_routes, webhooks.routes):
        api.register_blueprint(routes)
    app.register_blueprint(api)
    numbers = itertools.count(1)

    @app.before_request
    def begin() -> Response | None:
        g.state = state
        g.request_id = f"reqr_{next(numbers):020d}"
        _check_version(request.path)
        g.platform = _authenticated(state)
        _check_content_type()
        return _replayed(g.platform)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-REQUEST-ID"] = g.request_id
        if response.status_code >= 500:
            response.headers["Idempotency-Retryable"] = "true"
        if (key := g.pop("idempotency_key", None)) is not None:
            answer = SavedAnswer(response.status_code, response.get_data(), response.content_type or "")
            g.platform.idempotency.end(key, answer)
        return response

    app.register_error_handler(ApiProblem, _problem_response)
    app.register_error_handler(HTTPException, _not_served)
    app.register_error_handler(Exception, _broken)
    return app


def _check_version(path: str) -> None:
    version = path.split("/")[1]
    if not (version.startswith("v") and version[1:].isdecimal()):
        raise ApiProblem(400, "MISSING_VERSION", "the path must begin with a version, such as /v1")
    if version != "v1":
        raise ApiProblem(400, "UNSUPPORTED_VERSION", f"{version} is not supported")


def _authenticated(state: State) -> Platform:
    key = request.headers.get("X-API-KEY", "")
    try:
        platform = state.platform(key)
    except KeyError:
        raise ApiProblem(401, "UNAUTHORISED", "the API key is missing or wrong") from None
    reads = request.method in ("GET", "HEAD") or request.path.endswith("/search")
    if platform.roles[key] == "READ_ONLY" and not reads:
        raise ApiProblem(403, "USER_NOT_ALLOWED", "the API key may only read")
    return platform


def _check_content_type() -> None:
    # The status is not documented; 415 is in none of Solvimon's lists of statuses, 400 is in all of them.
    if request.get_data() and request.mimetype != "application/json":
        raise ApiProblem(400, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json")


def _replayed(platform: Platform) -> Response | None:
    key = request.headers.get("Idempotency-Key")
    if request.method != "POST" or key is None:
        return None
    answer = platform.idempotency.begin(key, request.method, request.full_path, request.get_data())
    if answer is None:
        g.idempotency_key = key
        return None
    headers = {"Idempotent-Replayed": "true"}
    return Response(answer.body, answer.status, headers, content_type=answer.content_type)


def _problem_response(problem: ApiProblem) -> ResponseReturnValue:
    return problem.document(), problem.status


def _not_served(failure: HTTPException) -> ResponseReturnValue:
    if failure.code == 405:
        return _problem_response(
            ApiProblem(405, "INVALID_OPERATION", f"{request.method} is not possible here")
        )
    if failure.code == 404:
        return _problem_response(no_such_path(request.path))
    return _problem_response(
        ApiProblem(failure.code or 500, "BAD_REQUEST", failure.description or failure.name)
    )


def _broken(failure: Exception) -> ResponseReturnValue:
    _log.error("the fake broke on %s %s", request.method, request.path, exc_info=failure)
    return _problem_response(ApiProblem(500, "INTERNAL_ERROR", "the fake broke; its log says why"))


class FakeSolvimon(HttpServer):
    """The fake as a program on loopback.

    Args:
        clock: Unix seconds; every timestamp, window and retry goes by it.
    """

    base_path = "/v1"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.state = State(clock)
        application = SolvimonFaults(create_app(self.state), self.state)
        super().__init__("solvimon", application, self.state.deliver_webhooks)

    def stop(self) -> None:
        """Stop serving and delivering; delayed requests are answered first, and the state stays."""
        self.state.behave()
        super().stop()
