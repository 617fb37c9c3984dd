"""The back-fill of a period: counted with its money first, then queued."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.functions import AnswerIsError
from solvimon_rillet.panel.page import Outcome, Route
from solvimon_rillet.panel.reading import Json, amounts, count, section, text
from solvimon_rillet.panel.rendering import grouped, plural
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.visit import Visit

BACKFILL_KINDS = {"invoice": "Invoices", "credit_memo": "Credit notes"}
"""The kinds of documents that a back-fill sends."""
_COUNTED = {
    "already_in_rillet": "In Rillet already, left alone",
    "before_start_date": "Before the start date, left alone",
    "handled_by_hand": "Settled by hand, left alone",
    "changed_meanwhile": "Changed meanwhile, left alone",
}


def count_first(visit: Visit) -> Response[str]:
    """What a back-fill of a period would do."""
    query = visit.query
    kind = query.get("kind", "") if query.get("kind") in BACKFILL_KINDS else "invoice"
    period = {name: query.get(name, "").strip() for name in ("from", "to")}
    view: dict[str, Any] = {
        "kind": kind,
        "kinds": BACKFILL_KINDS,
        **period,
        "problem": "",
        "remedy": "",
        "counted": [],
        "amounts": [],
    }
    if problem := period_problem(period["from"], period["to"]):
        view["problem"] = problem
    else:
        try:
            answer = visit.ask(f"export_{kind}", {"retry": period, "dry_run": True})
            view |= _backfill_view(answer)
        except AnswerIsError as error:
            view |= {"problem": error.error, "remedy": error.remedy}
    return visit.render("backfill.html.j2", "Back-fill", {"view": view})


def queue(visit: Visit) -> Outcome:
    """Queue the documents of a period."""
    form = visit.form
    kind = form.get("kind") if form.get("kind") in BACKFILL_KINDS else "invoice"
    page = form.get("page")
    retry = {
        "from": form.get("from"),
        "to": form.get("to"),
        **({"page": int(page[:6])} if page.isascii() and page.isdigit() else {}),
    }
    answered = visit.act(f"export_{kind}", visit.event(retry=retry))
    answer, period = answered.answer, f"{retry['from']} to {retry['to']}"
    number = count(answer, "queued")
    left = section(section(answer, "go_on"), "retry")
    return Outcome(
        what="Queued a back-fill",
        on=period,
        state="sends" if number else "booked",
        text=f"{plural(number, 'document')} queued{_queued_money(answer)}"
        if number
        else "Nothing is missing",
        lines=tuple(filter(None, [text(answer, name) for name in ("estimate", "start_date", "note")])),
        answer=answer,
        function=f"export_{kind}",
        event=answered.invocation.event,
        template="backfilled.html.j2",
        view={
            "kind": kind,
            "rest": {name: text(left, name) for name in ("from", "to", "page")} if left else {},
            "counted": _counted(answer),
        },
        links=(("Documents", f"/documents?{urlencode({'kind': kind})}"), ("Synchronise", "/synchronise")),
        path="/synchronise",
    )


def period_problem(begin: str, end: str, most: int = 0) -> str:
    """What is wrong with the days of a form; empty if nothing is.

    Args:
        begin: the first day.
        end: the last day.
        most: largest number of days; 0 for no limit.
    """
    try:
        first, last = date.fromisoformat(begin), date.fromisoformat(end)
    except ValueError:
        missing = "From" if not begin else "To" if not end else ""
        return f"{missing}: choose a day." if missing else "Write days such as 2026-10-31."
    if first > last:
        return f"From ({begin}) is later than to ({end}). Exchange them."
    if most and (last - first).days >= most:
        return f"The period has {(last - first).days + 1} days; at most {most} can be compared at once."
    return ""


def _backfill_view(answer: Json) -> dict[str, Any]:
    return {
        "number": count(answer, "would_queue"),
        "amounts": amounts(answer),
        "counted": _counted(answer),
        "estimate": text(answer, "estimate"),
        "notes": list(filter(None, [text(answer, name) for name in ("start_date", "note")])),
    }


def _counted(answer: Json) -> list[tuple[str, int, list[tuple[str, str]]]]:
    """What is left alone: why, how many documents, and their money where it is known."""
    return [
        (title, number, amounts(answer, f"amounts_{name}"))
        for name, title in _COUNTED.items()
        if (number := count(answer, name))
    ]


def _queued_money(answer: Json) -> str:
    """The money of queued documents, as it follows their number."""
    found = [f"{grouped(amount)} {currency}" for amount, currency in amounts(answer)]
    return f", {', '.join(found)}" if found else ""


ROUTES = [
    Route("GET", "/synchronise/backfill", Role.VIEWER, count_first),
    Route("POST", "/synchronise/backfill", Role.OPERATOR, queue, "retry"),
]
"""The routes of a back-fill."""
