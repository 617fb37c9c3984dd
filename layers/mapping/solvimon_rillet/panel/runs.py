"""Imports and reconciliations as pages show them: which run, how far they are, and what they came to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from solvimon_rillet.panel.functions import Invocation
from solvimon_rillet.panel.list_files import saved_list_path
from solvimon_rillet.panel.reading import Json, count, rows, section, text
from solvimon_rillet.panel.report_list import ReportName, report_name

TITLES = {
    "import_subsidiaries": "Import of subsidiaries",
    "import_products": "Import of products",
    "import_customers": "Import of customers",
    "reconcile": "Reconciliation",
}
"""The functions that run for long, imports in the order to run them."""
_IMPORT_OUTCOMES = ("created", "updated", "archived", "unchanged", "skipped", "proposed", "failed")
_OUTCOME_COLUMNS = {"skipped": "Skipped", "proposed": "To decide", "failed": "Left out"}
_EXECUTION_NAME = re.compile(r"/durable-execution/([\w-]{1,64})/", re.ASCII)
_RUN_MARKS = {
    "running": "sends",
    "completed": "booked",
    "stopped": "needs",
    "failed": "needs",
    "lost": "needs",
}
_RUN_STATES = {
    "running": "Running",
    "completed": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
    "lost": "No end",
}
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a durable function.

    Attributes:
        kind: the function.
        title: what it does.
        name: of its execution, if it has one of its own.
        path: of its page, below the connection's.
        mark: class of its mark.
        state: in a word.
        is_open: whether it is under way.
        is_dry: whether it changes nothing.
        started: a timestamp.
        by: who asked for it.
        ended: a timestamp; empty while it runs.
        in_words: what the function says about its state.
        summary: its result in one line; empty while it runs.
        error: why it ended early.
        remedy: what to do about that.
        step: where it is.
        rows: how many rows it has processed.
        seen: how many rows it has seen in all; 0 while it runs.
        about: while it runs, how many rows the last one like it has seen; 0 if that is not known.
        waits_for: what it waits for.
        counts: rows by outcome: title, number, whether a person must act.
        failures: rows that it left out.
        proposals: rows that are like records of Solvimon.
        preview: what would become of rows, in a dry run.
        file: path of the file with all rows of a preview; empty if there is none.
        notes: what else it says.
        report: of a reconciliation.
        differences: of a reconciliation; -1 if it is none.
        request: the event that it began with.
    """

    kind: str
    title: str
    name: str
    path: str
    mark: str
    state: str
    is_open: bool
    is_dry: bool
    started: str
    by: str
    ended: str
    in_words: str
    summary: str
    error: str
    remedy: str
    step: str
    rows: int
    seen: int
    waits_for: str
    counts: list[tuple[str, int, bool]]
    failures: list[Mapping[str, str]]
    proposals: list[Mapping[str, Any]]
    preview: list[Mapping[str, str]]
    file: str
    notes: list[str]
    report: ReportName | None
    differences: int
    request: Json
    about: int = 0

    @property
    def plural(self) -> str:
        """What an import brings, such as ``customers``."""
        return self.kind.removeprefix("import_")

    def command(self, stack: str) -> str:
        """The command that starts the same again."""
        return Invocation(self.kind, {**self.request, **({"by": self.by} if self.by else {})}).command(stack)


def runs_of(answer: Json) -> list[Run]:
    """The runs of an answer: those under way first, then the others, newest first."""
    groups = ("under_way", "without_end", "finished")
    found = [_read_run(row) for name in groups for row in rows(answer, name) if text(row, "kind") in TITLES]
    return [replace(run, about=_last_seen(run, found)) if run.is_open else run for run in found]


def find(runs: list[Run], name: str) -> Run | None:
    """The run of an execution's name."""
    return next((run for run in runs if run.name == name), None)


def latest(runs: list[Run], kind: str) -> Run | None:
    """The run of a kind that is under way, else the latest one that was no preview."""
    of_kind = [run for run in runs if run.kind == kind]
    return next((run for run in of_kind if run.is_open), None) or next(
        (run for run in of_kind if not run.is_dry), None
    )


def run_path(name: str) -> str:
    """The path of a run's page."""
    return f"/synchronise/runs/{name}"


