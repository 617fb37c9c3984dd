"""Who may call: bearer key, rate limit, API version and write rights, in this order."""

from werkzeug.wrappers import Request, Response

from local.rillet_twin.organisation import Organisation
from local.rillet_twin.problems import Problem
from local.rillet_twin.state import ApiKey, State

API_VERSION = "4"


class RateLimitExceeded(Exception):
    """The organisation has no place left in the rolling window."""


def admit(state: State, request: Request) -> Organisation:
    """Let a call in.

    Raises:
        Problem: 401 without a valid key; 400 without API version 4; 403 to write with a read-only key.
        RateLimitExceeded: too many calls.
    """
    key = _api_key(state, request)
    organisation = state.organisations[key.organisation_id]
    with state.lock:
        organisation.counts.calls += 1
        if not state.limiter.admit(
            organisation.id, state.clock(), limit=state.rate_limit, window=state.rate_window
        ):
            organisation.counts.refused += 1
            raise RateLimitExceeded
    if request.headers.get("X-Rillet-API-Version") != API_VERSION:
        raise Problem(
            400,
            f"The header X-Rillet-API-Version must be {API_VERSION}; this twin knows no other version",
            kind="unsupported_api_version",
        )
    if key.read_only and request.method not in ("GET", "HEAD"):
        raise Problem(403, "User does not have rights to perform this operation.")
    return organisation


def too_many_requests() -> Response:
    """Build Rillet's 429, which is bare: no body and no header that says when to come back."""
    return Response(status=429)


def _api_key(state: State, request: Request) -> ApiKey:
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        raise Problem(401, "The header Authorization must carry a bearer API key")
    key = state.api_keys.get(authorization.token)
    if key is None or key.revoked:
        raise Problem(401, "The API key is unknown or revoked")
    return key
