"""A vendor's failures, typed by what recovers them: try again, look first, fix the credential, or never."""

from collections.abc import Callable, Mapping
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError

from solvimon_rillet.errors import ConnectionBroken, OutcomeUnknown, RetryLater
from solvimon_rillet.http.vendor_json import parse_json

_ENDED_STATUSES = (500, 501)
"""The application's own failures; after those of a gateway (502, 503, 504), the application may go on."""
_NEVER_SENT = (ConnectTimeoutError, NewConnectionError)
CALL_FAILURES = (requests.RequestException, HTTPError, ValueError)
"""Errors of a call: requests lets through some of urllib3, and ValueErrors about an answer's headers."""


class RequestRejected(Exception):
    """A 4xx answer of a vendor: the same request will never succeed.

    Attributes:
        status: HTTP status.
        problem: the answer's JSON object, or an empty one.
    """

    def __init__(self, vendor: str, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{vendor} answered {status}")
        self.vendor = vendor
        self.status = status
        self.problem = problem


def error_of_call(vendor: str, error: Exception) -> Exception:
    """The error of a call without an answer: nothing was sent, or the outcome is unknown."""
    if was_never_sent(error):
        return RetryLater(f"{vendor} cannot be reached.")
    return OutcomeUnknown(f"{vendor} did not answer ({type(error).__name__}).")


def check_answer(
    vendor: str, response: requests.Response, on_throttled: Callable[[], float] | None = None
) -> None:
    """Raise for an answer that is no success.

    Args:
        vendor: its name, for messages.
        response: the answer.
        on_throttled: records a 429 answer, and returns the seconds to wait; else the answer names them.

    Raises:
        RetryLater: a 429.
        ConnectionBroken: the credential is invalid (401) or lacks a permission (403).
        OutcomeUnknown: a 5xx, a redirect, or a time-out of the vendor's (408, 425).
        RequestRejected: another 4xx.
    """
    status = response.status_code
    if status < 300:
        return
    if status == 429:
        after = on_throttled() if on_throttled else retry_after(response)
        raise RetryLater(f"{vendor} asks to slow down (429).", after=after)
    if status in {401, 403}:
        raise ConnectionBroken(_credential_problem(vendor, status))
    if status >= 500 or status in {408, 425} or status < 400:
        raise OutcomeUnknown(
            f"{vendor} answered {status}.", key_spent=_key_spent(response), over=status in _ENDED_STATUSES
        )
    raise RequestRejected(vendor, status, _problem_document(response))


def retry_after(response: requests.Response) -> int:
    """The delay in seconds that a 429 names, at most 15 minutes; a minute if it names none."""
    stated = response.headers.get("Retry-After", "")
    return min(int(stated[:9]), 900) if stated.isascii() and stated.isdigit() else 61


def was_never_sent(error: Exception) -> bool:
    """Whether a call failed before its request left: no connection was made."""
    return isinstance(_reason(error), _NEVER_SENT)


def has_died(error: Exception) -> bool:
    """Whether the connection ended without an answer, as one that Lambda kept while it was frozen."""
    reason = _reason(error)
    return isinstance(reason, ProtocolError) and isinstance(reason.args[-1], ConnectionError)


def _reason(error: Exception) -> object:
    """The error of urllib3 behind one of requests."""
    cause = error.args[0] if error.args else None
    return getattr(cause, "reason", cause)


def _key_spent(response: requests.Response) -> bool:
    """Whether the idempotency key will keep answering this failure.

    Solvimon documents this for a 500 without ``Idempotency-Retryable`` (idempotency).
    """
    return response.status_code == 500 and response.headers.get("Idempotency-Retryable") != "true"


def _problem_document(response: requests.Response) -> Mapping[str, Any]:
    try:
        problem = parse_json(response.content)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _credential_problem(vendor: str, status: int) -> str:
    cause = "refuses the credential (401)" if status == 401 else "says the credential may not do this (403)"
    return (
        f"{vendor} {cause}. Put a valid one with write access into the connection's secret; "
        "the documents wait."
    )
