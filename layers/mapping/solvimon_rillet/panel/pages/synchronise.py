"""Synchronise: imports with preview and progress, a dry run, the sweep."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.csv_rows import csv_response
from solvimon_rillet.panel.documents import document_row
from solvimon_rillet.panel.page import MenuPage, Outcome
from solvimon_rillet.panel.pages import backfill, story
from solvimon_rillet.panel.pages.needs_attention import STOP_POLLING
from solvimon_rillet.panel.reading import Json, count, rows, section, text
from solvimon_rillet.panel.rendering import plural
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.runs import Run, find, latest, run_path, runs_of
from solvimon_rillet.panel.visit import HTML, Visit

PAGE = MenuPage("synchronise")
PAGE.routes += backfill.ROUTES
_IMPORTS = {
    "subsidiaries": "become billing entities",
    "products": "in Solvimon’s category of Rillet products",
    "customers": "with address and contact",
}
"""What is imported, in the order to do it."""
_ROWS = {"": "all", "changed": "changed since then", "recheck": "all, compared again"}
_PREVIEWED = ("rillet_id", "name", "outcome", "more", "why")
_TICKED = {"created", "updated", "archived"}
_OUTCOME_TITLES = {
    "created": "Created",
    "updated": "Updated",
    "archived": "Archived",
    "unchanged": "Unchanged",
    "skipped": "Skipped",
    "proposed": "To decide",
    "failed": "Left out",
}


@PAGE.get("/synchronise")
def show(visit: Visit) -> Response[str]:
    """The imports with their last runs, and the other acts."""
    runs = runs_of(visit.ask("sync_status", {"runs": True}))
    view = {
        "imports": [(name, about, latest(runs, f"import_{name}")) for name, about in _IMPORTS.items()],
        "rows": _ROWS,
        "kinds": backfill.BACKFILL_KINDS,
        "reconciliation": latest(runs, "reconcile"),
        "today": visit.now[:10],
    }
    return visit.render("synchronise.html.j2", "Synchronise", {"view": view})


@PAGE.post("/synchronise/imports/<plural>/preview", Role.VIEWER, "dry-run")
def preview(visit: Visit, plural: str) -> Outcome:
    """Begin a preview of an import."""
    return _import(visit, plural, dry_run=True)


@PAGE.post("/synchronise/imports/<plural>", Role.OPERATOR, "import")
def start_import(visit: Visit, plural: str) -> Outcome:
    """Begin an import."""
    return _import(visit, plural, dry_run=False)


@PAGE.get("/synchronise/runs/<run>")
def progress(visit: Visit, run: str) -> Response[str]:
    """How far a run is, and what it came to."""
    runs = runs_of(visit.ask("sync_status", {"runs": True}))
    found = find(runs, run)
    other = latest(runs, found.kind) if found and found.error else None
    view = {
        "other": other if other and other.is_open else None,
        "run": found,
        "path": run_path(run),
        "command": found.command(visit.functions.stack) if found else "",
        "again": _again(found.request) if found else [],
        **(_preview_view(found, visit.query.get("outcome", "")) if found else {}),
    }
    if found and visit.query.get("as") == "csv":
        table = [[row[name] for name in _PREVIEWED] for row in found.preview]
        return csv_response(_PREVIEWED, table, f"preview-{found.plural}.csv")
    answer = visit.render("run.html.j2", found.title if found else "It is starting", {"view": view})
    if visit.polls and found and not found.is_open:
        return Response(STOP_POLLING, HTML, answer.body)
    return answer


@PAGE.post("/synchronise/dry-run", Role.VIEWER, "dry-run")
def dry_run_one(visit: Visit) -> Outcome:
    """Show what would be sent for one document, by its number or its id."""
    one = visit.form.get("one")[:200]
    if not one:
        return _not_found("Write the number or the id of an invoice", "")
    kind, identity = "invoice", one
    if not one.startswith("invo_"):
        answer = visit.ask("sync_status", {"search": one, "by": visit.session.by})
        found = [document_row(row) for row in rows(answer, "documents")]
        billed = [row for row in found if row.kind in backfill.BACKFILL_KINDS]
        if len(billed) != 1:
            words = f"{len(billed)} documents match {one}" if billed else f"No document has the number {one}"
            return _not_found(words, one)
        kind, identity = billed[0].kind, billed[0].id
    return story.dry_run_again(visit, kind, identity)


@PAGE.post("/synchronise/sweep", Role.OPERATOR, "retry")
def sweep(visit: Visit) -> Outcome:
    """Look for documents whose webhooks never arrived."""
    answered = visit.act("sweep", visit.event())
    summary, parts = section(answered.answer, "summary"), rows(answered.answer, "connections")
    number, failed = count(summary, "found"), count(summary, "errors")
    errors = [_error_text(each) for part in parts for each in _as_list(part.get("errors"))]
    return Outcome(
        what="Swept",
        state="needs" if failed else "booked",
        text=f"{plural(number, 'document')} found and sent on" if number else "Nothing was missed",
        lines=tuple(errors),
        answer=answered.answer,
        function="sweep",
        event=answered.invocation.event,
        links=(("Synchronise", "/synchronise"), ("Documents", "/documents")),
        path="/synchronise",
    )


def begin(visit: Visit, function: str, fields: Mapping[str, Any], what: str, on: str = "") -> Outcome:
    """Begin a durable function under the form's own name, and lead to its progress."""
    name = f"panel-{visit.form.get('action_id')}"[:64]
    answered = visit.act(function, visit.event(**fields), execution=name)
    return Outcome(
        what=what,
        text="Begun",
        on=on,
        state="sends",
        function=function,
        event=answered.invocation.event,
        path=run_path(name),
        go=f"{visit.at}{run_path(name)}",
    )


