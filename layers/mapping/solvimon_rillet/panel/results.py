"""The page after a form: what came of it; and the page of a question that had no answer."""

from dataclasses import replace
from typing import Any

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.csv_rows import csv_response
from solvimon_rillet.panel.functions import AnswerIsError, Invocation, InvocationFailed
from solvimon_rillet.panel.page import Outcome, Route
from solvimon_rillet.panel.reading import rows, text
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
    if visit.query.get("as") == "csv" and (columns := outcome.view.get("csv")):
        found = [[text(row, name) for name in columns] for row in rows(outcome.answer, "results")]
        return csv_response(columns, found, "refused-rows.csv")
    invocation = Invocation(outcome.function, outcome.event) if outcome.function else None
    command = invocation.command(visit.functions.stack) if invocation else ""
    csv_path = visit.as_json_path.replace("as=json", "as=csv")
    view = {"outcome": outcome, "command": command, "csv_path": csv_path, **outcome.view}
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


def failed_outcome(error: AnswerIsError | InvocationFailed, visit: Visit, route: Route) -> Outcome:
    """The result of an action that failed."""
    page = visit.path.rpartition("/")[0]
    refused = isinstance(error, AnswerIsError)
    outcome = Outcome(
        what=f"{route.kind.capitalize()}: {'refused' if refused else 'failed'}",
        text="",
        on=visit.form.get("number"),
        state="needs",
        links=(("Back", page),),
        path=page,
    )
    if isinstance(error, AnswerIsError):
        asked = error.answered.invocation
        return replace(
            outcome,
            text=error.error,
            lines=(error.remedy,) if error.remedy else (),
            answer=error.answered.answer,
            function=asked.function,
            event=asked.event,
        )
    name = error.invocation.function
    lines = (
        ("It is not known whether it did its work. Look at the document or the run before you repeat it.",)
        if error.unknown
        else ("Nothing was changed.",)
    )
    return replace(
        outcome,
        text=f"The function {name} {error}",
        lines=lines,
        function=name,
        event=error.invocation.event,
    )
