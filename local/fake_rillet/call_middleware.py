"""What happens to a call before and after the API: call log, faults, access, idempotency."""

import json
from dataclasses import dataclass

from werkzeug.wrappers import Request, Response

from local.fake_rillet.calls import Call, is_oauth
from local.fake_rillet.organisation import Organisation
from local.fake_rillet.problems import Problem
from local.fake_rillet.state import State
from local.fake_vendor.fault_middleware import FaultMiddleware
from local.fake_vendor.faults import Fault

API_VERSION = "4"


READ = frozenset({"read"})
READ_AND_WRITE = frozenset({"read", "write"})
CALLER = "fake_rillet.caller"
_OPEN_PATHS = ("/health",)


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


class CallMiddleware(FaultMiddleware[Call, State]):
    """WSGI middleware around the API.

    A call that meets no fault is admitted, and answered from the idempotency store or executed, at once or
    late. The authorization server checks its own callers and is not rate limited.
    """

    def _begin(self, request: Request) -> Call:
        call = Call.of(request, self._state.clock())
        self._state.calls.append(call)
        return call

    def _answer(self, request: Request, call: Call) -> Response:
        if request.path in _OPEN_PATHS or is_oauth(request.path):
            return super()._answer(request, call)
        try:
            caller = admit(self._state, request)
        except Problem as problem:
            return problem.response()
        except RateLimitExceeded:
            return too_many_requests()
        organisation = caller.organisation
        call.organisation_id = organisation.id
        if request.method != "POST" or call.idempotency_key is None:
            self._put_off(request, call, lambda: self._execute(request, caller, call))
            return self._execute(request, caller, call)
        scope = (organisation.id, request.path, call.idempotency_key)
        answers = self._state.idempotency

        def execute_late() -> Response:
            if organisation.switches.late_keys == "execution":
                return answers.answer(scope, lambda: self._execute(request, caller, call))[0]
            answers.keep(scope, response := self._execute(request, caller, call))
            return response

        if not answers.is_answered(scope):
            self._put_off(request, call, execute_late)
        response, call.replayed = answers.answer(scope, lambda: self._execute(request, caller, call))
        if call.replayed:
            self._state.count_replay(organisation)
        return response

    def _execute(self, request: Request, caller: Caller, call: Call) -> Response:
        self._delay(request, call)
        with caller.organisation.lock:
            return self._pass_on(request, **{CALLER: caller})

    def _error(self, fault: Fault, status: int) -> Response:
        """Build an answer: JSON of data, a text as HTML, and a problem document by default."""
        body = fault.options.get("body")
        if body is None:
            return too_many_requests() if status == 429 else Problem(status).response()
        if isinstance(body, str):
            return Response(body, status, mimetype="text/html")
        return Response(json.dumps(body), status, mimetype="application/json")