def _import(visit: Visit, listed: str, *, dry_run: bool) -> Outcome:
    listed = listed if listed in _IMPORTS else "products"
    form, chosen = visit.form, visit.form.get("rows")
    since, only = form.get("since"), [each for each in form.all("only") if each]
    fields: dict[str, Any] = {"dry_run": True} if dry_run else {}
    if only:
        fields["only"] = only
    elif since:
        fields["updated_since"] = since if "T" in since else f"{since}T00:00:00Z"
    elif chosen == "changed":
        fields["incremental"] = True
    if chosen == "recheck":
        fields["recheck"] = True
    verb = "Previewed the import" if dry_run else "Began to import"
    return begin(visit, f"import_{listed}", fields, verb, listed)


def _preview_view(run: Run, chosen: str) -> dict[str, Any]:
    """The rows of a preview, of one outcome or of all."""
    numbers = Counter(row["outcome"] for row in run.preview)
    outcome = chosen if chosen in numbers else ""
    shown = [row for row in run.preview if outcome in {"", row["outcome"]}]
    return {
        "preview": shown,
        "outcome": outcome,
        "outcomes": [(each, _OUTCOME_TITLES.get(each, each), number) for each, number in numbers.items()],
        "cut": run.seen > len(run.preview),
        "can_tick": any(row["outcome"] in _TICKED for row in shown) and not run.error,
    }


def _again(request: Json) -> list[tuple[str, str]]:
    """The hidden fields of a form that imports what a preview has shown."""
    only = _as_list(request.get("only"))
    fields = [("only", str(each)) for each in only]
    if text(request, "updated_since"):
        fields.append(("since", text(request, "updated_since")))
    if request.get("recheck"):
        fields.append(("rows", "recheck"))
    elif request.get("incremental"):
        fields.append(("rows", "changed"))
    return fields


def _not_found(words: str, one: str) -> Outcome:
    return Outcome(
        "Dry run",
        words,
        on=one,
        state="needs",
        lines=("Nothing was sent. A draft has no number yet: give its id, which begins with invo_.",),
        links=(
            ("Search all documents", f"/documents?{urlencode({'q': one})}"),
            ("Synchronise", "/synchronise"),
        ),
        path="/synchronise",
    )


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _error_text(error: object) -> str:
    if isinstance(error, Mapping):
        return " ".join(filter(None, [text(error, name) for name in ("error", "message", "remedy")]))
    return str(error)
