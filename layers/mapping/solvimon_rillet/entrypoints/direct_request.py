"""Answer a direct invocation: the result, or an error with a remedy."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from solvimon_rillet.errors import NeedsAttention, Recoverable
from solvimon_rillet.formatting import validation_problems

Request = TypeVar("Request", bound=BaseModel)

INVOKE_AGAIN = "Fix the cause, if the error names one, and invoke the function again."


def answer_direct_request(
    event: Mapping[str, Any],
    model: type[Request],
    answer: Callable[[Request], dict[str, Any]],
    examples: Mapping[str, Any],
    remedy: Callable[[Recoverable], str] = lambda _error: INVOKE_AGAIN,
) -> dict[str, Any]:
    """Validate a request and answer it; an expected error becomes an answer with a remedy.

    Args:
        event: the request.
        model: its form.
        answer: the work.
        examples: shown beside the problems of an invalid request.
        remedy: the remedy for an error that time or a corrected connection may fix.
    """
    try:
        request = model.model_validate(event)
    except ValidationError as error:
        return {"error": validation_problems(error, "event", model=model), **examples}
    try:
        return answer(request)
    except NeedsAttention as error:
        return {"error": error.message, "remedy": error.remedy}
    except Recoverable as error:
        return {"error": error.message, "remedy": remedy(error)}