def _last_seen(run: Run, all_runs: list[Run]) -> int:
    """How many rows the last run like this one has seen; 0 if none is known."""
    parts = {"only", "updated_since", "incremental"}
    if parts & run.request.keys():
        return 0
    return next(
        (
            each.seen
            for each in all_runs
            if each.kind == run.kind and each.mark == "booked" and not parts & each.request.keys()
        ),
        0,
    )


def _read_run(row: Json) -> Run:
    kind, state = text(row, "kind"), text(row, "state")
    result, progress, request = section(row, "result"), section(row, "progress"), section(row, "request")
    found = _EXECUTION_NAME.search(text(row, "execution"))
    by, failed = text(row, "by"), count(result, "failed")
    parts = rows(result, "connections") or [result]
    error = next((text(part, "error") for part in parts if text(part, "error")), "")
    seen = section(progress, "rows")
    done = state == "completed"
    return Run(
        kind=kind,
        title=TITLES[kind],
        name=found[1] if found else "",
        path=run_path(found[1]) if found else "",
        mark="needs" if done and failed else _RUN_MARKS.get(state, "needs"),
        state=_left_out(failed) if done and failed else _RUN_STATES.get(state, state),
        is_open=state == "running",
        is_dry=bool(request.get("dry_run")),
        started=text(row, "started"),
        by=by if by != "unknown" else "",
        ended=text(row, "ended"),
        in_words=text(row, "in_words"),
        summary=text(result, "summary"),
        error=error,
        remedy=next((text(part, "remedy") for part in parts if text(part, "remedy")), ""),
        step=text(progress, "step"),
        rows=sum(number for number in seen.values() if isinstance(number, int)),
        seen=count(result, "seen"),
        waits_for=text(progress, "waits_for"),
        counts=_run_counts(kind, result if text(row, "ended") else seen),
        failures=[
            _texts(each, "rillet_id", "name", "code", "what", "remedy") for each in rows(result, "failures")
        ],
        proposals=[
            {
                **_texts(each, "rillet_id", "name"),
                "alike": [_alike(like) for like in rows(each, "looks_like")],
            }
            for each in rows(result, "proposals")
        ],
        preview=[_previewed(each) for each in rows(result, "rows")[:_SHOWN]],
        file=saved_list_path(text(result, "csv")),
        notes=_notes(result),
        report=_report(parts),
        differences=_difference_count(parts) if kind == "reconcile" and done else -1,
        request=request,
    )


def _notes(result: Json) -> list[str]:
    given = result.get("notes")
    return [str(each) for each in given] if isinstance(given, list) else []


def _left_out(failed: int) -> str:
    return f"{failed:,} {'row' if failed == 1 else 'rows'} left out"


def _run_counts(kind: str, counted: Json) -> list[tuple[str, int, bool]]:
    if kind == "reconcile":
        return []
    found = [("Seen", count(counted, "seen"), False)] if "seen" in counted else []
    for outcome in _IMPORT_OUTCOMES:
        number = count(counted, outcome)
        if number or outcome in {"created", "updated", "unchanged", "failed"}:
            title = _OUTCOME_COLUMNS.get(outcome, outcome.capitalize())
            found.append((title, number, outcome in {"failed", "proposed"} and number > 0))
    return found


def _texts(row: Json, *names: str) -> dict[str, str]:
    return {name: text(row, name) for name in names}


def _alike(row: Json) -> dict[str, str]:
    same = row.get("same")
    return {
        **_texts(row, "solvimon_id", "name"),
        "same": ", ".join(map(str, same)) if isinstance(same, list) else "",
    }


def _previewed(row: Json) -> dict[str, str]:
    fields, alike = row.get("fields"), rows(row, "looks_like")
    more = ", ".join(map(str, fields)) if isinstance(fields, list) else ""
    looks_like = ", ".join(text(each, "name") for each in alike)
    return {
        **_texts(row, "rillet_id", "name", "outcome", "why"),
        "more": more or (f"looks like {looks_like}" if looks_like else ""),
    }


def _report(parts: list[Json]) -> ReportName | None:
    """The report that a reconciliation wrote."""
    address = next((text(section(part, "report"), "json") for part in parts if section(part, "report")), "")
    *_, period, moment, _file = ["", "", "", *address.split("/")]
    return report_name(period, moment)


def _difference_count(parts: list[Json]) -> int:
    return sum(count(part, "differences") for part in parts)
