"""Documents: find one by its number, its customer or its id, or go through a list."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.csv_rows import CSV, as_csv
from solvimon_rillet.panel.documents import DocumentRow, document_row
from solvimon_rillet.panel.page import Page
from solvimon_rillet.panel.pages import story
from solvimon_rillet.panel.reading import rows, text
from solvimon_rillet.panel.visit import Visit

PAGE = Page("documents")
PAGE.routes += story.ROUTES

_PAGE_SIZE = 50
_KINDS = {
    "invoice": "Invoices",
    "credit_memo": "Credit notes",
    "customer": "Customers",
    "payment": "Payments",
}
_STATES = {
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
_COLUMNS = (
    *("number", "customer", "date", "amount", "currency", "state", "rillet_number", "changed", "id"),
    "message",
)


@PAGE.get("/documents")
def show(visit: Visit) -> Response[str]:
    """A page of documents."""
    query = visit.query
    kind = query.get("kind", "invoice") if query.get("kind") in _KINDS else "invoice"
    chosen = "exported" if query.get("state") in _BOOKED.values() else query.get("state", "")
    state = chosen if chosen in _STATES else ""
    search = query.get("q", "").strip()[:200]
    if search:
        event: dict[str, Any] = {"search": search}
    else:
        named = _BOOKED.get(kind, state) if state == "exported" else state
        after = query.get("after") or None
        event = {"documents": {"kind": kind, "state": named or None, "after": after, "limit": _PAGE_SIZE}}
    answer = visit.ask("sync_status", event)
    found = [document_row(row) for row in rows(answer, "documents")]
    if query.get("as") == "csv":
        return _csv(found)
    here = {"kind": kind, "state": state, **({"q": search} if search else {})}
    view = {
        "search": search,
        "kind": kind,
        "state": state,
        "kinds": _KINDS,
        "states": _STATES,
        "rows": found,
        "in_words": text(answer, "in_words"),
        "next": _address(here, after=text(answer, "next")) if text(answer, "next") else "",
        "first": _address(here) if query.get("after") else "",
        "csv": _address({**here, "after": query.get("after", "")}, **{"as": "csv"}),
    }
    return visit.render("documents.html.j2", "Documents", {"view": view})


def _address(query: Mapping[str, str], **more: str) -> str:
    return f"/documents?{urlencode({name: value for name, value in {**query, **more}.items() if value})}"


def _csv(found: list[DocumentRow]) -> Response[str]:
    table = [[str(getattr(row, name)) for name in _COLUMNS] for row in found]
    headers = {"content-disposition": 'attachment; filename="documents.csv"'}
    return Response(200, CSV, as_csv(_COLUMNS, table), headers)
