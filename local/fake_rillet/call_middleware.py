"""What happens to a call before and after the API: call log, faults, access, idempotency."""

import json
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from local.fake_rillet.access import Caller, RateLimitExceeded, admit, too_many_requests
from local.fake_rillet.calls import Call
from local.fake_rillet.oauth.redaction import is_oauth
from local.fake_rillet.problems import Problem
from local.fake_rillet.state import State
from local.fake_vendor.fault_middleware import FaultMiddleware
from local.fake_vendor.faults import Fault

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CALLER = "fake_rillet.caller"
_OPEN_PATHS = ("/health",)


class CallMiddleware(FaultMiddleware[Call]):
    """WSGI middleware around the API.

    A call that meets no fault is admitted, and answered from the idempotency store or executed, at once or
    late. The authorization server checks its own callers and is not rate limited.
    """

    def __init__(self, application: "WSGIApplication", state: State) -> None:
        super().__init__(application, state)
        self._state = state

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
