"""Mappings: which records of both systems are linked, which are proposed, and which have no link."""

from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.causes import LINKABLE
from solvimon_rillet.panel.csv_rows import csv_response
from solvimon_rillet.panel.page import Outcome, Route
from solvimon_rillet.panel.pages.mapping_files import PATIENCE_SECONDS, continued
from solvimon_rillet.panel.reading import Json, count, rows, text
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.visit import Visit

_KIND_OF_PLURAL = {plural: kind for kind, plural in LINKABLE.items()}
_TITLES = {"products": "Products", "customers": "Customers", "subsidiaries": "Subsidiaries"}
_ONLY = {
    "unlinked": "Not linked",
    "proposed": "Proposed",
    "ambiguous": "Doubtful",
    "linked": "Linked",
    "different": "Not the same",
}
_MAPPING_COLUMNS = ("solvimon_id", "solvimon_name", "rillet_id", "rillet_name", "alike")


def fix_path(kind: str, solvimon_id: str) -> str:
    """The path of the control that links a record."""
    return f"/needs-attention?{urlencode({'fix': f'{kind}:{solvimon_id}'})}#fix"


def list_path(kind: str) -> str:
    """The path of the list of a kind of records."""
    return f"/mappings/{LINKABLE.get(kind, 'products')}"


def show(visit: Visit, plural: str) -> Response[str]:
    """A page of records."""
    listed = plural if plural in _KIND_OF_PLURAL else "products"
    only = visit.query.get("only", "")
    only = only if only in _ONLY else "unlinked"
    given = visit.query.get("page", "")
    page = int(given[:6]) if given.isascii() and given.isdigit() and int(given[:6]) else 1
    find = visit.query.get("find", "").strip()[:200]
    wanted = {"list": listed, "only": only, "page": page, **({"find": find} if find else {})}
    answer = visit.ask("link_records", wanted)
    following = count(answer, "next_page")
    found = [_row(row, _KIND_OF_PLURAL[listed]) for row in rows(answer, "rows")]
    if visit.query.get("as") == "csv":
        return csv_response(
            _MAPPING_COLUMNS, [[row[name] for name in _MAPPING_COLUMNS] for row in found], f"{listed}.csv"
        )
    here = {"only": only, **({"find": find} if find else {})}
    this = {**here, **({"page": page} if page > 1 else {})}
    view = {
        "csv": _mappings_address(listed, this, **{"as": "csv"}),
        "plural": listed,
        "kind": _KIND_OF_PLURAL[listed],
        "titles": _TITLES,
        "only": only,
        "find": find,
        "choices": _ONLY,
        "number": count(answer, "number"),
        "rows": found,
        "next": _mappings_address(listed, here, page=following) if following else "",
    }
    return visit.render("mappings.html.j2", f"Links of {listed}", {"view": view})


def _mappings_address(listed: str, query: dict[str, Any], **more: Any) -> str:
    return f"/mappings/{listed}?{urlencode({**query, **more})}"


def accept(visit: Visit, plural: str) -> Outcome:
    """Link all proposals that are not doubtful."""
    kind = _KIND_OF_PLURAL.get(plural, "product")
    answered = visit.act(
        "link_records", visit.event(accept="all", kind=kind, within_seconds=PATIENCE_SECONDS)
    )
    answer = answered.answer
    results = rows(answer, "results")
    linked = sum(text(row, "outcome") == "linked" for row in results)
    refused = [
        f"{text(row, 'solvimon_name')}: {text(row, 'what')} {text(row, 'remedy')}"
        for row in results
        if text(row, "outcome") == "refused"
    ]
    left = count(answer, "remaining")
    said = [f"{left:,} are left: go back, and press the button again."] if left else []
    return _link_outcome(
        visit,
        plural,
        answered.invocation.event,
        answer,
        what="Accepted proposals",
        on=plural,
        text=f"{linked} of {len(results)} linked",
        lines=(*said, *refused),
        state="booked" if linked == len(results) else "needs",
    )


def differ(visit: Visit, plural: str) -> Outcome:
    """Say that two records are not the same, so that they are not proposed again."""
    pair = {
        "kind": _KIND_OF_PLURAL.get(plural, "product"),
        **{name: visit.form.get(name) for name in ("solvimon_id", "rillet_id")},
    }
    answered = visit.act("link_records", visit.event(different=pair))
    return _link_outcome(
        visit,
        plural,
        answered.invocation.event,
        answered.answer,
        what="Said that two records differ",
        on=visit.form.get("name"),
        text="They are not proposed again",
        lines=tuple(filter(None, [text(answered.answer, "note")])),
    )


def unlink(visit: Visit, plural: str) -> Outcome:
    """Remove the link of a record."""
    record = {"kind": _KIND_OF_PLURAL.get(plural, "product"), "solvimon_id": visit.form.get("solvimon_id")}
    answered = visit.act("link_records", visit.event(unlink=record))
    warnings = answered.answer.get("warnings")
    return _link_outcome(
        visit,
        plural,
        answered.invocation.event,
        answered.answer,
        what="Unlinked",
        on=visit.form.get("name"),
        text=f"{visit.form.get('name') or visit.form.get('solvimon_id')} has no Rillet record now",
        lines=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
    )


_PATH = "/mappings/<plural>"
ROUTES: list[Route] = [
    Route("GET", _PATH, Role.VIEWER, show),
    Route("POST", f"{_PATH}/accept", Role.OPERATOR, accept, "link"),
    Route("POST", f"{_PATH}/different", Role.OPERATOR, differ, "link"),
    Route("POST", f"{_PATH}/unlink", Role.OPERATOR, unlink, "link"),
]
"""The routes of mappings; the form that links is that of Needs attention."""


def _row(row: Json, kind: str) -> dict[str, Any]:
    alike = row.get("alike")
    solvimon_id = text(row, "solvimon_id")
    return {
        "solvimon_id": solvimon_id,
        "solvimon_name": text(row, "solvimon_name"),
        "rillet_id": text(row, "rillet_id"),
        "rillet_name": text(row, "rillet_name"),
        "alike": ", ".join(map(str, alike)) if isinstance(alike, list) else "",
        "fix": fix_path(kind, solvimon_id) if solvimon_id else "",
    }


def _link_outcome(
    visit: Visit,
    listed: str,
    event: Json,
    answer: Json,
    *,
    what: str,
    on: str,
    text: str,
    lines: tuple[str, ...] = (),
    state: str = "booked",
) -> Outcome:
    path = f"/mappings/{listed}"
    return Outcome(
        what=what,
        on=on,
        state=state,
        text=text,
        lines=(*continued(answer), *lines),
        answer=answer,
        function="link_records",
        event=event,
        links=(("Links", path), ("Needs attention", "/needs-attention")),
        path=path,
    )
