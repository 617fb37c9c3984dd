"""The WSGI layer in front of the Solvimon fake's API: writes the call log and applies the faults in force."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

from local.fake_solvimon.errors import ApiProblem
from local.fake_solvimon.state import State
from local.fake_vendor.faults import CALL_KINDS, Fault, hang_up

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass
class _Reply:
    status: str
    headers: Headers
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status.split(" ", 1)[0])


class FaultMiddleware:
    """WSGI middleware around the API."""

    def __init__(self, application: "WSGIApplication", state: State) -> None:
        self._application = application
        self._state = state

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        self._state.late_calls.carry_out_due()
        call = self._state.calls.begin(environ, body)
        fault = self._state.faults.take(method, path, CALL_KINDS)
        if fault is None:
            reply = self._run(environ)
        else:
            faulty = self._faulty(fault, environ)
            if faulty is None:
                hang_up(environ, fault)
            reply = faulty
        call.status = reply.code
        start_response(reply.status, reply.headers.to_wsgi_list())
        return [reply.body]

    def _run(self, environ: "WSGIEnvironment") -> _Reply:
        chunks, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        return _Reply(status, headers, b"".join(chunks))

    def _faulty(self, fault: Fault | None, environ: "WSGIEnvironment") -> _Reply | None:
        """Return the answer a fault leads to, None for no answer at all."""
        if fault is None:
            return self._run(environ)
        match fault.kind:
            case "drop":
                return None
            case "late":
                self._state.late_calls.put(fault.seconds(), lambda: self._run(environ))
                return None
            case "down":
                return _answer(fault, 503)
            case "status":
                return _answer(fault, 500)
            case "delay":
                fault.delay(default=1.0)
                return self._run(environ)
            case "act":
                fault.options["do"]()
                return self._run(environ)
        reply = self._run(environ)
        if reply.code >= 400:
            self._state.faults.give_back(fault)
            return reply
        return _spoiled(fault, reply)


def _spoiled(fault: Fault, reply: _Reply) -> _Reply | None:
    if fault.kind == "commit_then_drop":
        return None
    if fault.kind == "status_after":
        return _answer(fault, 500)
    given = fault.options.get("body")
    reply.body = reply.body[: len(reply.body) // 2] if given is None else str(given).encode()
    reply.headers["Content-Length"] = str(len(reply.body))
    return reply


def _answer(fault: Fault, default_status: int) -> _Reply:
    status = int(fault.options.get("status", default_status))
    problem = ApiProblem(
        status,
        str(fault.options.get("code", "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST")),
        str(fault.options.get("message", "told to misbehave")),
    )
    given = fault.options.get("body")
    body = json.dumps(problem.document()).encode() if given is None else str(given).encode()
    headers = Headers({"Content-Type": "application/json", "X-REQUEST-ID": "reqr_misbehaving"})
    headers.update(fault.options.get("headers", {}))
    headers["Content-Length"] = str(len(body))
    return _Reply(f"{status} MISBEHAVED", headers, body)
