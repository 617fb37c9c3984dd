"""The door of the fake: what happens to a call before and after the API itself."""

import json
import socket
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from local.fake_rillet.access import Caller, RateLimitExceeded, admit, too_many_requests
from local.fake_rillet.calls import Call
from local.fake_rillet.faults import AT_THE_DOOR, ON_THE_WAY_IN, ON_THE_WAY_OUT, Misbehaviour
from local.fake_rillet.oauth.redaction import is_oauth
from local.fake_rillet.problems import Problem
from local.fake_rillet.state import State

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ADMIN_PREFIX = "/_fake/"
CALLER = "fake_rillet.caller"
_OPEN_PATHS = ("/health",)


class Gateway:
    """WSGI middleware around the API.

    A call is logged; may meet a misbehaviour at the door; is admitted; is answered from the idempotency
    store or executed; and may meet a misbehaviour on the way out. The authorization server checks its own
    callers and is not rate limited. The admin API passes untouched.
    """

    def __init__(self, application: "WSGIApplication", state: State) -> None:
        self._application = application
        self._state = state

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one call."""
        request = Request(environ)
        if request.path.startswith(ADMIN_PREFIX):
            return self._application(environ, start_response)
        call = Call.of(request, self._state.clock())
        self._state.calls.append(call)
        response = self._misbehaving_at_the_door(request, call)
        if response is None:
            response = self._behaving(request, call)
            response = self._misbehaving_on_the_way_out(request, response, call)
        call.note(response)
        return response(environ, start_response)

    def _misbehaving_at_the_door(self, request: Request, call: Call) -> Response | None:
        misbehaviour = self._state.misbehaviours.take(AT_THE_DOOR, request.method, request.path)
        if misbehaviour is None:
            return None
        call.misbehaviour = misbehaviour.kind
        if misbehaviour.kind == "drop":
            _close_connection(request)
        return _ordered_answer(misbehaviour, 503 if misbehaviour.kind == "down" else misbehaviour.status)

    def _behaving(self, request: Request, call: Call) -> Response:
        if request.path in _OPEN_PATHS or is_oauth(request.path):
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
            return self._execute(request, caller, call)
        response, call.replayed = self._state.idempotency.answer(
            (organisation.id, request.path, call.idempotency_key),
            lambda: self._execute(request, caller, call),
        )
        if call.replayed:
            self._state.count_replay(organisation)
        return response

    def _execute(self, request: Request, caller: Caller, call: Call) -> Response:
        self._delay(request, call)
        with caller.organisation.lock:
            return self._pass_on(request, caller)

    def _delay(self, request: Request, call: Call) -> None:
        delay = self._state.misbehaviours.take(ON_THE_WAY_IN, request.method, request.path)
        if delay is not None:
            call.misbehaviour = delay.kind
            self._state.misbehaviours.pause(delay.seconds)

    def _pass_on(self, request: Request, caller: Caller | None) -> Response:
        environ = request.environ | {CALLER: caller, "wsgi.input": BytesIO(request.get_data())}
        return Response.from_app(self._application, environ, buffered=True)

    def _misbehaving_on_the_way_out(self, request: Request, response: Response, call: Call) -> Response:
        if response.status_code >= 300:
            return response
        misbehaviour = self._state.misbehaviours.take(ON_THE_WAY_OUT, request.method, request.path)
        if misbehaviour is None:
            return response
        call.misbehaviour = misbehaviour.kind
        if misbehaviour.kind == "status_after":
            return _ordered_answer(misbehaviour, misbehaviour.status)
        if misbehaviour.kind == "malformed":
            body = response.get_data()
            return Response(body[: len(body) // 2] or b"{", 200, mimetype="application/json")
        call.note(response)
        call.status = None
        _close_connection(request)
        return response


def _ordered_answer(misbehaviour: Misbehaviour, status: int) -> Response:
    if misbehaviour.body is None:
        return too_many_requests() if status == 429 else Problem(status).response()
    if isinstance(misbehaviour.body, str):
        return Response(misbehaviour.body, status, mimetype="text/html")
    return Response(json.dumps(misbehaviour.body), status, mimetype="application/json")


def _close_connection(request: Request) -> None:
    """Hang up without an answer; werkzeug keeps quiet about this exception.

    Raises:
        ConnectionAbortedError: always.
    """
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError
