"""The page after a form: what came of it; and the page of a question that had no answer."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.functions import AnswerIsError, Invocation, InvocationFailed
from solvimon_rillet.panel.page import Outcome
from solvimon_rillet.panel.visit import JSON, Visit, pretty

_PATIENCE_SECONDS = 35
"""No page and no function that it waits for lives longer: what has no result then will have none."""


def result_page(visit: Visit, outcome: Outcome | None, age: float) -> Response[str]:
    """The page of an action.

    Args:
        visit: whose.
        outcome: what came of it; ``None`` if nothing is known.
        age: seconds since it began.
    """
    if outcome is None:
        return visit.render("result_open.html.j2", "Result", {"lost": age > _PATIENCE_SECONDS})
    if visit.query.get("as") == "json":
        return Response(200, JSON, pretty({"event": outcome.event, "answer": outcome.answer}))
    invocation = Invocation(outcome.function, outcome.event) if outcome.function else None
    command = invocation.command(visit.functions.stack) if invocation else ""
    view = {"outcome": outcome, "command": command, **outcome.view}
    return visit.render(outcome.template or "result.html.j2", outcome.text, view)


def problem_of(
    error: AnswerIsError | InvocationFailed, stack: str, request_id: str
) -> tuple[str, dict[str, Any], int]:
    """The title, the view and HTTP's status of the page of a question that had no answer."""
    if isinstance(error, AnswerIsError):
        invocation = error.answered.invocation
        problem, remedy, title, status = error.error, error.remedy, "This cannot be shown", 404
    else:
        invocation = error.invocation
        problem = f"The function {invocation.function} {error}"
        remedy, title, status = "", "This page could not be read", 502
    view = {
        "problem": problem,
        "remedy": remedy,
        "function": invocation.function_name(stack),
        "command": invocation.command(stack),
        "request_id": request_id,
    }
    return title, view, status
