"""HTTP requests to a vendor: time-outs, rate limit, credentials that are renewed, answers without floats."""

import logging
import re
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Protocol

import requests
import simplejson

from solvimon_rillet.errors import ConnectionBroken, OutcomeUnknown, RetryLater
from solvimon_rillet.http.deadline import RequestBody, check_deadline
from solvimon_rillet.http.failures import CALL_FAILURES, check_answer, error_of_call, has_died
from solvimon_rillet.http.vendor_json import parse_json

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 3.05
READ_SECONDS = 20
_LOGGED = re.compile(r"[A-Za-z0-9_-]{1,100}")

Params = Mapping[str, str | int | list[str]]


class RateLimiter(Protocol):
    """Limits the calls to a vendor's rate."""

    def acquire(self) -> None:
        """Wait until a call may be sent, or raise ``RetryLater``."""

    def on_throttled(self) -> float:
        """Record a 429 answer, and return the seconds to wait."""


class CountingRateLimiter:
    """A rate limiter that counts the calls that pass it.

    Args:
        rate_limiter: limits the calls.
    """

    def __init__(self, rate_limiter: RateLimiter) -> None:
        self._rate_limiter = rate_limiter
        self.calls = 0

    def acquire(self) -> None:
        """Wait until a call may be sent, and count it."""
        self._rate_limiter.acquire()
        self.calls += 1

    def on_throttled(self) -> float:
        """Record a 429 answer, and return the seconds to wait."""
        return self._rate_limiter.on_throttled()


