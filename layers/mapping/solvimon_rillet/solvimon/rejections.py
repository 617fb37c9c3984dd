"""Solvimon's rejections of requests, as errors typed by what recovers them (dossier 1.5)."""

from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown, RetryLater
from solvimon_rillet.http.failures import RequestRejected

_ALREADY_EXISTS_CODES = {"RESOURCE_ALREADY_EXISTS", "CUSTOM_FIELD_VALUE_ALREADY_EXISTS"}
_RUNNING_RETRY_SECONDS = 2  # delay before a retry while the first request with the same key is in progress


class AlreadyExists(Exception):
    """Solvimon already has a record with this reference or unique custom field value.

    Attributes:
        resource_id: its id, if Solvimon names it.
        message: Solvimon's message.
    """

    def __init__(self, resource_id: str | None, message: str) -> None:
        super().__init__("Solvimon says that it exists already.")
        self.resource_id = resource_id
        self.message = message


class NotFound(Exception):
    """The record to change is no longer in Solvimon."""


def write_error(rejected: RequestRejected) -> Exception:
    """The error of a write that Solvimon rejected."""
    code = str(rejected.problem.get("code") or "")
    if code in _ALREADY_EXISTS_CODES:
        return AlreadyExists(rejected.problem.get("resource_id"), problem_text(rejected))
    if rejected.status == 422:
        return RetryLater(
            "Solvimon is still processing the same request (422).", after=_RUNNING_RETRY_SECONDS
        )
    if code == "IDEMPOTENCY_CHECK_FAILED":
        return OutcomeUnknown("Solvimon has stored this idempotency key for another request.", key_spent=True)
    if is_missing(rejected):
        return NotFound()
    return refused(rejected)


def is_missing(rejected: RequestRejected) -> bool:
    """Whether the record does not exist, by status or code: Solvimon rarely documents a 404 (dossier 1.5)."""
    if rejected.problem.get("field"):  # a record that the body refers to is missing
        return False
    return rejected.status == 404 or str(rejected.problem.get("code")).endswith("_NOT_FOUND")


def problem_text(rejected: RequestRejected) -> str:
    """Solvimon's problem as text for people."""
    problem = rejected.problem
    parts = (problem.get(name) for name in ("code", "field", "message", "resource_id"))
    return ", ".join(str(part) for part in parts if part) or "without a reason"


def refused(rejected: RequestRejected) -> NeedsAttention:
    """The error of a request that Solvimon rejects for its content."""
    return NeedsAttention(
        Code.REFUSED_BY_SOLVIMON,
        f"Solvimon refused it ({rejected.status}).",
        "Correct what Solvimon names, in Rillet or in Solvimon, then import again.",
        quoted=problem_text(rejected),
    )
