"""The playground and its page: a WSGI application, which the local gateway serves beside the HTTP API.

No line of it goes to AWS: it works on the fakes in this process.
"""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from local.aws.server import REGION
from local.books_check.records import customer_name, rillet_documents
from local.playground.acts import NotDoneError, do, money_open, refuses_key, rillet_payments_of
from local.playground.drafts import UNLINKED, choices
from local.sample_data import expected, invoice_id
from local.sample_data.drafts import drafts
from local.sample_data.identity import Json
from local.system import Connection, LocalSystem
from solvimon_rillet.panel.rendering import static_file

NEWEST = 12
"""Final invoices that the page shows."""
PATH = "/_local"
ROLES = ("viewer", "operator", "admin")
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def playground_page(system: LocalSystem, connection: Connection) -> dict[str, Any]:
    """Return what the template shows."""
    with connection.platform.lock, connection.organisation.lock:
        return {
            "connection": connection.name,
            "connections": list(system.connections),
            "drafts": _draft_rows(connection),
            "invoices": _invoices(connection),
            "customers": _customer_rows(connection),
            "rillet_down": any(fault["kind"] == "down" for fault in system.rillet.state.faults.describe()),
            "key_refused": refuses_key(system, connection),
            "addresses": addresses(system, connection),
        }


def addresses(system: LocalSystem, connection: Connection) -> list[tuple[str, str]]:
    """Return where everything is, and with which keys it opens."""
    return [
        ("HTTP API", system.gateway.url),
        ("AWS endpoint", system.aws.url),
        ("Solvimon", system.solvimon.url),
        ("Solvimon X-API-KEY", connection.solvimon_api_key),
        ("Rillet", system.rillet.url),
        ("Rillet bearer token", connection.rillet_api_key),
        ("Webhook for Solvimon", connection.webhook_url),
        ("Webhook for Rillet", connection.webhook_url.replace("/solvimon/", "/rillet/")),
    ]


def exports(system: LocalSystem) -> str:
    """Return the line for a shell with which the commands of all pages work here."""
    return (
        f"export AWS_ENDPOINT_URL={system.aws.url} AWS_REGION={REGION} AWS_ACCESS_KEY_ID=local "
        f"AWS_SECRET_ACCESS_KEY=local STACK={system.deployment.stack}"
    )


def _draft_rows(connection: Connection) -> list[Json]:
    facts = expected()
    features = {draft.name: facts[invoice_id(draft.name)]["feature"] for draft in drafts()}
    features[UNLINKED] = "its product is not linked to Rillet"
    return [
        {
            "name": name,
            "feature": features[name],
            "customer": customer_name(draft["customer"]),
            **_shown_amount(draft["invoice_amount_including_tax"]),
        }
        for name, draft in choices(connection).items()
    ]


def _invoices(connection: Connection) -> list[Json]:
    final = [one for one in connection.platform.records["invoices"].values() if one["status"] == "FINAL"]
    return [_invoice(connection, invoice) for invoice in reversed(final[-NEWEST:])]


def _invoice(connection: Connection, invoice: Json) -> Json:
    booked = next(iter(rillet_documents(connection, invoice["id"])), None)
    return {
        "id": invoice["id"],
        "number": invoice["invoice_number"],
        "customer": customer_name(invoice["customer"]),
        **_shown_amount(invoice["invoice_amount_including_tax"]),
        "is_credit": invoice["type"] in {"CREDIT", "ONE_OFF_CREDIT"},
        "in_rillet": booked and booked["invoice_number"],
        "open": booked and money_open(booked),
        "is_open": bool(booked and Decimal(booked["amount_due"]["amount"]) > 0),
        "payments": len(rillet_payments_of(connection, booked["id"])) if booked else 0,
    }


def _shown_amount(money: Json) -> Json:
    return {"amount": f"{Decimal(money['quantity']):,}".replace("-", "−"), "currency": money["currency"]}


def _customer_rows(connection: Connection) -> list[Json]:
    records = connection.platform.records["customers"].values()
    return sorted(
        ({"id": one["id"], "name": customer_name(one)} for one in records), key=lambda one: one["name"]
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
            **playground_page(system, connection),
            happened=happened,
            now=datetime.fromtimestamp(system.clock.now(), UTC),
            roles=ROLES,
        )

    @app.get(f"{PATH}/panel.css")
    def style() -> Response:
        return Response(static_file("panel.css"), mimetype="text/css")

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
