"""Lambda function ``connect_rillet``: connect a Rillet organisation, show its status, disconnect.

Takes a direct invocation, which requires access to this AWS account::

    {"connection": "acme", "action": "connect"}      (or "status", or "disconnect")
    {"list": true}                                   which connections there are

and the browser's return from Rillet: ``GET /oauth/rillet/callback``.
"""

import html
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import ConfigDict

from solvimon_rillet.connections.grant_history import GrantHistory
from solvimon_rillet.connections.names import UnknownConnection
from solvimon_rillet.entrypoints.direct_request import answer_direct_request
from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.ledger.actor import RequestedBy
from solvimon_rillet.workflows.connect.authorization import CallbackPage, RilletAuthorization
from solvimon_rillet.workflows.connect.connection_status import ConnectionStatus
from solvimon_rillet.workflows.connect.known_connections import KnownConnections

CONNECT_EXAMPLE = {"connection": "default", "action": "connect"}
_PAGE_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_PAGE_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:4em auto;padding:0 1em}}</style></head>
<body><h1>{title}</h1><p>{text}</p>{back}</body></html>
"""
_BACK_LINK = '<p><a href="../../panel/connections{below}">Back to the panel</a></p>'


class DirectRequest(RequestedBy):
    """The request of a direct invocation."""

    model_config = ConfigDict(extra="forbid")

    connection: str = "default"
    action: Literal["connect", "status", "disconnect"] = "connect"
    list: bool = False


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "connect_rillet")
    services = Services(environment, clock, telemetry.count)

    def authorization() -> RilletAuthorization:
        return RilletAuthorization(services.configuration, services.table, services.connections, clock)

    def direct(request: DirectRequest) -> dict[str, Any]:
        known = KnownConnections(services.configuration, services.connections)
        if request.list:
            return known.answer()
        try:
            return act(request)
        except UnknownConnection as error:
            return known.unknown(error)

    def act(request: DirectRequest) -> dict[str, Any]:
        if request.action == "status":
            return ConnectionStatus(
                services.configuration,
                services.connections,
                GrantHistory(services.table, clock),
                services.webhook_arrivals,
                services.topic,
            ).describe(request.connection)
        if request.action == "disconnect":
            return authorization().disconnect(request.connection)
        return authorization().start(request.connection)

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        if "requestContext" in event:
            query = event.get("queryStringParameters")
            texts = query.items() if isinstance(query, Mapping) else ()
            page = authorization().callback({name: str(value) for name, value in texts})
            return _html_page(page, panel=environment.get("PANEL", "off") != "off")
        return answer_direct_request(
            event, DirectRequest, direct, {"example": CONNECT_EXAMPLE}, context=context
        )

    return handle


def _html_page(page: CallbackPage, *, panel: bool) -> dict[str, Any]:
    """The browser's page; it leads back to the panel, if this deployment has one, to a check of now."""
    below = f"/{html.escape(page.connection)}?check=1" if page.connection else ""
    back = _BACK_LINK.format(below=below) if panel else ""
    body = _PAGE_HTML.format(title=html.escape(page.title), text=html.escape(page.text), back=back)
    return {"statusCode": page.status, "headers": _PAGE_HEADERS, "body": body}


handler = on_first_call(create_handler)
