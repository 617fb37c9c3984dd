"""The Rillet fake as a program on loopback: the Flask application around a state, and its server."""

import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from local.fake_rillet.call_middleware import CallMiddleware
from local.fake_rillet.context import STATE
from local.fake_rillet.oauth import endpoints as oauth
from local.fake_rillet.problems import Problem
from local.fake_rillet.resources import credit_memos, customers, invoices, organisations, products
from local.fake_rillet.state import State
from local.fake_rillet.wire import plain
from local.fake_vendor.http_server import HttpServer


class _Json(DefaultJSONProvider):
    """JSON whose fractions are read as Decimal, so that no quantity passes through binary floats."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ANN401 - Flask's own signature
        return json.loads(s, parse_float=Decimal, parse_constant=_refuse_constant, **kwargs)

    default = staticmethod(plain)


def create_app(state: State) -> Flask:
    """Build the application around a state."""
    app = Flask("fake_rillet")
    app.json = _Json(app)
    app.config[STATE] = state
    app.url_map.strict_slashes = False
    for module in (organisations, customers, products, invoices, credit_memos, oauth):
        app.register_blueprint(module.blueprint)
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(HTTPException, _answer_http_exception)
    app.wsgi_app = CallMiddleware(app.wsgi_app, state)  # type: ignore[method-assign]
    return app


def _answer_http_exception(error: HTTPException) -> Response:
    """Turn Flask's own refusals (no such path or method, broken JSON) into problem documents."""
    status = error.code or 500
    detail = "JSON parse error" if status == 400 else error.description
    return Problem(status, detail).response()


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class FakeRillet(HttpServer):
    """A Rillet on this machine."""

    def __init__(
        self, clock: Callable[[], float] = time.time, rate_limit: int = 60, rate_window: float = 60.0
    ) -> None:
        """Create a fake that is not started and has no organisation.

        Args:
            clock: Unix seconds.
            rate_limit: calls per window and organisation.
            rate_window: seconds.
        """
        self.state = State(clock, rate_limit, rate_window)
        super().__init__("rillet", create_app(self.state), self.state.deliver_webhooks)
