"""The Flask application: blueprints, JSON with exact decimals, problem documents."""

import json
from decimal import Decimal
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from local.fake_rillet.call_middleware import CallMiddleware
from local.fake_rillet.context import STATE
from local.fake_rillet.json_encoding import plain
from local.fake_rillet.oauth import endpoints as oauth
from local.fake_rillet.problems import Problem
from local.fake_rillet.resources import credit_memos, customers, invoices, organisations, payments, products
from local.fake_rillet.state import State


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
    for module in (organisations, customers, products, invoices, payments, credit_memos, oauth):
        app.register_blueprint(module.blueprint)
    app.register_error_handler(Problem, _answer_problem)
    app.register_error_handler(HTTPException, _answer_http_exception)
    app.wsgi_app = CallMiddleware(app.wsgi_app, state)  # type: ignore[method-assign]
    return app


def _answer_problem(problem: Problem) -> Response:
    return problem.response()


def _answer_http_exception(error: HTTPException) -> Response:
    """Turn Flask's own refusals (no such path or method, broken JSON) into problem documents."""
    status = error.code or 500
    detail = "JSON parse error" if status == 400 else error.description
    return Problem(status, detail).response()


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
