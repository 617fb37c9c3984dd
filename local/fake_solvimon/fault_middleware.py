"""The WSGI layer in front of the Solvimon fake's API: writes the call log and applies the faults in force."""

import json
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from local.fake_solvimon.calls import Call
from local.fake_solvimon.errors import ApiProblem
from local.fake_solvimon.state import State
from local.fake_vendor.fault_middleware import FaultMiddleware
from local.fake_vendor.faults import Fault

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class SolvimonFaults(FaultMiddleware[Call]):
    """WSGI middleware around the API."""

    def __init__(self, application: "WSGIApplication", state: State) -> None:
        super().__init__(application, state)
        self._state = state

    def _begin(self, request: Request) -> Call:
        return self._state.calls.begin(request)

    def _error(self, fault: Fault, status: int) -> Response:
        options = fault.options
        code = options.get("code", "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST")
        problem = ApiProblem(status, str(code), str(options.get("message", "told to misbehave")))
        given = options.get("body")
        body = json.dumps(problem.document()) if given is None else str(given)
        headers = {"X-REQUEST-ID": "reqr_misbehaving", **options.get("headers", {})}
        return Response(body, status, headers, content_type="application/json")
