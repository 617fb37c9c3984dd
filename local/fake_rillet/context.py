"""What a request handler may reach: the state, and the organisation that is calling."""

from typing import cast

from flask import current_app, request

from local.fake_rillet.call_middleware import CALLER, Caller
from local.fake_rillet.organisation import Organisation
from local.fake_rillet.problems import Problem
from local.fake_rillet.state import State
from local.fake_rillet.validation import Checks, Fields

STATE = "RILLET_TWIN_STATE"


def state() -> State:
    """Return the fake's state."""
    return cast(State, current_app.config[STATE])


def caller() -> Caller:
    """Return on whose behalf the call is made."""
    return cast(Caller, request.environ[CALLER])


def organisation() -> Organisation:
    """Return the organisation whose key or token the call carries."""
    return caller().organisation


def body() -> Fields:
    """Return the fields of the JSON body, to be checked by the organisation's switches.

    Raises:
        Problem: 415 without a JSON content type, 400 when the body is not a JSON object.
    """
    if not request.is_json:
        raise Problem(415, "Content-Type must be application/json")
    document = request.get_json()
    if not isinstance(document, dict):
        raise Problem(400, "The body must be an object: JSON parse error")
    return Fields(document, Checks(strict_scale=organisation().switches.strict_scale))
