"""Lists of documents, page by page, and the search by number, id or customer.

All documents of a kind are listed by the rows of ``ledger/document_index.py``, those in one state by the
table's index; their records are then read in one batch. Records of earlier versions have no rows; they follow
after those that have.

No index knows causes, currencies and dates. A list that is filtered by them reads on until its page is full,
or ``MOST_READ`` documents were looked at; its ``next`` continues behind the last of them.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from solvimon_rillet.errors import SolvimonRilletError
from solvimon_rillet.events import is_id
from solvimon_rillet.formatting import clip
from solvimon_rillet.ledger.document_index import INDEXED_AT
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, CUSTOMER, INVOICE, DocumentType
from solvimon_rillet.ledger.ledger import Document, Ledger
from solvimon_rillet.workflows.status.document_filter import DocumentFilter
from solvimon_rillet.workflows.status.entries import TYPES, DocumentEntry, read_entries
from solvimon_rillet.workflows.status.wording import DOCUMENT_NOUNS

PAGE_DOCUMENTS = 50
MOST_READ = 1_000
"""Documents that are looked at for one page of a filtered list; the page may then be short, or empty."""
_READ_AT_ONCE = 100
_EARLIER = ("rejected", "differs", "sending", "claimed", "exported", "synced", "marked", "skipped")
"""The order in which records of earlier versions are listed: what needs a person first."""

Json = dict[str, Any]
ListedEntry = tuple[DocumentEntry, Json]
"""A document, and where a list continues after it."""
Read = Callable[[Mapping[str, Any], int], tuple[list[ListedEntry], Json]]
"""Reads the next documents from a place on: some of them, at most, and where they end."""


class InvalidToken(SolvimonRilletError):
    """The token of a next page is none that an answer gave."""

    remedy = "Send the text that the page before has under next, or leave it out for the first page."

    def __init__(self) -> None:
        super().__init__("after: this is no token that an answer gave as next.")


class DocumentLists:
    """Lists one connection's documents.

    Args:
        connection: its name.
        ledger: the ledger.
        clock: unix seconds.
    """

    def __init__(self, connection: str, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._ledger = ledger
        self._clock = clock

    def page(self, wanted: DocumentFilter, after: str | None, limit: int) -> Json:
        """A page of the documents of a kind, the newest first.

        Args:
            wanted: their kind, and which of them.
            after: ``next`` of the page before.
            limit: documents of a page.

        Raises:
            InvalidToken: ``after`` is none that an answer gave.
            RetryLater: the ledger does not answer.
        """
        kind = TYPES[str(wanted.kind)]
        read = partial(self._in_state, kind, wanted.state) if wanted.state else partial(self._all, kind)
        found, ended, looked_at = _wanted(read, _from_token(after), limit, wanted)
        return self._answer(found, ended, f"{DOCUMENT_NOUNS[kind.name][1]}{wanted.in_words()}", looked_at)

    def search(
        self, text: str, wanted: DocumentFilter, after: str | None = None, limit: int = PAGE_DOCUMENTS
    ) -> Json:
        """The documents with a number, an id, or a customer whose name begins with a text.

        Raises:
            InvalidToken: ``after`` is none that an answer gave.
            RetryLater: the ledger does not answer.
        """
        text, start = text.strip(), _from_token(after)
        what = f"documents for “{clip(text, 100)}”{wanted.in_words()}"
        if named := [] if start else self._named(text, limit):
            entries = read_entries(self._ledger, named)
            return self._answer([entry for entry in entries if wanted.matches(entry)], {}, what, 0)
        found, ended, looked_at = _wanted(partial(self._of_name, text), start, limit, wanted)
        return self._answer(found, ended, what, looked_at)

    def _named(self, text: str, limit: int) -> list[Document]:
        """The documents with a number or an id, and those of the customer with an id."""
        documents = self._ledger.index.with_number(self._connection, text, limit)
        if documents or not is_id(text):
            return documents
        documents = [entry.document for entry in self._with_id(text)]
        if text.startswith("cust_") or (documents and documents[0].kind == CUSTOMER.name):
            more, _ = self._ledger.index.of_customer(self._connection, text, limit)
            documents = [*documents, *more]
        return documents

    def _of_name(self, text: str, start: Mapping[str, Any], limit: int) -> tuple[list[ListedEntry], Json]:
        """The documents of customers whose name begins with a text."""
        before = str(start.get("name", ""))
        found, ended = self._ledger.index.with_name(self._connection, text, limit, before)
        places = [(document, {"name": place}) for document, place in found]
        return self._entries(places), {"name": ended} if ended else {}

    def _with_id(self, identifier: str) -> list[DocumentEntry]:
        """The documents with an id of Solvimon or of Rillet."""
        own = [Document(self._connection, kind.name, identifier) for kind in (INVOICE, CREDIT_MEMO, CUSTOMER)]
        kinds = (INVOICE, CREDIT_MEMO)
        links = [Document(self._connection, f"link-rillet-{kind.name}", identifier) for kind in kinds]
        named = self._ledger.read_many(links)
        linked = [
            Document(self._connection, link.kind.removeprefix("link-rillet-"), str(item["solvimon_id"]))
            for link, item in named.items()
            if "solvimon_id" in item
        ]
        return read_entries(self._ledger, [*own, *linked])

    def _in_state(
        self, kind: DocumentType, state: str, start: Mapping[str, Any], limit: int
    ) -> tuple[list[ListedEntry], Json]:
        page, ended = self._ledger.page_in_state(
            self._connection, kind.name, state, limit=limit, after=_token_position(start)
        )
        places = [(document, _place(state, document, item)) for document, item in page]
        return self._entries(places), {"state": state, "key": list(ended)} if ended else {}

    def _all(
        self, kind: DocumentType, start: Mapping[str, Any], limit: int
    ) -> tuple[list[ListedEntry], Json]:
        """The documents in the order of their rows, then those of earlier versions."""
        found = list[ListedEntry]()
        if "state" not in start:
            before = str(start.get("row", ""))
            places, row = self._ledger.index.newest(self._connection, kind.name, limit, before)
            found = self._entries([(document, {"row": place}) for document, place in places])
            if row:
                return found, {"row": row}
        if self._ledger.index.is_complete(self._connection, kind.name):
            return found, {}
        earlier, ended = self._earlier(kind, start, limit - len(found))
        return [*found, *earlier], ended

    def _earlier(
        self, kind: DocumentType, start: Mapping[str, Any], limit: int
    ) -> tuple[list[ListedEntry], Json]:
        """Documents whose records have no rows, by their state."""
        states = [state for state in _EARLIER if state in kind.states]
        begin = states.index(start["state"]) if start.get("state") in states else 0
        found, first = list[ListedEntry](), self._ledger.index.first_time(self._connection, kind.name)
        for state in states[begin:]:
            key = _token_position(start) if state == start.get("state") else None
            while True:
                page, key = self._ledger.page_in_state(
                    self._connection,
                    kind.name,
                    state,
                    limit=max(1, limit - len(found)),
                    after=key,
                    until=first,
                )
                read = self._entries([(document, _place(state, document, item)) for document, item in page])
                found += [listed for listed in read if INDEXED_AT not in listed[0].record]
                if len(found) >= limit and key:
                    return found, {"state": state, "key": list(key)}
                if not key:
                    break
        if not found and not start:
            self._ledger.index.mark_complete(self._connection, kind.name)
        return found, {}

    def _entries(self, places: Iterable[tuple[Document, Json]]) -> list[ListedEntry]:
        """The records of documents in a list."""
        place_of = dict(places)
        return [(entry, place_of[entry.document]) for entry in read_entries(self._ledger, place_of)]

    def _answer(
        self, found: list[DocumentEntry], ended: Mapping[str, Any], what: str, looked_at: int
    ) -> Json:
        now = int(self._clock())
        said = f"{len(found)} {what}" if found else f"No {what}"
        if ended:
            said += "; there are more" if not looked_at else _more(looked_at)
        return {
            "connection": self._connection,
            "documents": [entry.as_row(now) for entry in found],
            "next": _as_token(ended) if ended else None,
            **({"looked_at": looked_at} if looked_at else {}),
            "in_words": f"{said}.",
        }


def _wanted(
    read: Read, start: Mapping[str, Any], limit: int, wanted: DocumentFilter
) -> tuple[list[DocumentEntry], Json, int]:
    """A page of the documents that match.

    Returns:
        The documents, where they end, and how many were looked at; 0 where none was left out.
    """
    at_once, most = (limit, limit) if wanted.is_empty else (_READ_AT_ONCE, MOST_READ)
    found, looked_at, ended = list[DocumentEntry](), 0, dict[str, Any]()
    for _ in range(0, most, at_once):
        rows, ended = read(start, at_once)
        for left, (entry, place) in zip(reversed(range(len(rows))), rows, strict=True):
            looked_at += 1
            if wanted.matches(entry):
                found.append(entry)
            if len(found) == limit and left:
                ended = place
                break
        if not ended or len(found) == limit:
            break
        start = ended
    return found, ended, 0 if wanted.is_empty else looked_at


def _more(looked_at: int) -> str:
    """What follows a page that may be short because enough was read for it."""
    return f", of {looked_at:,} that were looked at; go on with next for the others"


def _place(state: str, document: Document, item: Mapping[str, Any]) -> Json:
    return {"state": state, "key": [int(item["updated_at"]), document.id]}


def kind_named(name: str) -> DocumentType:
    """The document type with a name."""
    return TYPES[name]


def _token_position(start: Mapping[str, Any]) -> tuple[int, str] | None:
    """Time and id of the last document of a page, from a token."""
    key = start.get("key")
    if key is None:
        return None
    if isinstance(key, list) and len(key) == 2 and isinstance(key[0], int) and is_id(key[1]):
        return key[0], key[1]
    raise InvalidToken


def _as_token(ended: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(ended).encode()).decode().rstrip("=")


def _from_token(token: str | None) -> dict[str, Any]:
    if not token:
        return {}
    try:
        start = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, RecursionError):
        start = None
    if not isinstance(start, dict):
        raise InvalidToken
    return start