class Http:
    """Requests to one vendor.

    Args:
        vendor: its name, for messages.
        base_url: address before the path.
        headers: returns the headers of a request, credentials included; called for each request.
        http: the session.
        request_id: name of the response header with the vendor's request id, for the log.
        rate_limiter: limits the calls; ``None`` for a vendor without a limit.
        renew: gets a new credential after a 401, given the rejected headers. If it returns ``True``, the call
            is sent once more.
        before_write: checks the headers of a write before it is sent; what it raises, the write raises.
        on_result: is given the result of each call: whether the vendor answered (below 500), and whether the
            call timed out.
        after_write: is given a write's path, whether the vendor let the credential write, what was sent and
            the answer.
    """

    def __init__(
        self,
        vendor: str,
        base_url: str,
        headers: Callable[[], Mapping[str, str]],
        http: requests.Session,
        request_id: str = "",
        rate_limiter: RateLimiter | None = None,
        renew: Callable[[Mapping[str, str]], bool] | None = None,
        before_write: Callable[[Mapping[str, str]], None] = lambda _headers: None,
        on_result: Callable[[bool, bool], None] = lambda _answered, _timed_out: None,
        after_write: Callable[[str, bool, object, object], None] = lambda *_: None,
    ) -> None:
        self._vendor = vendor
        self._base_url = base_url
        self._headers = headers
        self._http = http
        self._request_id = request_id
        self._rate_limiter = rate_limiter
        self._on_throttled = rate_limiter.on_throttled if rate_limiter else None
        self._renew = renew
        self._before_write = before_write
        self._on_result = on_result
        self._after_write = after_write

    def get(self, path: str, params: Params | None = None) -> Any:  # noqa: ANN401
        """Read. JSON numbers come as ``Decimal``.

        Raises:
            RetryLater: no answer, a 5xx, or a 429.
            ConnectionBroken: the credential is invalid (401) or lacks a permission (403).
            RequestRejected: another 4xx.
        """
        try:
            response = self._request("GET", path, params=params)
            check_answer(self._vendor, response, self._on_throttled)
            return self._json(response)
        except OutcomeUnknown as error:
            raise RetryLater(str(error), after=error.after) from error

    def post(self, path: str, body: object, idempotency_key: str) -> Any:  # noqa: ANN401
        """Send a write once. The caller decides about a retry, with the same key.

        Args:
            path: below the base URL.
            body: sent as JSON; ``None`` sends no body.
            idempotency_key: an empty one is not sent.

        Raises:
            RetryLater: the request was not sent, or the rate limit rejected it (429).
            OutcomeUnknown: it was sent, and whether it took effect is unknown.
            ConnectionBroken: the credential is invalid (401) or lacks a permission (403).
            RequestRejected: another 4xx.
        """
        return self._write("POST", path, body, idempotency_key)

    def put(self, path: str, body: object, *, may_be_empty: bool = False) -> Any:  # noqa: ANN401
        """Replace a record by the body; raises as ``post``. Sent once, although a repetition is harmless.

        Args:
            path: below the base URL.
            body: sent as JSON.
            may_be_empty: the operation's success has no body; ``None`` is returned for it.
        """
        return self._write("PUT", path, body, may_be_empty=may_be_empty)

    def patch(self, path: str, body: object) -> Any:  # noqa: ANN401
        """Change the fields of a record that the body names; raises as ``put``."""
        return self._write("PATCH", path, body)

    def _write(
        self,
        method: str,
        path: str,
        body: object,
        idempotency_key: str = "",
        *,
        may_be_empty: bool = False,
    ) -> Any:  # noqa: ANN401
        response = self._request(method, path, body=body, idempotency_key=idempotency_key)
        if response.status_code == 403:
            self._after_write(path, False, body, None)
        check_answer(self._vendor, response, self._on_throttled)
        answer = None if may_be_empty and not response.content else self._json(response)
        self._after_write(path, True, body, answer)
        return answer

    def _request(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        body: object = None,
        idempotency_key: str = "",
    ) -> requests.Response:
        extra_headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        data = None
        if body is not None:
            extra_headers["Content-Type"] = "application/json"
            data = simplejson.dumps(body, use_decimal=True).encode()
        headers = self._checked_headers(method)
        response = self._send(method, path, params, data, {**headers, **extra_headers})
        if response.status_code == 401 and self._renew and self._renew(headers):
            renewed = self._checked_headers(method)
            response = self._send(method, path, params, data, {**renewed, **extra_headers})
        return response

    def _checked_headers(self, method: str) -> Mapping[str, str]:
        """The headers of a request; those of a write are checked, a renewed credential too."""
        headers = self._headers()
        if method != "GET":
            self._before_write(headers)
        return headers

    def _send(
        self,
        method: str,
        path: str,
        params: Params | None,
        data: bytes | None,
        headers: Mapping[str, str],
        *,
        may_repeat: bool = True,
    ) -> requests.Response:
        _check_headers(self._vendor, headers)
        if self._rate_limiter:
            self._rate_limiter.acquire()
        if method != "GET":
            check_deadline(self._vendor)
        started = monotonic()
        try:
            response = self._http.request(
                method,
                self._base_url + path,
                params=params,
                data=RequestBody(data, self._vendor) if data else None,
                headers=headers,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
        except CALL_FAILURES as error:
            self._log_failure(method, path, error)
            if may_repeat and method == "GET" and has_died(error):
                return self._send(method, path, params, data, headers, may_repeat=False)
            self._on_result(False, isinstance(error, requests.Timeout))
            raise error_of_call(self._vendor, error) from error
        self._on_result(response.status_code < 500, False)
        self._log(method, path, response, monotonic() - started)
        return response

    def _log_failure(self, method: str, path: str, error: Exception) -> None:
        logger.warning(
            "call failed",
            extra={
                "vendor": self._vendor,
                "method": method,
                "path": _logged_path(path),
                "failure": type(error).__name__,
            },
        )

    def _log(self, method: str, path: str, response: requests.Response, seconds: float) -> None:
        fields: dict[str, object] = {
            "vendor": self._vendor,
            "method": method,
            "path": _logged_path(path),
            "status": response.status_code,
            "milliseconds": round(seconds * 1000),
        }
        if self._request_id:
            request_id = response.headers.get(self._request_id, "")
            fields["vendor_request_id"] = request_id if _LOGGED.fullmatch(request_id) else ""
        logger.info("call", extra=fields)

    def _json(self, response: requests.Response) -> Any:  # noqa: ANN401
        if response.status_code == 204:
            return None
        try:
            return parse_json(response.content)
        except ValueError:
            raise OutcomeUnknown(
                f"{self._vendor} answered {response.status_code} with unreadable JSON.", over=True
            ) from None


def is_header_value(value: str) -> bool:
    """Whether a value can be sent in a header: printable ASCII without blanks around it."""
    return value.isascii() and value.isprintable() and value == value.strip()


def _logged_path(path: str) -> str:
    """A path without its query, and without what may be a name and not an id."""
    return "/".join(
        part if _LOGGED.fullmatch(part) or not part else "{…}" for part in path.partition("?")[0].split("/")
    )


def _check_headers(vendor: str, headers: Mapping[str, str]) -> None:
    """Refuse a header that cannot be sent, before anything is; the message does not quote its value.

    Raises:
        ConnectionBroken: a value has a character that HTTP does not allow in headers.
    """
    for name, value in headers.items():
        if not is_header_value(value):
            raise ConnectionBroken(
                f"Nothing was sent to {vendor}: the value of the header {name} has a character that HTTP "
                "does not allow. Correct the credential in the secret, or the setting behind it; the "
                "documents wait."
            )
