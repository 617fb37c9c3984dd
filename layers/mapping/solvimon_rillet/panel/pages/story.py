"""The page of one document: its story, and the buttons that do something about it."""

import re
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.document_story import story_view
from solvimon_rillet.panel.documents import ID_NAMES, document_path
from solvimon_rillet.panel.dry_run import dry_run_view
from solvimon_rillet.panel.outcomes import first_result, result_lines, result_text
from solvimon_rillet.panel.page import Outcome, Route
from solvimon_rillet.panel.reading import Json, section, text
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.visit import Visit

FUNCTIONS = {
    "invoice": "export_invoice",
    "credit_memo": "export_credit_memo",
    "customer": "sync_customer",
    "payment": "mark_invoice_paid",
}
"""The function that does the work on a kind of documents."""
_SOLVIMON_ID = re.compile(r"[a-z]{2,8}_\w{1,80}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NOTE_LENGTH = 500


def show(visit: Visit, kind: str, document: str) -> Response[str]:
    """The story; what is no id, such as a number, is searched for."""
    if not _SOLVIMON_ID.fullmatch(document):
        return visit.redirect(f"/documents?{urlencode({'q': document})}")
    if kind not in ID_NAMES:
        kind = "invoice"
    answer = visit.ask("sync_status", {ID_NAMES[kind]: document})
    instead = section(answer, "ask_instead")
    for other, id_name in ID_NAMES.items():
        if id_name in instead and other != kind and other != "payment":
            return show(visit, other, document)
    view = story_view(answer, kind, document)
    return visit.render("story.html.j2", view["number"], {"view": view})


def retry_document(visit: Visit, kind: str, document: str) -> Outcome:
    """Try a document again."""
    return _run_document(visit, kind, document, dry_run=False)


def dry_run_again(visit: Visit, kind: str, document: str) -> Outcome:
    """Show what would be sent, and send nothing."""
    return _run_document(visit, kind, document, dry_run=True)


def review_resolution(visit: Visit, kind: str, document: str) -> Response[str]:
    """Show what a manual resolution would record, before it is final."""
    answer = visit.ask("sync_status", {ID_NAMES.get(kind, "invoice_id"): document})
    view = story_view(answer, kind, document)
    how, note = visit.query.get("how", ""), visit.query.get("note", "").strip()
    problem, rillet_id = _resolution(how, visit.query.get("rillet", ""), note, answer)
    effect = (
        f"It is recorded as booked in Rillet as {rillet_id}. Payments follow automatically."
        if rillet_id
        else "It is recorded as not for Rillet. Webhooks and the sweep leave it alone. You can undo that."
    )
    more = {"problem": problem, "rillet_id": rillet_id, "note": note, "effect": effect}
    return visit.render("review.html.j2", f"Resolve {view['number']}", {"view": view, **more})


def resolve(visit: Visit, kind: str, document: str) -> Outcome:
    """Record a manual resolution."""
    rillet_id = visit.form.get("rillet_id") or None
    resolution = {
        ID_NAMES.get(kind, "invoice_id"): document,
        "rillet_id": rillet_id,
        "note": visit.form.get("note"),
    }
    answered = visit.act("sync_status", visit.event(resolve=resolution))
    answer = answered.answer
    number, booked_as = visit.form.get("number") or document, text(answer, "rillet_number") or rillet_id
    return Outcome(
        what="Resolved by hand",
        on=number,
        state="booked" if rillet_id else "skipped",
        text=f"Booked by hand as {booked_as}" if rillet_id else "Not for Rillet",
        lines=(*result_lines(answer), *filter(None, [f"Note: {visit.form.get('note')}"])),
        answer=answer,
        function="sync_status",
        event=answered.invocation.event,
        template="resolved.html.j2",
        view={"path": document_path(kind, document), "can_undo": bool(section(answer, "undo"))},
        links=((number, document_path(kind, document)),),
        path=document_path(kind, document),
    )


_DOCUMENT_PATH = "/documents/<kind>/<document>"
ROUTES: list[Route] = [
    Route("GET", _DOCUMENT_PATH, Role.VIEWER, show),
    Route("GET", f"{_DOCUMENT_PATH}/resolve", Role.OPERATOR, review_resolution),
    Route("POST", f"{_DOCUMENT_PATH}/retry", Role.OPERATOR, retry_document, "retry"),
    Route("POST", f"{_DOCUMENT_PATH}/dry-run", Role.VIEWER, dry_run_again, "dry-run"),
    Route("POST", f"{_DOCUMENT_PATH}/resolve", Role.OPERATOR, resolve, "resolve"),
]
"""The routes of a document."""


def _run_document(visit: Visit, kind: str, document: str, *, dry_run: bool) -> Outcome:
    function = FUNCTIONS.get(kind, "export_invoice")
    fields: dict[str, Any] = {f"{ID_NAMES.get(kind, 'invoice_id')}s": [document]}
    answered = visit.act(function, visit.event(**fields, **({"dry_run": True} if dry_run else {})))
    result = first_result(answered.answer)
    state, words = result_text(result)
    number = visit.form.get("number") or document
    return Outcome(
        what="Dry run" if dry_run else "Tried again",
        on=number,
        state=state,
        text=words,
        lines=result_lines(result),
        answer=answered.answer,
        function=function,
        event=answered.invocation.event,
        template="dry_run.html.j2" if dry_run else "",
        view=dry_run_view(result) if dry_run else {},
        links=((number, document_path(kind, document)),),
        path=document_path(kind, document),
    )


def _resolution(how: str, rillet: str, note: str, answer: Json) -> tuple[str, str]:
    """The problem of a form, and the id of Rillet's document."""
    if not note:
        return "The note is missing. It is for the auditor: who did what, and why.", ""
    if len(note) > _NOTE_LENGTH:
        return f"The note has {len(note)} characters; at most {_NOTE_LENGTH} are kept.", ""
    if how == "skip":
        return "", ""
    known = text(answer, "rillet_id")
    if known and rillet.strip() in {known, text(answer, "rillet_number")}:
        return "", known
    if found := _UUID.search(rillet):
        return "", found[0].lower()
    return (
        "The address of the document in Rillet is missing, or its id: the long text with four hyphens in its "
        "address. A number alone is not enough, because Rillet may give it twice.",
        "",
    )
