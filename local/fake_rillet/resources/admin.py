"""The fake's own controls under `/_fake/`; Rillet has none of them."""

from typing import Any

from flask import Blueprint, request

from local.fake_rillet.context import state
from local.fake_rillet.organisation import Organisation
from local.fake_rillet.problems import Problem
from local.fake_rillet.store import Json

blueprint = Blueprint("admin", __name__, url_prefix="/_fake")


@blueprint.get("/state")
def show_state() -> Json:
    """Return counts and objects."""
    return state().snapshot()


@blueprint.post("/misbehave")
def misbehave() -> Json:
    """Put a fault in force; the body is the arguments of `State.misbehave`."""
    try:
        state().misbehave(**_arguments())
    except (TypeError, ValueError) as error:
        raise Problem(400, str(error)) from error
    return {"faults": state().faults.describe()}


@blueprint.post("/behave")
def behave() -> Json:
    """Remove all faults."""
    state().behave()
    return {"faults": []}


@blueprint.post("/reset")
def reset() -> Json:
    """Remove everything."""
    state().reset()
    return {}


@blueprint.post("/load")
def load() -> Json:
    """Make an organisation from a seed, or add to one; the body is the argument of `State.load`."""
    try:
        organisation = state().load(_arguments())
    except (TypeError, ValueError, KeyError) as error:
        raise Problem(400, f"The seed cannot be used: {error}") from error
    return {"organization_id": organisation.id}


@blueprint.post("/webhooks")
def add_webhook() -> Json:
    """Make a webhook: {"url", "token", "events", "organization_id"}, all but the first optional."""
    arguments = _arguments()
    organisation = _organisation(arguments)
    try:
        made = organisation.add_webhook(arguments["url"], arguments.get("token"), arguments.get("events"))
    except (KeyError, ValueError) as error:
        raise Problem(400, str(error)) from error
    return made.describe() | {"token": made.token}


@blueprint.post("/deliver")
def deliver() -> Json:
    """Send the webhooks that are due now, of one organisation or of all: {"organization_id"}, optional."""
    arguments = _arguments()
    sender = _organisation(arguments) if "organization_id" in arguments else state()
    return {
        "deliveries": [
            {"event": one.event.name, "id": one.event.id, "attempt": one.attempt, "status": one.status}
            for one in sender.deliver_webhooks()
        ]
    }


@blueprint.post("/pay")
def pay() -> Json:
    """Pay an invoice as a user does: {"invoice_id", "amount", "cleared", "organization_id"}."""
    arguments = _arguments()
    organisation = _organisation(arguments)
    cleared = bool(arguments.get("cleared", True))
    return organisation.pay(str(arguments.get("invoice_id")), arguments.get("amount"), cleared=cleared)


@blueprint.post("/rate")
def rate() -> Json:
    """Change the rate limit: {"limit": calls, "window": seconds}, each optional."""
    arguments = _arguments()
    state().rate_limit = int(arguments.get("limit", state().rate_limit))
    state().rate_window = float(arguments.get("window", state().rate_window))
    return {"limit": state().rate_limit, "window": state().rate_window}


def _organisation(arguments: Json) -> Organisation:
    """Return the organisation of `organization_id`, or the only one there is."""
    named = arguments.get("organization_id")
    found = [one for one in list(state().organisations.values()) if named in (None, one.id)]
    if len(found) != 1:
        raise Problem(400, "organization_id must name an organisation")
    return found[0]


def _arguments() -> dict[str, Any]:
    arguments = request.get_json()
    if not isinstance(arguments, dict):
        raise Problem(400, "The body must be an object")
    return arguments
