"""Documents: find one by its number, its customer or its id, or go through a list."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.csv_rows import CSV, as_csv
from solvimon_rillet.panel.documents import DocumentRow, document_row
from solvimon_rillet.panel.functions import AnswerIsError
from solvimon_rillet.panel.page import MenuPage
from solvimon_rillet.panel.pages import story
from solvimon_rillet.panel.reading import Json, count, rows, text
from solvimon_rillet.panel.visit import Visit

PAGE = MenuPage("documents")
PAGE.routes += story.ROUTES

_PAGE_SIZE = 50
_FILTERS = ("code", "currency", "from", "to")
_KIND_CHOICES = {
    "invoice": "Invoices",
    "credit_memo": "Credit notes",
    "customer": "Customers",
    "payment": "Payments",
}
_STATE_CHOICES = {
    "": "All",
    "rejected": "Needs you",
    "differs": "Differs",
    "sending": "Being sent, or waiting",
    "claimed": "Begun",
    "exported": "Booked",
    "skipped": "Skipped",
}
_BOOKED = {"customer": "synced", "payment": "marked"}
"""The state of a record that is done, where it is not ``exported``."""
_DOCUMENT_COLUMNS = (
    *("number", "customer", "date", "amount", "currency", "state", "rillet_number", "changed", "id"),
    "message",
)


@PAGE.get("/documents")
def show(visit: Visit) -> Response[str]:
    """A page of documents."""
    query = visit.query
    kind = query.get("kind", "invoice") if query.get("kind") in _KIND_CHOICES else "invoice"
    chosen = "exported" if query.get("state") in _BOOKED.values() else query.get("state", "")
    state = chosen if chosen in _STATE_CHOICES else ""
    search = query.get("q", "").strip()[:200]
    filters = {name: query.get(name, "").strip()[:64] for name in _FILTERS}
    named = _BOOKED.get(kind, state) if state == "exported" and not search else state
    listed = {
        **({"search": search} if search else {"kind": kind}),
        "state": named or None,
        **{name: value for name, value in filters.items() if value},
        "after": query.get("after") or None,
        "limit": _PAGE_SIZE,
    }
    problem, answer = "", dict[str, Any]()
    try:
        answer |= visit.ask("sync_status", {"documents": listed})
    except AnswerIsError as error:
        problem = _without_path(error.error)
    found = [document_row(row) for row in rows(answer, "documents")]
    if query.get("as") == "csv":
        return _csv(found)
    here = {"kind": kind, "state": state, **filters, **({"q": search} if search else {})}
    view = {
        "search": search,
        "kind": kind,
        "state": state,
        "filters": filters,
        "kinds": _KIND_CHOICES,
        "states": _STATE_CHOICES,
        "causes": _causes(visit.status(), filters["code"]),
        "rows": found,
        "problem": problem,
        "in_words": text(answer, "in_words").partition("; go on with next")[0].rstrip("."),
        "looked_at": count(answer, "looked_at"),
        "next": _documents_address(here, after=text(answer, "next")) if text(answer, "next") else "",
        "first": _documents_address(here) if query.get("after") else "",
        "csv": _documents_address({**here, "after": query.get("after", "")}, **{"as": "csv"}),
    }
    return visit.render("documents.html.j2", "Documents", {"view": view})


def _causes(status: Json, chosen: str) -> dict[str, str]:
    """The causes that a list can be filtered by: those of today, and the chosen one."""
    found = {"": "All"}
    for row in rows(status, "failures"):
        found.setdefault(text(row, "code"), text(row, "meaning").rstrip(".") or text(row, "code"))
    return {**found, **({chosen: chosen} if chosen not in found else {})}


def _without_path(error: str) -> str:
    """A problem of the request in the words of the form."""
    problem = error.removeprefix("documents: ").removeprefix("documents.")
    return problem[:1].upper() + problem[1:]


def _documents_address(query: Mapping[str, str], **more: str) -> str:
    return f"/documents?{urlencode({name: value for name, value in {**query, **more}.items() if value})}"


def _csv(found: list[DocumentRow]) -> Response[str]:
    table = [[str(getattr(row, name)) for name in _DOCUMENT_COLUMNS] for row in found]
    headers = {"content-disposition": 'attachment; filename="documents.csv"'}
    return Response(200, CSV, as_csv(_DOCUMENT_COLUMNS, table), headers)
