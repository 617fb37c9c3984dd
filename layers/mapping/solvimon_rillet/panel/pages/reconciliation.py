"""Reconciliation: whether both sides agree, what differs, and who signed it off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.errors import RetryLater
from solvimon_rillet.panel.bridge import Bridge, bridge_of
from solvimon_rillet.panel.documents import ID_NAMES, document_path
from solvimon_rillet.panel.functions import AnswerIsError, Invocation, InvocationFailed
from solvimon_rillet.panel.page import MenuPage, Outcome
from solvimon_rillet.panel.pages.backfill import period_problem
from solvimon_rillet.panel.pages.synchronise import begin
from solvimon_rillet.panel.reading import Json, count, rows, text
from solvimon_rillet.panel.rendering import plural
from solvimon_rillet.panel.report_list import FILES, ReportList, ReportName, report_name
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.runs import Run, runs_of
from solvimon_rillet.panel.sign_offs import MAX_COMMENT, SignOff, SignOffs
from solvimon_rillet.panel.visit import JSON, Visit, pretty

PAGE = MenuPage("reconciliation")
MAX_DAYS = 400
_SHOWN = 200
_HANDLED_IN = {"rejected": "Needs attention", "missing": "Needs attention"}


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report in the list."""

    name: ReportName
    tied_out: bool
    differences: int
    documents: int
    amounts: list[tuple[str, str]]
    sign_offs: list[SignOff]
    by: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A difference of a report."""

    number: str
    path: str
    customer: str
    heading: str
    cause: str
    remedy: str
    amount: str
    currency: str
    is_handled: bool


@PAGE.get("/reconciliation")
def show(visit: Visit) -> Response[str]:
    """The latest reports, and the form that makes another one."""
    query = visit.query
    days = {name: query.get(name, "").strip()[:10] for name in ("since", "until")}
    found, following, problem = list[tuple[ReportName, dict[str, Any]]](), "", ""
    try:
        listed = ReportList(visit.reports, visit.connection)
        found, following = listed.page(query.get("before", ""), days["since"], days["until"])
    except RetryLater as error:
        problem = error.message
    signed, runs = _signed(visit), _latest_runs(visit)
    by = {run.report: run.by or "schedule" for run in runs if run.report}
    reports = [_report_row(name, report, signed.get(name, []), by.get(name, "")) for name, report in found]
    begin_today = {"from": f"{visit.now[:8]}01", "to": visit.now[:10]}
    again = visit.event(**begin_today, redrive=False)
    view = {
        **begin_today,
        "command": Invocation("reconcile", again).command(visit.functions.stack),
        "problem": problem,
        "reports": reports,
        "newest": reports[0] if reports and not query.get("before") and not any(days.values()) else None,
        "older": f"/reconciliation?{urlencode({**days, 'before': following})}" if following else "",
        "days": days,
        "running": next((run for run in runs if run.is_open), None),
        "by": any(row.by for row in reports),
        "most": MAX_DAYS,
    }
    return visit.render("reconciliation.html.j2", "Reconciliation", {"view": view})


@PAGE.get("/reconciliation/<period>/<moment>")
def report(visit: Visit, period: str, moment: str) -> Response[str]:
    """One report: the bridge, the differences, the sign-off."""
    name = report_name(period, moment)
    found = ReportList(visit.reports, visit.connection).read(name) if name else {}
    if name is None or not found:
        return _no_report(visit)
    if visit.query.get("as") == "json":
        return Response(200, JSON, pretty(found))
    findings = rows(found, "findings")
    view = {
        "name": name,
        "row": _report_row(name, found, _signed(visit).get(name, [])),
        "bridge": bridge_of(found),
        "findings": [_finding(row) for row in findings[:_SHOWN]],
        "customers": any(text(row, "customer") for row in findings[:_SHOWN]),
        "more": max(0, len(findings) - _SHOWN),
        "unmapped": [
            {key: text(row, key) for key in ("kind", "name", "solvimon_id", "remedy")}
            for row in rows(found, "not_mapped_yet")[:_SHOWN]
        ],
        "redriven": count(found, "redriven"),
        "notes": [str(each) for each in found.get("notes") or ()],
        "files": FILES,
        "max_comment": MAX_COMMENT,
    }
    return visit.render("report.html.j2", f"Reconciliation {name.days}", {"view": view})


@PAGE.get("/reconciliation/<period>/<moment>/files/<file>")
def open_file(visit: Visit, period: str, moment: str, file: str) -> Response[str]:
    """Lead to a file of a report, at an address of the bucket that is valid for a minute."""
    name = report_name(period, moment)
    reports = ReportList(visit.reports, visit.connection)
    if name is None or file not in FILES or not reports.read(name):
        return _no_report(visit)
    return Response(303, "text/plain; charset=utf-8", "", {"location": reports.address(name, file)})


@PAGE.post("/reconciliation/start", Role.OPERATOR, "reconcile")
def start_reconciliation(visit: Visit) -> Outcome:
    """Begin a reconciliation of a period."""
    first, last, mode = (visit.form.get(name) for name in ("from", "to", "missing"))
    if problem := period_problem(first, last, MAX_DAYS):
        return Outcome(
            "Did not reconcile",
            problem,
            state="needs",
            lines=("Nothing was begun.",),
            links=(("Back to the form", "/reconciliation#period"),),
            path="/reconciliation",
        )
    fields = {"from": first, "to": last, "redrive": mode == "export"}
    return begin(visit, "reconcile", fields, "Began a reconciliation", f"{first} to {last}")


@PAGE.post("/reconciliation/<period>/<moment>/sign-off", Role.VIEWER, "sign-off")
def sign_off(visit: Visit, period: str, moment: str) -> Outcome:
    """Keep that a person has accepted a report; the report itself does not change."""
    name = report_name(period, moment)
    found = ReportList(visit.reports, visit.connection).read(name) if name else {}
    if name is None or not found:
        return Outcome(
            "Did not sign off",
            "There is no such report",
            state="needs",
            links=(("Reports", "/reconciliation"),),
        )
    comment, differences = visit.form.get("comment"), count(found, "differences")
    problem = ""
    if differences and not comment:
        problem = f"{plural(differences, 'difference is', 'differences are')} open: say in the comment why."
    elif len(comment) > MAX_COMMENT:
        problem = f"The comment has {len(comment):,} characters; at most {MAX_COMMENT:,} are kept."
    if problem:
        return Outcome(
            "Did not sign off",
            problem,
            on=name.days,
            state="needs",
            lines=("Nothing was signed.",),
            links=(("Back to the report", f"{name.path}#sign"),),
            path=name.path,
        )
    SignOffs(visit.table, visit.clock).add(visit.connection, name, visit.session.by, comment, differences)
    return Outcome(
        what="Signed off",
        on=name.days,
        text=f"Signed off with {plural(differences, 'difference')}" if differences else "Signed off",
        lines=(f"By {visit.session.by}.", *([f"Comment: {comment}"] if comment else [])),
        links=(("The report", name.path), ("All reports", "/reconciliation")),
        path=name.path,
    )


def _signed(visit: Visit) -> dict[ReportName, list[SignOff]]:
    found: dict[ReportName, list[SignOff]] = {}
    for each in SignOffs(visit.table, visit.clock).newest(visit.connection):
        found.setdefault(each.report, []).append(each)
    return found


def _latest_runs(visit: Visit) -> list[Run]:
    """The latest reconciliations as runs: who asked for them, and which one is under way."""
    try:
        found = runs_of(visit.ask("sync_status", {"runs": True}))
    except (AnswerIsError, InvocationFailed):  # no reason to show no report
        return []
    return [run for run in found if run.kind == "reconcile"]


def _report_row(name: ReportName, report: Json, signed: list[SignOff], by: str = "") -> ReportRow:
    bridge: Bridge = bridge_of(report)
    return ReportRow(
        name,
        bool(report.get("tied_out")) and not count(report, "differences"),
        count(report, "differences"),
        count(report, "documents"),
        bridge.differences,
        signed,
        by,
    )


def _finding(row: Json) -> FindingRow:
    document, identity, kind = text(row, "document"), text(row, "solvimon_id"), text(row, "kind")
    has_story = identity and document in ID_NAMES
    return FindingRow(
        number=text(row, "number") or identity or "(no number)",
        path=document_path(document, identity) if has_story else "",
        customer=text(row, "customer"),
        heading=kind.replace("_", " ").capitalize(),
        cause=text(row, "cause"),
        remedy=text(row, "remedy"),
        amount=text(row, "amount"),
        currency=text(row, "currency"),
        is_handled=kind in _HANDLED_IN,
    )


def _no_report(visit: Visit) -> Response[str]:
    view: Mapping[str, str] = {
        "problem": "There is no such report",
        "remedy": "It may have been deleted: reports are kept for as long as the deployment says.",
        "function": "",
        "command": "",
        "request_id": visit.request_id,
    }
    return visit.render("problem.html.j2", "No report", view, 404)
