"""What happens to a call before and after the API: call log, faults, access, idempotency."""

import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from local.fake_rillet.access import Caller, RateLimitExceeded, admit, too_many_requests
from local.fake_rillet.calls import Call
from local.fake_rillet.oauth.redaction import is_oauth
from local.fake_rillet.problems import Problem
from local.fake_rillet.state import State
from local.fake_vendor.faults import Fault, hang_up

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CALLER = "fake_rillet.caller"
_OPEN_PATHS = ("/health",)
INSTEAD_OF_EXECUTING = ("down", "drop", "status")
LATE = ("late",)
BEFORE_EXECUTING = ("delay", "act")
AFTER_EXECUTING = ("commit_then_drop", "status_after", "malformed")


class CallMiddleware:
    """WSGI middleware around the API.

    A call is logged; may meet a fault instead of being executed; is admitted; is answered from the
    idempotency store or executed, at once or late; and may meet a fault on its answer. The authorization
    server checks its own callers and is not rate limited.
    """

    def __init__(self, application: "WSGIApplication", state: State) -> None:
        self._application = application
        self._state = state

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one call."""
        request = Request(environ)
        self._state.late_calls.carry_out_due()
        call = Call.of(request, self._state.clock())
        self._state.calls.append(call)
        response = self._fail(request, call)
        if response is None:
            response = self._spoil(request, self._answer(request, call), call)
        call.note(response)
        return response(environ, start_response)

    def _take(self, request: Request, call: Call, kinds: tuple[str, ...]) -> Fault | None:
        fault = self._state.faults.take(request.method, request.path, kinds)
        if fault is not None:
            call.fault = fault.kind
        return fault

    def _fail(self, request: Request, call: Call) -> Response | None:
        """Return the answer of a fault that comes instead of executing the call."""
        fault = self._take(request, call, INSTEAD_OF_EXECUTING)
        if fault is None:
            return None
        if fault.kind == "drop":
            hang_up(request.environ, fault)
        return _answer_of(fault, 503 if fault.kind == "down" else fault.options.get("status", 500))

    def _answer(self, request: Request, call: Call) -> Response:
        if request.path in _OPEN_PATHS or is_oauth(request.path):
            self._put_off(request, call, lambda: self._pass_on(request, None))
            self._delay(request, call)
            return self._pass_on(request, None)
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

    def _put_off(self, request: Request, call: Call, execute: Callable[[], Response]) -> None:
        """Close the connection now, and execute the call later, if a fault says so."""
        fault = self._take(request, call, LATE)
        if fault is None:
            return

        def execute_late() -> None:
            call.note(execute())
            call.status = None  # nobody got the answer

        self._state.late_calls.put(fault.seconds(), execute_late)
        hang_up(request.environ, fault)

    def _execute(self, request: Request, caller: Caller, call: Call) -> Response:
        self._delay(request, call)
        with caller.organisation.lock:
            return self._pass_on(request, caller)

    def _delay(self, request: Request, call: Call) -> None:
        fault = self._take(request, call, BEFORE_EXECUTING)
        if fault is not None and fault.kind == "act":
            fault.options["do"]()
        elif fault is not None:
            fault.delay()

    def _pass_on(self, request: Request, caller: Caller | None) -> Response:
        environ = request.environ | {CALLER: caller, "wsgi.input": BytesIO(request.get_data())}
        return Response.from_app(self._application, environ, buffered=True)

    def _spoil(self, request: Request, response: Response, call: Call) -> Response:
        """Return the answer of an executed call, changed if a fault is due and the call succeeded."""
        if response.status_code >= 300:
            return response
        fault = self._take(request, call, AFTER_EXECUTING)
        if fault is None:
            return response
        if fault.kind == "status_after":
            return _answer_of(fault, fault.options.get("status", 500))
        if fault.kind == "malformed":
            body = response.get_data()
            return Response(body[: len(body) // 2] or b"{", 200, mimetype="application/json")
        call.note(response)
        call.status = None
        hang_up(request.environ, fault)


def _answer_of(fault: Fault, status: int) -> Response:
    """Build an answer: JSON of data, a text as HTML, and a problem document by default."""
    body = fault.options.get("body")
    if body is None:
        return too_many_requests() if status == 429 else Problem(status).response()
    if isinstance(body, str):
        return Response(body, status, mimetype="text/html")
    return Response(json.dumps(body), status, mimetype="application/json")
