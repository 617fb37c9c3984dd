"""Needs attention: what keeps documents from being booked, each cause with the control that ends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.causes import LINKABLE, NOUNS, failing, retry_event, waiting
from solvimon_rillet.panel.documents import DocumentRow, document_row
from solvimon_rillet.panel.functions import AnswerIsError, InvocationFailed
from solvimon_rillet.panel.link_editor import CREATE, editor_for
from solvimon_rillet.panel.outcomes import result_lines, result_text
from solvimon_rillet.panel.page import MenuPage, Outcome
from solvimon_rillet.panel.pages import lists, mapping_files, mappings
from solvimon_rillet.panel.reading import Json, count, rows, section, text
from solvimon_rillet.panel.rendering import plural
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.visit import HTML, Visit

PAGE = MenuPage("needs-attention")
PAGE.routes += (*mappings.ROUTES, *mapping_files.ROUTES, *lists.ROUTES)
STOP_POLLING = 286
"""htmx's own status: it shows the answer, and asks no more."""
_FOLLOWED = 10  # as many as the status shows of what changed last
_ENDED = {"booked", "needs", "differs", "skipped"}


@dataclass(frozen=True, slots=True)
class LostRows:
    """Rows that the last import of a kind left out."""

    plural: str
    at: str
    rows: list[Mapping[str, str]]
    ids: list[str]


@PAGE.get("/needs-attention")
def show(visit: Visit) -> Response[str]:
    """All causes; ``fix`` opens the control of one."""
    status = visit.ask("sync_status")
    now, chosen = visit.clock(), visit.query.get("fix", "")
    causes = failing(status, now)
    named = next((cause.culprit for cause in causes if cause.culprit and cause.culprit.key == chosen), None)
    editor = editor_for(visit, chosen, named.name if named else "")
    lost = _lost_rows(visit) if editor is None else []
    unlinked = section(status, "unlinked")
    view = {
        "as_of": text(status, "at") or visit.now,
        "headline": text(section(status, "headline"), "text") or text(status, "summary"),
        "causes": causes,
        "waiting": waiting(status, now),
        "fixing": chosen if named else "",
        "editor": editor,
        "apart": editor is not None and named is None,
        "unlinked": [
            (plural, count(unlinked, plural)) for plural in LINKABLE.values() if count(unlinked, plural)
        ],
        "lost": lost,
        "dead": _dead_letters(status),
    }
    return visit.render("needs_attention.html.j2", "Needs attention", {"view": view, "nouns": NOUNS})


@PAGE.post("/needs-attention/retry", Role.OPERATOR, "retry")
def retry_cause(visit: Visit) -> Outcome:
    """Try all documents of a cause again."""
    kind, code, ids = visit.form.get("kind"), visit.form.get("code"), visit.form.all("ids")
    function, fields = retry_event(kind, code, ids)
    answered = visit.act(function, visit.event(**fields))
    answer = answered.answer
    results = rows(answer, "results")
    number = len(results) or count(answer, "queued")
    words = f"{plural(number, NOUNS.get(kind, 'document'))} {'is' if number == 1 else 'are'} tried again"
    said = [text(answer, name) for name in ("summary", "estimate", "note")]
    state = "sends"
    if len(results) == 1:
        state, words = result_text(results[0])
        said = list(result_lines(results[0]))
    return Outcome(
        what="Tried again",
        on=visit.form.get("title") or code,
        state=state if number else "needs",
        text=words if number else "Nothing was tried again",
        lines=tuple(filter(None, said)),
        answer=answer,
        function=function,
        event=answered.invocation.event,
        template="retried.html.j2",
        view={"follow": _follow(visit, kind, number)},
        links=(("Needs attention", "/needs-attention"),),
        path="/needs-attention",
    )


