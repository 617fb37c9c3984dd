"""Lists of documents, page by page, and the search by number, id or customer.

All documents of a kind are listed by the rows of ``ledger/document_index.py``, those in one state by the
table's index; their records are then read in one batch. Records of earlier versions have no rows; they follow
after those that have.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from solvimon_rillet.errors import SolvimonRilletError
from solvimon_rillet.events import is_id
from solvimon_rillet.formatting import clip
from solvimon_rillet.ledger.document_index import INDEXED_AT
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, CUSTOMER, INVOICE, DocumentType
from solvimon_rillet.ledger.ledger import Document, Ledger
from solvimon_rillet.workflows.status.entries import TYPES, DocumentEntry, read_entries
from solvimon_rillet.workflows.status.wording import DOCUMENT_NOUNS

PAGE_DOCUMENTS = 50
_EARLIER = ("rejected", "differs", "sending", "claimed", "exported", "synced", "marked", "skipped")
"""The order in which records of earlier versions are listed: what needs a person first."""


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

    def page(self, kind: DocumentType, state: str | None, after: str | None, limit: int) -> dict[str, Any]:
        """A page of the documents of a kind, the newest first.

        Args:
            kind: their type.
            state: of their records; ``None`` for all.
            after: ``next`` of the page before.
            limit: documents of a page.

        Raises:
            InvalidToken: ``after`` is none that an answer gave.
            RetryLater: the ledger does not answer.
        """
        start = _from_token(after)
        if state:
            documents, ended = self._in_state(kind, state, start, limit)
            found = read_entries(self._ledger, documents)
        else:
            found, ended = self._all(kind, start, limit)
        noun = DOCUMENT_NOUNS[kind.name][1]
        return self._answer(found, ended, noun if state is None else f"{noun} in the state {state}")

    def search(self, text: str, after: str | None = None, limit: int = PAGE_DOCUMENTS) -> dict[str, Any]:
        """The documents with a number, an id, or a customer whose name begins with a text.

        Raises:
            InvalidToken: ``after`` is none that an answer gave.
            RetryLater: the ledger does not answer.
        """
        text, start, ended = text.strip(), _from_token(after), ""
        documents = [] if start else self._ledger.index.with_number(self._connection, text, limit)
        if not documents and not start and is_id(text):
            documents = [entry.document for entry in self._with_id(text)]
            own = documents[0] if documents and documents[0].kind == CUSTOMER.name else None
            if own or text.startswith("cust_"):
                more, _ = self._ledger.index.of_customer(self._connection, text, limit)
                documents = [*documents, *more]
        if not documents:
            before = str(start.get("name", "")) if start else ""
            documents, ended = self._ledger.index.with_name(self._connection, text, limit, before)
        found = read_entries(self._ledger, documents)
        return self._answer(found, {"name": ended} if ended else {}, f"documents for “{clip(text, 100)}”")

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
    ) -> tuple[list[Document], dict[str, Any]]:
        page, ended = self._ledger.page_in_state(
            self._connection, kind.name, state, limit=limit, after=_token_position(start)
        )
        return [document for document, _ in page], {"state": state, "key": ended} if ended else {}

    def _all(
        self, kind: DocumentType, start: Mapping[str, Any], limit: int
    ) -> tuple[list[DocumentEntry], dict[str, Any]]:
        """The documents in the order of their rows, then those of earlier versions."""
        found = list[DocumentEntry]()
        if "state" not in start:
            before = str(start.get("row", ""))
            documents, row = self._ledger.index.newest(self._connection, kind.name, limit, before)
            found = read_entries(self._ledger, documents)
            if row:
                return found, {"row": row}
        if self._ledger.index.is_complete(self._connection, kind.name):
            return found, {}
        earlier, ended = self._earlier(kind, start, limit - len(found))
        return [*found, *earlier], ended

    def _earlier(
        self, kind: DocumentType, start: Mapping[str, Any], limit: int
    ) -> tuple[list[DocumentEntry], dict[str, Any]]:
        """Documents whose records have no rows, by their state."""
        states = [state for state in _EARLIER if state in kind.states]
        begin = states.index(start["state"]) if start.get("state") in states else 0
        found, first = list[DocumentEntry](), self._ledger.index.first_time(self._connection, kind.name)
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
                read = read_entries(self._ledger, [document for document, _ in page])
                found += [entry for entry in read if INDEXED_AT not in entry.record]
                if len(found) >= limit and key:
                    return found, {"state": state, "key": key}
                if not key:
                    break
        if not found and not start:
            self._ledger.index.mark_complete(self._connection, kind.name)
        return found, {}

    def _answer(self, found: list[DocumentEntry], ended: Mapping[str, Any], what: str) -> dict[str, Any]:
        now = int(self._clock())
        count = f"{len(found)} {what}" if found else f"No {what}"
        return {
            "connection": self._connection,
            "documents": [entry.as_row(now) for entry in found],
            "next": _as_token(ended) if ended else None,
            "in_words": f"{count}{'; there are more' if ended else ''}.",
        }


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
