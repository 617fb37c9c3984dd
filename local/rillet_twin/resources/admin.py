"""The twin's own controls under `/_twin/`; Rillet has nothing like it."""

from typing import Any

from flask import Blueprint, request

from local.rillet_twin.context import state
from local.rillet_twin.problems import Problem
from local.rillet_twin.store import Json

blueprint = Blueprint("admin", __name__, url_prefix="/_twin")


@blueprint.get("/state")
def show_state() -> Json:
    """Return counts and objects."""
    return state().snapshot()


@blueprint.post("/misbehave")
def misbehave() -> Json:
    """Order a misbehaviour; the body is the arguments of `State.misbehave`."""
    try:
        state().misbehave(**_arguments())
    except (TypeError, ValueError) as error:
        raise Problem(400, str(error)) from error
    return {"misbehaviours": state().misbehaviours.describe()}


@blueprint.post("/behave")
def behave() -> Json:
    """Take back all misbehaviours."""
    state().behave()
    return {"misbehaviours": []}


@blueprint.post("/reset")
def reset() -> Json:
    """Forget everything."""
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


@blueprint.post("/rate")
def rate() -> Json:
    """Change the rate limit: {"limit": calls, "window": seconds}, each optional."""
    arguments = _arguments()
    state().rate_limit = int(arguments.get("limit", state().rate_limit))
    state().rate_window = float(arguments.get("window", state().rate_window))
    return {"limit": state().rate_limit, "window": state().rate_window}


def _arguments() -> dict[str, Any]:
    arguments = request.get_json()
    if not isinstance(arguments, dict):
        raise Problem(400, "The body must be an object")
    return arguments
