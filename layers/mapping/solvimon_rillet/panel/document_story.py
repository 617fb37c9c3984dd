"""The story of one document: what happened to it, what to do, and how both sides stand."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode, urlsplit

from solvimon_rillet.panel.causes import LINKABLE
from solvimon_rillet.panel.documents import MARKS, STATES, document_path
from solvimon_rillet.panel.reading import Json, rows, section, text

_NOUNS = {"invoice": "Invoice", "credit_memo": "Credit note", "customer": "Customer", "payment": "Payment"}
_STORY_MARKS = {
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
_SIDE_VERDICTS = {"booked": "agrees", "needs": "apart", "differs": "apart"}
_HEADLINE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class StoryLine:
    """A line of what happened."""

    at: str
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class SideAmounts:
    """The amounts of one side; empty where they are not known."""

    name: str
    net: str
    tax: str
    gross: str
    open: str


def story_view(answer: Json, kind: str, document: str) -> dict[str, Any]:
    """What the page of a document shows, from an answer about it."""
    state = text(answer, "state")
    mark = MARKS.get(state, "skipped")
    known = answer.get("known", True) is not False
    links = section(answer, "links")
    headline, message = _headline(answer)
    sides = _sides(answer)
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
        "verdict": _SIDE_VERDICTS.get(mark, "") if known else "",
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
        "sides": sides if any(side.net for side in sides) or len(sides) > 1 else [],
        "difference": _amounts_apart(answer),
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


def _sides(answer: Json) -> list[SideAmounts]:
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


def _side(name: str, totals: Json, left: str) -> SideAmounts:
    return SideAmounts(name, text(totals, "net"), text(totals, "tax"), text(totals, "gross"), left)


def _amounts_apart(answer: Json) -> SideAmounts | None:
    """Rillet minus Solvimon, where both sides are known."""
    sides = _sides(answer)
    if len(sides) < 2:
        return None
    solvimon, rillet = sides
    return SideAmounts(
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


def _moment(row: Json) -> StoryLine:
    said = section(row, "came_back") or section(row, "said")
    parts = [text(row, "in_words").rstrip(".")]
    parts += [text(said, name).rstrip(".") for name in ("message", "reason", "note") if text(said, name)]
    if text(row, "since"):
        parts.append(f"{text(row, 'times')} times since {text(row, 'since')[:16].replace('T', ' ')}")
    by = text(row, "by") or text(said, "by")
    if by and by != "unknown":
        parts.append(f"by {by}")
    return StoryLine(text(row, "at"), _STORY_MARKS.get(text(row, "what"), "sends"), ". ".join(parts) + ".")
