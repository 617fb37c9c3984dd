"""The playground as a WSGI application, which the local gateway serves beside the HTTP API.

No line of it goes to AWS: it works on the fakes in this process.
"""

from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from local.playground import view
from local.playground.acts import NotDoneError, do
from local.system import Connection, LocalSystem

PATH = "/_local"
ROLES = ("viewer", "operator", "admin")
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def serve_playground(system: LocalSystem) -> None:
    """Let the system's gateway serve the playground, at `PATH`."""
    system.gateway.mounted[PATH] = create_app(system)


def sign_in_link(system: LocalSystem, role: str = "admin") -> str:
    """Return a link that signs a person in to the panel, once."""
    answer = system.invoke("panel", {"sign_in": {"as": f"you@{role}.example", "role": role}})
    return str(answer["open"])


def create_app(system: LocalSystem) -> Flask:
    """Build the application around a running system with at least one connection."""
    app = Flask("playground", root_path=str(Path(__file__).parent))
    said: list[tuple[bool, str]] = []

    @app.before_request
    def refuse_other_sites() -> None:
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403)

    @app.get(PATH)
    def show() -> str:
        connection = _connection(system, request.args.get("connection"))
        happened = said.pop() if said else None
        return render_template(
            "playground.html",
            **view.playground_page(system, connection),
            happened=happened,
            now=datetime.fromtimestamp(system.clock.now(), UTC),
            roles=ROLES,
        )

    @app.get(f"{PATH}/panel.css")
    def style() -> Response:
        return Response(view.stylesheet(), mimetype="text/css")

    @app.post(f"{PATH}/panel/<role>")
    def sign_in(role: str) -> ResponseReturnValue:
        if role not in ROLES:
            abort(404)
        return redirect(sign_in_link(system, role), 303)

    @app.post(f"{PATH}/<connection_name>/<name>")
    def act(connection_name: str, name: str) -> ResponseReturnValue:
        connection = _connection(system, connection_name)
        try:
            said.append((True, do(system, name, connection, request.form)))
        except NotDoneError as error:
            said.append((False, str(error)))
        return redirect(f"{PATH}?connection={connection.name}", 303)

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


def _connection(system: LocalSystem, name: str | None) -> Connection:
    found = system.connections.get(name or next(iter(system.connections)))
    return found or abort(404)
