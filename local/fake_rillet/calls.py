"""What the Rillet fake keeps of calls: their log without secrets, first answers by key, the rate limit."""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from local.fake_vendor.idempotency import AnswerStore, SavedAnswer

_LOGGED_HEADERS = ("X-Rillet-API-Version", "Idempotency-Key", "Content-Type", "Accept", "User-Agent")
_FORM = "application/x-www-form-urlencoded"
MASK = "***"
_OAUTH_PATHS = ("/oauth2/", "/.well-known/")
_SECRETS = {"client_secret", "code", "code_verifier", "token", "access_token", "refresh_token"}
KEPT_SECONDS = 24 * 60 * 60

Scope = tuple[str, str, str]


@dataclass
class Call:
    """One call, as the fake saw it; OAuth's codes, verifiers, secrets and tokens are replaced by "***".

    Attributes:
        time: Unix seconds of the arrival.
        status: the code that was sent; None while the call runs and when the connection was closed instead.
        idempotency_key: the header, None without it.
        headers: the request headers of interest; never the key, token or client secret.
        request_body: parsed JSON (numbers as Decimal) or form, or the text where it is neither.
        response_body: the answer; when the connection was closed, the one that was lost.
        organisation_id: whose key or token it was; None when it was not accepted or not needed.
        replayed: answered from the idempotency store.
        fault: the kind of the fault that changed the answer.
    """

    time: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    idempotency_key: str | None
    request_body: Any
    status: int | None = None
    response_body: Any = None
    organisation_id: str | None = field(default=None)
    replayed: bool = False
    fault: str | None = None

    @classmethod
    def of(cls, request: Request, now: float) -> "Call":
        """Describe a request that just arrived."""
        query = request.args.to_dict()
        return cls(
            time=now,
            method=request.method,
            path=request.path,
            query=masked(query) if is_oauth(request.path) else query,
            headers={name: request.headers[name] for name in _LOGGED_HEADERS if name in request.headers},
            idempotency_key=request.headers.get("Idempotency-Key") or None,
            request_body=_readable(request.get_data(), request.mimetype, request.path),
        )

    def note(self, response: Response) -> None:
        """Keep what was answered."""
        self.status = response.status_code
        self.response_body = _readable(response.get_data(), response.mimetype or "", self.path)


def _readable(body: bytes, mimetype: str, path: str) -> Any:  # noqa: ANN401 - a JSON value is anything
    if not body:
        return None
    text = body.decode(errors="replace")
    if mimetype == _FORM:
        return masked(dict(parse_qsl(text, keep_blank_values=True)))
    try:
        document = json.loads(body, parse_float=Decimal)
    except ValueError:
        # Half an answer may hold a whole token; the pages for users hold none.
        return MASK if is_oauth(path) and mimetype != "text/html" else text
    return masked(document) if is_oauth(path) else document


def is_oauth(path: str) -> bool:
    """Tell whether a path belongs to the authorization server."""
    return path.startswith(_OAUTH_PATHS)


def masked(value: Any) -> Any:  # noqa: ANN401 - a JSON value is anything
    """Return a JSON value with the secrets in it replaced."""
    if isinstance(value, dict):
        return {name: MASK if name in _SECRETS else masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return value


class RilletAnswers(AnswerStore[Scope]):
    """Answers of POST requests by organisation, path and key.

    Rillet says: POST only, kept 24 hours, the saved response instead of executing. Chosen here where it is
    silent: the body plays no part, refusals (4xx, 5xx) are not kept, and a second call waits for the first.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock, KEPT_SECONDS)

    def keep(self, scope: Scope, response: Response) -> None:
        """Keep the answer of a call that came late, unless another call with the key has been answered."""
        if self.claim(scope) is None:
            answer = SavedAnswer(response.status_code, response.get_data(), response.content_type or "")
            self.end(scope, answer)

    def answer(self, scope: Scope, execute: Callable[[], Response]) -> tuple[Response, bool]:
        """Answer from the store, or execute and keep the answer.

        Args:
            scope: organisation id, path and key.
            execute: makes the answer; called at most once.

        Returns:
            The response and whether it is a replay.
        """
        with self.changed:
            while (entry := self.claim(scope)) is not None:
                if saved := entry.answer:
                    return Response(saved.body, saved.status, content_type=saved.content_type), True
                self.changed.wait()
        answer = None
        try:
            response = execute()
            answer = SavedAnswer(response.status_code, response.get_data(), response.content_type or "")
        finally:
            self.end(scope, answer)
        return response, False


class RateLimiter:
    """A sliding log of accepted calls.

    Rillet documents 60 requests in a rolling 60 s. That a refused call takes no place in the window is
    this fake's choice.
    """

    def __init__(self) -> None:
        self._accepted: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def admit(self, organisation_id: str, now: float, *, limit: int, window: float) -> bool:
        """Take a place in the window if there is one.

        Args:
            organisation_id: whose budget.
            now: Unix seconds.
            limit: calls per window.
            window: seconds.
        """
        with self._lock:
            accepted = self._accepted.setdefault(organisation_id, deque())
            while accepted and accepted[0] <= now - window:
                accepted.popleft()
            if len(accepted) >= limit:
                return False
            accepted.append(now)
            return True

    def clear(self) -> None:
        """Remove all calls."""
        with self._lock:
            self._accepted.clear()
