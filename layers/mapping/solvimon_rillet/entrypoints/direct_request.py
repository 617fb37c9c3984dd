"""Answer a direct invocation: the result, or an error with a remedy."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from solvimon_rillet.errors import NeedsAttention, Recoverable
from solvimon_rillet.invalid_values import problems_in_words
from solvimon_rillet.ledger.actor import UNKNOWN_ACTOR, RequestedBy, acting_for, actor_name

Request = TypeVar("Request", bound=RequestedBy)

INVOKE_AGAIN = "Fix the cause, if the error names one, and invoke the function again."


def answer_direct_request(
    event: Mapping[str, Any],
    model: type[Request],
    answer: Callable[[Request], dict[str, Any]],
    examples: Mapping[str, Any],
    remedy: Callable[[Recoverable], str] = lambda _error: INVOKE_AGAIN,
    context: Any = None,  # noqa: ANN401
) -> dict[str, Any]:
    """Validate a request and answer it; an expected error becomes an answer with a remedy.

    Args:
        event: the request.
        model: its form.
        answer: the work.
        examples: shown beside the problems of an invalid request.
        remedy: the remedy for an error that time or a corrected connection may fix.
        context: Lambda's; it may know who asks.
    """
    try:
        request = model.model_validate(with_actor(event, context))
    except ValidationError as error:
        return {"error": problems_in_words(error, model, whole="event"), **examples}
    try:
        with acting_for(request.by):
            return answer(request)
    except NeedsAttention as error:
        return {"error": error.message, "remedy": error.remedy}
    except Recoverable as error:
        return {"error": error.message, "remedy": remedy(error)}


def with_actor(event: Any, context: Any) -> Any:  # noqa: ANN401
    """The event with who asks: as it says itself, else the caller's identity where Lambda gives one."""
    if not isinstance(event, Mapping) or event.get("by") not in (None, ""):
        return event
    return {**event, "by": caller_of(context)}


def caller_of(context: Any) -> str:  # noqa: ANN401
    """The caller's name: ``by`` in the client context, or an identity of Cognito; else ``unknown``.

    Lambda does not pass on the IAM principal of a direct invocation; CloudTrail has it.
    """
    custom = getattr(getattr(context, "client_context", None), "custom", None)
    named = custom.get("by") if isinstance(custom, Mapping) else None
    for found in (named, getattr(getattr(context, "identity", None), "cognito_identity_id", None)):
        try:
            if found:
                return actor_name(found)
        except ValueError:
            continue
    return UNKNOWN_ACTOR
