"""Who may call: bearer key or token, rate limit, API version and rights, in this order."""

from dataclasses import dataclass

from werkzeug.wrappers import Request, Response

from local.fake_rillet.organisation import Organisation
from local.fake_rillet.problems import Problem
from local.fake_rillet.state import State

API_VERSION = "4"


READ = frozenset({"read"})
READ_AND_WRITE = frozenset({"read", "write"})


@dataclass(frozen=True)
class Caller:
    """On whose behalf a call is made, by API key or by OAuth access token."""

    organisation: Organisation
    rights: frozenset[str]


class RateLimitExceeded(Exception):
    """The organisation has no place left in the rolling window, which its keys and tokens share."""


def admit(state: State, request: Request) -> Caller:
    """Let a call in.

    Raises:
        Problem: 401 without a valid key or token; 400 without API version 4; 403 without the right to read
            or write.
        RateLimitExceeded: too many calls.
    """
    caller = _caller(state, request)
    organisation = caller.organisation
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
            f"The header X-Rillet-API-Version must be {API_VERSION}; this fake knows no other version",
            kind="unsupported_api_version",
        )
    if ("read" if request.method in ("GET", "HEAD") else "write") not in caller.rights:
        raise Problem(403, "User does not have rights to perform this operation.")
    return caller


def too_many_requests() -> Response:
    """Build Rillet's 429, which is bare: no body and no header that says when to come back."""
    return Response(status=429)


def _caller(state: State, request: Request) -> Caller:
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        raise Problem(401, "The header Authorization must carry a bearer API key or access token")
    key = state.api_keys.get(authorization.token)
    if key is not None and not key.revoked:
        rights = READ if key.read_only else READ_AND_WRITE
        return Caller(state.organisations[key.organisation_id], rights)
    token = state.oauth.access_token(authorization.token)
    if token is not None:
        return Caller(state.organisations[token.grant.organisation_id], frozenset(token.scope))
    raise Problem(401, "The API key or access token is unknown, expired or revoked")
