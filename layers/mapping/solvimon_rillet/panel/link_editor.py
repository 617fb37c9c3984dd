"""The control that links a record of Solvimon to one of Rillet: what to choose from, likely ones first."""

from dataclasses import dataclass
from difflib import SequenceMatcher

from solvimon_rillet.panel.causes import LINKABLE
from solvimon_rillet.panel.functions import AnswerIsError, InvocationFailed
from solvimon_rillet.panel.reading import Json, count, rows, text
from solvimon_rillet.panel.visit import Visit

_SUGGESTED = 4
_LIKE = 0.6
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
        others: all others of this page of the list.
        problem: why there is no list; empty if there is one.
        more: page of the list that follows; 0 if none does.
    """

    kind: str
    id: str
    name: str
    field: str
    suggested: list[Choice]
    others: list[Choice]
    problem: str
    more: int


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
    page = _page(visit.query.get("page", ""))
    answer: Json = {}
    problem = ""
    try:
        answer = visit.ask("link_records", {"list": LINKABLE[kind], "only": "unlinked", "page": page})
    except AnswerIsError as error:
        problem = f"{error.error} {error.remedy}".strip()
    except InvocationFailed as error:
        problem = f"The list of Rillet's {LINKABLE[kind]} could not be read: link_records {error}."
    found = rows(answer, "rows")
    named = next((text(row, "solvimon_name") for row in found if text(row, "solvimon_id") == identity), "")
    name = name or named or identity
    choices = [
        Choice(text(row, "rillet_id"), text(row, "rillet_name"), "")
        for row in found
        if text(row, "rillet_id") and not text(row, "solvimon_id")
    ]
    likely = _likely(name, choices)
    known = {choice.id for choice in likely}
    return Editor(
        kind=kind,
        id=identity,
        name=name,
        field=_FIELDS[kind],
        suggested=likely,
        others=[choice for choice in choices if choice.id not in known],
        problem=problem,
        more=count(answer, "next_page"),
    )


def _likely(name: str, choices: list[Choice]) -> list[Choice]:
    """The choices with a similar name, the most similar first."""
    own, rated = _plain(name), list[tuple[float, Choice]]()
    matcher = SequenceMatcher(None, "", own)
    for choice in choices:
        matcher.set_seq1(_plain(choice.name))
        # The quick ones are upper bounds.
        if matcher.real_quick_ratio() >= _LIKE and matcher.quick_ratio() >= _LIKE:
            rated.append((matcher.ratio(), choice))
    rated.sort(key=lambda pair: -pair[0])
    return [
        Choice(choice.id, choice.name, "same name" if _plain(choice.name) == own else "similar name")
        for ratio, choice in rated[:_SUGGESTED]
        if ratio >= _LIKE
    ]


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _page(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and int(given[:6]) > 0 else 1
