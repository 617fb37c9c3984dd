"""The story of one document: what happened to it, what to do, and the buttons that do it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode, urlsplit

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.causes import LINKABLE
from solvimon_rillet.panel.documents import ID_NAMES, MARKS, STATES, document_path
from solvimon_rillet.panel.outcomes import first_result, result_lines, result_text
from solvimon_rillet.panel.page import Outcome, Route
from solvimon_rillet.panel.reading import Json, rows, section, text
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.visit import Visit

FUNCTIONS = {
    "invoice": "export_invoice",
    "credit_memo": "export_credit_memo",
    "customer": "sync_customer",
    "payment": "mark_invoice_paid",
}
"""The function that does the work on a kind of documents."""
_NOUNS = {"invoice": "Invoice", "credit_memo": "Credit note", "customer": "Customer", "payment": "Payment"}
_ID = re.compile(r"[a-z]{2,8}_\w{1,80}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MARKS = {
    "exported": "booked",
    "synced": "booked",
    "marked": "booked",
    "settled_by_hand": "booked",
    "differs": "differs",
    "rejected": "needs",
    "refused": "needs",
    "skipped": "skipped",
    "waits": "waits",
    "answer_lost": "waits",
}
_VERDICTS = {"booked": "agrees", "needs": "apart", "differs": "apart"}
_NOTE_LENGTH = 500
_HEADLINE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of what happened."""

    at: str
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Side:
    """The amounts of one side; empty where they are not known."""

    name: str
    net: str
    tax: str
    gross: str
    open: str


def show(visit: Visit, kind: str, document: str) -> Response[str]:
    """The story; what is no id, such as a number, is searched for."""
    if not _ID.fullmatch(document):
        return visit.redirect(f"/documents?{urlencode({'q': document})}")
    if kind not in ID_NAMES:
        kind = "invoice"
    answer = visit.ask("sync_status", {ID_NAMES[kind]: document})
    instead = section(answer, "ask_instead")
    for other, id_name in ID_NAMES.items():
        if id_name in instead and other != kind and other != "payment":
            return show(visit, other, document)
    view = _view(answer, kind, document)
    return visit.render("story.html.j2", view["number"], {"view": view})


def retry(visit: Visit, kind: str, document: str) -> Outcome:
    """Try a document again."""
    return _run(visit, kind, document, dry_run=False)


def dry_run(visit: Visit, kind: str, document: str) -> Outcome:
    """Show what would be sent, and send nothing."""
    return _run(visit, kind, document, dry_run=True)


def review(visit: Visit, kind: str, document: str) -> Response[str]:
    """Show what a manual resolution would record, before it is final."""
    answer = visit.ask("sync_status", {ID_NAMES.get(kind, "invoice_id"): document})
    view = _view(answer, kind, document)
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


_PATH = "/documents/<kind>/<document>"
ROUTES: list[Route] = [
    Route("GET", _PATH, Role.VIEWER, show),
    Route("GET", f"{_PATH}/resolve", Role.OPERATOR, review),
    Route("POST", f"{_PATH}/retry", Role.OPERATOR, retry, "retry"),
    Route("POST", f"{_PATH}/dry-run", Role.VIEWER, dry_run, "dry-run"),
    Route("POST", f"{_PATH}/resolve", Role.OPERATOR, resolve, "resolve"),
]
"""The routes of a document."""


def _run(visit: Visit, kind: str, document: str, *, dry_run: bool) -> Outcome:
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
        view=_dry_run_view(result) if dry_run else {},
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


def _view(answer: Json, kind: str, document: str) -> dict[str, Any]:
    state = text(answer, "state")
    mark = MARKS.get(state, "skipped")
    known = answer.get("known", True) is not False
    links = section(answer, "links")
    headline, message = _headline(answer)
    return {
        "known": known,
        "kind": kind,
        "noun": _NOUNS.get(kind, "Document"),
        "id": document,
        "path": document_path(kind, document),
        "number": text(answer, "number") or document,
        "customer": text(answer, "customer"),
        "amount": text(answer, "amount"),
        "currency": text(answer, "currency"),
        "dated": text(answer, "dated"),
        "mark": mark if known else "todo",
        "state": STATES.get(state, state) if known else "Not known",
        "verdict": _VERDICTS.get(mark, "") if known else "",
        "headline": headline,
        "message": message,
        "fix_page": "needs-attention" if mark in {"needs", "differs"} and known else "",
        "where": text(answer, "where"),
        "what_to_do": text(answer, "what_to_do"),
        "meanings": [str(each) for each in answer.get("what_it_means") or ()],
        "can_retry": bool(section(answer, "retry") or section(answer, "act")),
        "can_resolve": bool(section(answer, "if_done_by_hand")),
        "primary": mark in {"needs", "differs"},
        "to_link": _to_link(answer),
        "sides": _sides(answer),
        "difference": _difference(answer),
        "moments": [_moment(row) for row in reversed(rows(answer, "attempts"))],
        "rillet_id": text(answer, "rillet_id"),
        "rillet_number": text(answer, "rillet_number"),
        "note": text(answer, "note"),
        "warnings": [str(each) for each in answer.get("warnings") or ()],
        "payment": text(section(answer, "payment"), "in_words"),
        "credits": [
            (text(row, "amount"), text(row, "credit_note_id") or text(row, "rillet_id"))
            for row in rows(answer, "credits")
        ],
        "tries": sum(row.get("what") == "sent" for row in rows(answer, "attempts")),
        "desk": _web(text(links, "desk")),
        "rillet": _web(text(links, "rillet")),
    }