@PAGE.post("/needs-attention/link", Role.OPERATOR, "link")
def link(visit: Visit) -> Outcome:
    """Link a record to one of Rillet; what waited for it is tried again."""
    form, name = visit.form, visit.form.get("name") or visit.form.get("solvimon_id")
    if form.get("rillet_id") == CREATE:
        return _create(visit, name)
    marked, listed = form.get("rillet_id").removeprefix("other"), form.get("other")
    rillet_id = marked or listed
    if not rillet_id or (marked and listed):
        return Outcome(
            "Did not link",
            f"Choose {'one record only' if rillet_id else 'a record'} of Rillet for {name}",
            on=name,
            state="needs",
            lines=("Nothing was changed.",),
            links=(("Back to the choice", mappings.fix_path(form.get("kind"), form.get("solvimon_id"))),),
            path="/needs-attention",
        )
    pair = {"kind": form.get("kind"), "solvimon_id": form.get("solvimon_id"), "rillet_id": rillet_id}
    answered = visit.act("link_records", visit.event(link=pair))
    result = next(iter(rows(answered.answer, "results")), {})
    number = count(answered.answer, "documents_continued")
    given = result.get("warnings")
    warnings = tuple(map(str, given)) if isinstance(given, list) else ()
    again = f"{plural(number, 'document')} that waited for it {'is' if number == 1 else 'are'} tried again."
    return Outcome(
        what="Linked",
        on=name,
        text=f"{name} is linked to {text(result, 'rillet_name') or rillet_id}",
        lines=(*([again] if number else []), *warnings),
        answer=answered.answer,
        function="link_records",
        event=answered.invocation.event,
        template="retried.html.j2",
        view={"follow": _follow(visit, "", number)},
        links=(("Needs attention", "/needs-attention"), ("Links", mappings.list_path(form.get("kind")))),
        path="/needs-attention",
    )


def _create(visit: Visit, name: str) -> Outcome:
    """Say that no record of Rillet is the same, so that the next document creates it there."""
    record = {"kind": visit.form.get("kind"), "solvimon_id": visit.form.get("solvimon_id")}
    answered = visit.act("link_records", visit.event(different=record))
    number = count(answered.answer, "documents_continued")
    return Outcome(
        what="Said that Rillet does not have it",
        on=name,
        text=f"{name} is created in Rillet with its next document",
        lines=mapping_files.continued(answered.answer),
        answer=answered.answer,
        function="link_records",
        event=answered.invocation.event,
        template="retried.html.j2",
        view={"follow": _follow(visit, "", number)},
        links=(("Needs attention", "/needs-attention"),),
        path="/needs-attention",
    )


@PAGE.get("/needs-attention/follow")
def follow(visit: Visit) -> Response[str]:
    """What became of documents that were tried again a moment ago."""
    status = visit.ask("sync_status")
    since, number = visit.query.get("since", ""), _count_given(visit.query.get("n", ""))
    kind = visit.query.get("kind", "")
    changed = [
        document_row(row)
        for row in rows(status, "recent")
        if text(row, "updated_at") >= since and kind in {"", text(row, "kind")}
    ]
    expected = min(number, _FOLLOWED)
    ended = [row for row in changed if row.mark in _ENDED]
    view = {
        "rows": changed,
        "text": _followed_text(changed, number),
        "since": since,
        "number": number,
        "ended": len(ended) >= expected,
    }
    path = f"/needs-attention/follow?{urlencode({'since': since, 'n': number, 'kind': kind})}"
    answer = visit.render("follow.html.j2", "Tried again", {"view": view, "path": path})
    if visit.polls and view["ended"]:
        return Response(STOP_POLLING, HTML, answer.body)
    return answer


def _followed_text(changed: list[DocumentRow], number: int) -> str:
    booked = sum(row.mark == "booked" for row in changed)
    need = sum(row.mark in {"needs", "differs"} for row in changed)
    parts = [f"{booked} of {number} booked"]
    if need:
        parts.append(plural(need, "still needs you", "still need you"))
    return ", ".join(parts)


def _follow(visit: Visit, kind: str, number: int) -> str:
    """The path at which documents are followed; empty if there are none."""
    query = urlencode({"since": visit.now, "n": number, "kind": kind})
    return f"/needs-attention/follow?{query}" if number else ""


def _count_given(given: str) -> int:
    return int(given[:6]) if given.isascii() and given.isdigit() else 0


def _lost_rows(visit: Visit) -> list[LostRows]:
    """What the last import of each kind left out."""
    try:
        answer = visit.ask("sync_status", {"runs": True})
    except (AnswerIsError, InvocationFailed):
        return []
    latest: dict[str, Json] = {}
    for run in rows(answer, "finished"):
        kind, request = text(run, "kind"), section(run, "request")
        if kind.startswith("import_") and not request.get("dry_run"):
            latest.setdefault(kind.removeprefix("import_"), run)
    return [
        LostRows(
            name,
            text(run, "ended"),
            [{key: text(row, key) for key in ("rillet_id", "name", "what", "remedy")} for row in lost],
            [text(row, "rillet_id") for row in lost if text(row, "rillet_id")],
        )
        for name, run in latest.items()
        if (lost := rows(section(run, "result"), "failures"))
    ]


def _dead_letters(status: Json) -> list[tuple[str, Any]]:
    """The dead-letter queues that hold messages, or whose number is not known."""
    counted = section(status, "dead_letters_of_all_connections")
    return [(name, number) for name, number in counted.items() if number]
