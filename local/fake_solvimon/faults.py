"""Misbehaviours on request: what a caller meets when the network or the vendor has a bad day."""

import json
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal, get_args

from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

from local.fake_solvimon.errors import ApiProblem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from local.fake_solvimon.state import State

Kind = Literal["commit_then_drop", "drop", "status", "status_after", "delay", "malformed", "down"]


@dataclass
class Misbehaviour:
    """One rule; `times` None lasts until `behave`."""

    kind: Kind
    method: str
    path: str
    times: int | None
    options: dict[str, Any]
    released: threading.Event = field(default_factory=threading.Event)

    def meets(self, method: str, path: str) -> bool:
        """Tell whether a request falls under the rule: the path begins with the pattern, `/v1` or not."""
        if self.kind == "down":
            return True
        pattern = self.path + "*"
        return self.method in ("*", method) and (
            fnmatchcase(path, pattern) or fnmatchcase(path.removeprefix("/v1"), pattern)
        )

    def count(self, step: int) -> None:
        """Move the number of times that are left."""
        if self.times is not None:
            self.times += step


class Misbehaviours:
    """The rules in force, oldest first."""

    def __init__(self) -> None:
        self._rules: list[Misbehaviour] = []
        self._lock = threading.Lock()

    def add(self, kind: Kind, method: str, path: str, times: int | None, options: dict[str, Any]) -> None:
        """Add a rule.

        Raises:
            ValueError: There is no such kind.
        """
        if kind not in get_args(Kind):
            raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}")
        with self._lock:
            self._rules.append(Misbehaviour(kind, method.upper(), path, times, options))

    def clear(self) -> None:
        """Drop all rules and let delayed requests go on."""
        with self._lock:
            for rule in self._rules:
                rule.released.set()
            self._rules.clear()

    def take(self, method: str, path: str) -> Misbehaviour | None:
        """Return the rule for this request and count it."""
        with self._lock:
            for rule in self._rules:
                if rule.meets(method, path) and rule.times != 0:
                    rule.count(-1)
                    return rule
        return None

    def give_back(self, rule: Misbehaviour) -> None:
        """Uncount a rule that had nothing to spoil."""
        with self._lock:
            rule.count(+1)


@dataclass
class _Reply:
    status: str
    headers: Headers
    body: bytes


class Gate:
    """The WSGI layer in front of the API: writes the call log and misbehaves."""

    def __init__(self, app: "WSGIApplication", state: "State") -> None:
        self._app = app
        self._state = state

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path.startswith("/_fake/"):
            return self._app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        call = self._state.calls.begin(environ, body)
        rule = self._state.faults.take(method, path)
        reply = self._misbehave(rule, environ) if rule else self._run(environ)
        if reply is None:
            _hang_up(environ)
            raise ConnectionAbortedError("told to hang up")
        call.status = int(reply.status.split(" ", 1)[0])
        start_response(reply.status, reply.headers.to_wsgi_list())
        return [reply.body]

    def _run(self, environ: "WSGIEnvironment") -> _Reply:
        chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        return _Reply(status, headers, b"".join(chunks))

    def _misbehave(self, rule: Misbehaviour, environ: "WSGIEnvironment") -> _Reply | None:
        """Return the answer a rule leads to, None for no answer at all."""
        match rule.kind:
            case "drop":
                return None
            case "down":
                return _answer(rule, 503)
            case "status":
                return _answer(rule, 500)
            case "delay":
                rule.released.wait(float(rule.options.get("seconds", 1.0)))
                return self._run(environ)
            case "commit_then_drop" | "status_after" | "malformed":
                reply = self._run(environ)
                if int(reply.status.split(" ", 1)[0]) >= 400:
                    self._state.faults.give_back(rule)
                    return reply
                return _spoiled(rule, reply)


def _spoiled(rule: Misbehaviour, reply: _Reply) -> _Reply | None:
    if rule.kind == "commit_then_drop":
        return None
    if rule.kind == "status_after":
        return _answer(rule, 500)
    given = rule.options.get("body")
    reply.body = reply.body[: len(reply.body) // 2] if given is None else str(given).encode()
    reply.headers["Content-Length"] = str(len(reply.body))
    return reply


def _answer(rule: Misbehaviour, default_status: int) -> _Reply:
    status = int(rule.options.get("status", default_status))
    problem = ApiProblem(
        status,
        str(rule.options.get("code", "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST")),
        str(rule.options.get("message", "told to misbehave")),
    )
    given = rule.options.get("body")
    body = json.dumps(problem.document()).encode() if given is None else str(given).encode()
    headers = Headers({"Content-Type": "application/json", "X-REQUEST-ID": "reqr_misbehaving"})
    headers.update(rule.options.get("headers", {}))
    headers["Content-Length"] = str(len(body))
    return _Reply(f"{status} MISBEHAVED", headers, body)


def _hang_up(environ: "WSGIEnvironment") -> None:
    """Close the connection without an answer, as a network that breaks does."""
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