def _to_link(answer: Json) -> dict[str, str]:
    """The record that has no link to Rillet, and the path of the control for it; empty if it is not that."""
    culprit = section(answer, "culprit")
    kind, record = text(culprit, "kind"), text(culprit, "id")
    if kind not in LINKABLE or not record:
        return {}
    key = urlencode({"fix": f"{kind}:{record}"})
    return {"kind": kind, "name": text(culprit, "name") or record, "path": f"/needs-attention?{key}#fix"}


def _headline(answer: Json) -> tuple[str, str]:
    """The sentence above all others, and a longer one below it."""
    said = text(answer, "message") or text(answer, "reason")
    if _to_link(answer):
        return text(answer, "title"), said
    if len(said) <= _HEADLINE_LENGTH:
        return (said or text(answer, "in_words")).rstrip("."), ""
    return text(answer, "in_words").rstrip("."), said


def _web(address: str) -> str:
    """An address that a link may lead to; empty for any other."""
    return address if urlsplit(address).scheme in {"https", "http"} else ""


def _sides(answer: Json) -> list[Side]:
    sent = next(
        (section(row, "sent") for row in reversed(rows(answer, "attempts")) if section(row, "sent")), {}
    )
    totals, ours = section(answer, "totals"), section(section(sent, "sent"), "totals")
    sides = []
    if ours or text(answer, "amount"):
        sides.append(_side("Solvimon", ours or {"gross": text(answer, "amount")}, ""))
    if totals:
        sides.append(_side("Rillet", totals, text(answer, "open_amount")))
    return sides


def _side(name: str, totals: Json, left: str) -> Side:
    return Side(name, text(totals, "net"), text(totals, "tax"), text(totals, "gross"), left)


def _difference(answer: Json) -> Side | None:
    """Rillet minus Solvimon, where both sides are known."""
    sides = _sides(answer)
    if len(sides) < 2:
        return None
    solvimon, rillet = sides
    return Side(
        "Difference",
        _minus(rillet.net, solvimon.net),
        _minus(rillet.tax, solvimon.tax),
        _minus(rillet.gross, solvimon.gross),
        "",
    )


def _minus(left: str, right: str) -> str:
    try:
        return str(Decimal(left) - Decimal(right))
    except InvalidOperation:
        return ""


def _moment(row: Json) -> Moment:
    said = section(row, "came_back") or section(row, "said")
    parts = [text(row, "in_words").rstrip(".")]
    parts += [text(said, name).rstrip(".") for name in ("message", "reason", "note") if text(said, name)]
    if text(row, "since"):
        parts.append(f"{text(row, 'times')} times since {text(row, 'since')[:16].replace('T', ' ')}")
    by = text(row, "by") or text(said, "by")
    if by and by != "unknown":
        parts.append(f"by {by}")
    return Moment(text(row, "at"), _MARKS.get(text(row, "what"), "sends"), ". ".join(parts) + ".")


def _dry_run_view(result: Json) -> Mapping[str, Any]:
    """The field table of a dry run: Rillet's field, its value, and where the value comes from."""
    sources, payload = section(result, "came_from"), result.get("payload") or result.get("changes") or {}
    fields = [
        {"field": path, "value": value, "source": _source(path, sources)}
        for path, value in _flat(payload, "")
    ]
    totals = section(result, "tie_out")
    return {
        "fields": fields,
        "totals": {name: text(totals, name) for name in ("currency", "net", "tax", "gross")},
        "explanation": [str(each) for each in result.get("explanation") or ()],
    }


def _source(path: str, sources: Json) -> str:
    """The source of a field, or of the object that it is in."""
    while path:
        if path in sources:
            return str(sources[path])
        path = re.sub(r"(\.[^.\[]+|\[\d+\])$", "", path) if re.search(r"[.\[]", path) else ""
    return ""


def _flat(value: Any, path: str) -> list[tuple[str, str]]:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return [
            pair
            for name, part in value.items()
            for pair in _flat(part, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(value, list):
        return [pair for index, part in enumerate(value) for pair in _flat(part, f"{path}[{index}]")]
    return [(path, "" if value is None else str(value).lower() if isinstance(value, bool) else str(value))]
