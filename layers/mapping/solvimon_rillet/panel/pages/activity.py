"""Activity: who did what, and what the system did on its schedules."""

from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.activity import ActivityLine
from solvimon_rillet.panel.csv_rows import CSV, as_csv
from solvimon_rillet.panel.functions import AnswerIsError, InvocationFailed
from solvimon_rillet.panel.page import MenuPage
from solvimon_rillet.panel.reading import Json, count, rows, section, text
from solvimon_rillet.panel.rendering import plural
from solvimon_rillet.panel.visit import Visit

PAGE = MenuPage("activity")
_LINES = 100
KINDS = {
    "": "All",
    "sign-in": "Sign-ins",
    "connect": "Connections",
    "settings": "Settings",
    "import": "Imports",
    "retry": "Retries",
    "dry-run": "Dry runs",
    "resolve": "Resolutions",
    "link": "Links",
    "reconcile": "Reconciliations",
    "sign-off": "Sign-offs",
}
"""The kinds of the filter; the routes of forms name them."""
_ACTIVITY_COLUMNS = ("at", "who", "kind", "what", "on", "outcome")


@PAGE.get("/activity")
def show(visit: Visit) -> Response[str]:
    """The newest lines, or those before a moment."""
    query = visit.query
    who, since, before = query.get("who", "").strip(), query.get("since", ""), query.get("before", "")
    kind = query.get("kind", "") if query.get("kind") in KINDS else ""
    own = visit.activity.newest(visit.connection, _LINES, before=before)
    reached = own[-1].at if len(own) == _LINES else ""
    runs = [run for run in _ended_runs(visit) if (not before or run.at < before) and run.at >= reached]
    lines = sorted([*own, *runs], key=lambda entry: entry.at, reverse=True)
    found = [
        line
        for line in lines
        if who.casefold() in line.who.casefold()
        and kind in {"", line.kind}
        and (not since or line.at[:10] >= since)
    ]
    if query.get("as") == "csv":
        headers = {"content-disposition": 'attachment; filename="activity.csv"'}
        table = [[getattr(line, name) for name in _ACTIVITY_COLUMNS] for line in found]
        return Response(200, CSV, as_csv(_ACTIVITY_COLUMNS, table), headers)
    here = {"who": who, "kind": kind, "since": since}
    view = {
        "who": who,
        "kind": kind,
        "since": since,
        "kinds": KINDS,
        "days": _by_day(found),
        "older": _activity_address(here, before=reached) if reached else "",
        "csv": _activity_address({**here, "before": before}, **{"as": "csv"}),
    }
    return visit.render("activity.html.j2", "Activity", {"view": view})


def _ended_runs(visit: Visit) -> list[ActivityLine]:
    """Imports and reconciliations that ended; the functions keep them."""
    try:
        answer = visit.ask("sync_status", {"runs": True})
    except (AnswerIsError, InvocationFailed):
        return []
    return [_run_line(row) for row in rows(answer, "finished")]


def _run_line(row: Json) -> ActivityLine:
    kind, result, state = text(row, "kind"), section(row, "result"), text(row, "state")
    by = text(row, "by") or text(section(row, "request"), "by")
    failed = count(result, "failed")
    good = state == "completed" and not failed
    said = (
        _reconciled(result) if kind == "reconcile" and good else "",
        text(result, "summary"),
        text(result, "in_words"),
        text(result, "error"),
        text(row, "in_words"),
    )
    return ActivityLine(
        at=text(row, "ended") or text(row, "started"),
        who=by if by not in {"", "unknown"} else "System",
        kind="reconcile" if kind == "reconcile" else "import",
        what="Reconciled" if kind == "reconcile" else f"Imported {kind.removeprefix('import_')}",
        on=_period(section(row, "request")),
        outcome=next(filter(None, said), ""),
        state="booked" if good else "needs",
    )


def _reconciled(result: Json) -> str:
    """What a reconciliation found."""
    number = sum(count(part, "differences") for part in rows(result, "connections") or [result])
    return f"Found {plural(number, 'difference')}" if number else "Both sides agree"


def _period(request: Json) -> str:
    begin, end = text(request, "from"), text(request, "to")
    return f"{begin} to {end}" if begin and end else ""


def _by_day(lines: list[ActivityLine]) -> list[tuple[str, list[ActivityLine]]]:
    days: dict[str, list[ActivityLine]] = {}
    for line in lines:
        days.setdefault(line.at[:10], []).append(line)
    return list(days.items())


def _activity_address(query: dict[str, str], **more: str) -> str:
    return f"/activity?{urlencode({name: value for name, value in {**query, **more}.items() if value})}"
