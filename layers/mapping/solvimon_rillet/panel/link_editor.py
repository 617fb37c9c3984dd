"""The control that links a record of Solvimon to one of Rillet: what to choose from, likely ones first."""

from dataclasses import dataclass
from urllib.parse import urlencode

from solvimon_rillet.panel.causes import LINKABLE
from solvimon_rillet.panel.functions import AnswerIsError, InvocationFailed
from solvimon_rillet.panel.reading import Json, count, rows, text
from solvimon_rillet.panel.visit import Visit

CREATE = "create"
"""The choice of a record that Rillet is to get, because none of those that it has is the same."""
_FIELDS = {
    "product": "Rillet Product ID",
    "customer": "Rillet Customer ID",
    "subsidiary": "Rillet Subsidiary ID",
}
"""The custom fields in Solvimon, by the guide's names."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A record of Rillet that nothing is linked to."""

    id: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Editor:
    """The control for one record.

    Attributes:
        kind: ``product``, ``customer`` or ``subsidiary``.
        id: Solvimon's.
        name: Solvimon's.
        field: the custom field that is written.
        suggested: records with the same or a similar name.
        taken: names of records that are alike, and linked to another record.
        others: all others of this page of the list.
        number: of all records that the list has.
        find: the part of a name by which the list is searched.
        creates: whether Rillet may get the record.
        problem: why there is no list; empty if there is one.
        more: query of the page of the list that follows; empty if none does.
    """

    kind: str
    id: str
    name: str
    field: str
    suggested: list[Choice]
    taken: list[str]
    others: list[Choice]
    number: int
    find: str
    creates: bool
    problem: str
    more: str


def editor_for(visit: Visit, chosen: str, name: str) -> Editor | None:
    """The control for a record.

    Args:
        visit: asks for the records of Rillet.
        chosen: kind and id, such as ``product:prod_AbC``.
        name: of the record, as far as it is known.
    """
    kind, _, identity = chosen.partition(":")
    if kind not in LINKABLE or not identity:
        return None
    page, find = _page(visit.query.get("page", "")), visit.query.get("find", "").strip()[:200]
    answer: Json = {}
    problem = ""
    event = {"candidates": {"kind": kind, "solvimon_id": identity}, "find": find, "page": page}
    try:
        answer = visit.ask("link_records", event)
    except AnswerIsError as error:
        problem = f"{error.error} {error.remedy}".strip()
    except InvocationFailed as error:
        problem = f"The list of Rillet's {LINKABLE[kind]} could not be read: link_records {error}."
    likely = [_choice(row) for row in rows(answer, "suggested") if text(row, "rillet_id")]
    known = {choice.id for choice in likely}
    others = [_choice(row) for row in rows(answer, "rows") if text(row, "rillet_id")]
    following = count(answer, "next_page")
    return Editor(
        kind=kind,
        id=identity,
        name=name or text(answer, "solvimon_name") or identity,
        field=_FIELDS[kind],
        suggested=likely,
        taken=[text(row, "rillet_name") for row in rows(answer, "alike_but_linked")],
        others=[choice for choice in others if choice.id not in known],
        number=count(answer, "number"),
        find=find,
        creates=bool(answer.get("may_be_created")),
        problem=problem,
        more=urlencode({"fix": chosen, "find": find, "page": following}) if following else "",
    )


def _choice(row: Json) -> Choice:
    alike = row.get("alike")
    shared = ", ".join(map(str, alike)) if isinstance(alike, list) and alike else ""
    return Choice(
        text(row, "rillet_id"), text(row, "rillet_name"), f"same {shared}" if shared else "similar name"
    )


def _page(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and int(given[:6]) > 0 else 1
