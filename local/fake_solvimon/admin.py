"""The fake's own controls under `/_fake/`; Solvimon has none of them."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue

from local.fake_solvimon.errors import ApiProblem, Json
from local.fake_solvimon.platform import Platform
from local.fake_solvimon.resources import context
from local.fake_solvimon.state import State

routes = Blueprint("fake", __name__, url_prefix="/_fake")


def _state() -> State:
    state: State = g.state
    return state


def _platform(body: Json) -> Platform:
    """Return the platform of `api_key`, or the only one there is."""
    platforms = _state().platforms
    if body.get("api_key") is None and len(platforms) == 1:
        return platforms[0]
    try:
        return _state().platform(str(body.get("api_key")))
    except KeyError:
        raise ApiProblem(404, "PLATFORM_NOT_FOUND", "no platform has this api_key", field="api_key") from None


def _refuse(failure: Exception) -> ApiProblem:
    return ApiProblem(400, "BAD_REQUEST", str(failure))


@routes.get("/state")
def show_state() -> ResponseReturnValue:
    """Show platforms, counts of records and calls."""
    state = _state()
    platforms = [
        {
            "id": platform.id,
            "records": {name: len(records) for name, records in platform.records.items()},
            "webhooks": [webhook.view() for webhook in platform.webhooks.webhooks.values()],
            "webhook_events_waiting": platform.webhooks.pending(),
        }
        for platform in state.platforms
    ]
    calls: dict[str, Any] = {"total": len(state.calls), "by_collection": dict(state.calls.by_collection())}
    return {
        "platforms": platforms,
        "calls": calls,
        "webhooks_on": state.webhooks_on,
        "charged": state.charged,
    }


@routes.post("/reset")
def reset() -> ResponseReturnValue:
    """Remove everything."""
    _state().reset()
    return {}


@routes.post("/load")
def load() -> ResponseReturnValue:
    """Add a platform: `{"api_key", "read_only_key"?, "seed"?}`."""
    body = context.body()
    try:
        platform = _state().add_platform(body["api_key"], body.get("seed"), body.get("read_only_key"))
    except (KeyError, ValueError) as failure:
        raise _refuse(failure) from failure
    return {"id": platform.id}


@routes.post("/misbehave")
def misbehave() -> ResponseReturnValue:
    """Put a fault in force: `{"kind", "method"?, "path"?, "times"?}` and the kind's options."""
    try:
        _state().misbehave(**context.body())
    except (TypeError, ValueError) as failure:
        raise _refuse(failure) from failure
    return {}


@routes.post("/behave")
def behave() -> ResponseReturnValue:
    """Remove all faults."""
    _state().behave()
    return {}


@routes.post("/finalise")
def finalise() -> ResponseReturnValue:
    """Set an invoice FINAL: `{"invoice_id", "api_key"?}`."""
    body = context.body()
    return _platform(body).finalise(str(body.get("invoice_id")))


@routes.post("/credit")
def credit() -> ResponseReturnValue:
    """Credit an invoice: `{"invoice_id", "amount"?, "sign"?, "api_key"?}`; see `Platform.credit`."""
    body = context.body()
    return _platform(body).credit(str(body.get("invoice_id")), body.get("amount"), body.get("sign"))


@routes.post("/webhooks")
def webhooks() -> ResponseReturnValue:
    """Configure a receiver with a known secret: `{"url", "secret"?, "actions"?, "api_key"?}`."""
    body = context.body()
    webhook = _platform(body).add_webhook(str(body.get("url")), body.get("secret"), body.get("actions"))
    return webhook.view()


@routes.post("/deliver")
def deliver() -> ResponseReturnValue:
    """Send the webhook events that are due now, of one platform or of all: `{"api_key"?}`."""
    body = context.body()
    deliveries = (_platform(body) if "api_key" in body else _state()).deliver_webhooks()
    return {
        "deliveries": [
            {"action": d.event.action, "id": d.event.resource_id, "attempt": d.attempt, "status": d.status}
            for d in deliveries
        ]
    }
