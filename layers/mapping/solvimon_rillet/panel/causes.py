"""What keeps documents from being booked, as a page shows it: by cause and culprit, or by reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from solvimon_rillet.formatting import format_duration, parse_timestamp
from solvimon_rillet.panel.documents import ID_NAMES, document_path
from solvimon_rillet.panel.reading import Json, amounts, count, rows, section, text
from solvimon_rillet.panel.rendering import plural

LINKABLE = {"product": "products", "customer": "customers", "subsidiary": "subsidiaries"}
"""The kinds of records that are linked, and their lists."""
NOUNS = {"invoice": "invoice", "credit_memo": "credit note", "customer": "customer", "payment": "payment"}
_MAX_IDS = 100


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """A document of a cause."""

    number: str
    path: str


@dataclass(frozen=True, slots=True)
class RecordToFix:
    """The record that is to be fixed; ``plural`` is empty if it is none that is linked."""

    kind: str
    id: str
    name: str
    plural: str

    @property
    def key(self) -> str:
        """Names it in an address."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class OpenCause:
    """Documents that fail, or wait, for the same reason.

    Attributes:
        title: what happened, with the name of the culprit.
        mark: class of the mark.
        state: in a word.
        amounts: by currency.
        documents: how many, with their noun.
        number: how many.
        age: of the oldest.
        since: the oldest, as a timestamp.
        code: of the error; empty for what waits.
        what_to_do: in words.
        named: the first documents.
        culprit: the record that is to be fixed.
        retry: fields of the form that tries all again; empty where that helps nothing.
        retry_number: how many that form tries.
        automatic: whether no person is needed.
        reconnect: whether the connection is broken.
        next_try: a timestamp; empty if it is not known.
        settings: whether a setting is the culprit.
        listed: path of the list of the documents with this cause.
    """

    title: str
    mark: str
    state: str
    amounts: list[tuple[str, str]]
    documents: str
    number: int
    age: str
    since: str
    code: str
    what_to_do: str
    named: list[NamedDocument]
    culprit: RecordToFix | None
    retry: Mapping[str, list[str]]
    retry_number: int
    automatic: bool = False
    reconnect: bool = False
    next_try: str = ""
    settings: bool = False
    listed: str = ""


def failing(status: Json, now: float) -> list[OpenCause]:
    """The failures of a status, the most money first."""
    answered = rows(status, "failures")
    by_code = dict[tuple[str, str], int]()
    for row in answered:
        if text(row, "state") != "differs":
            key = text(row, "kind"), text(row, "code")
            by_code[key] = by_code.get(key, 0) + count(row, "documents")
    found = [_failing(row, by_code, now) for row in answered]
    return sorted(found, key=_money, reverse=True)


def waiting(status: Json, now: float) -> list[OpenCause]:
    """What waits, what needs a person first."""
    found = [_waiting(row, now) for row in rows(status, "waiting")]
    return sorted(found, key=lambda cause: cause.automatic)


def age_of(since: str, now: float) -> str:
    """How long ago a timestamp was, in words; empty if it is none."""
    try:
        return format_duration(now - parse_timestamp(since)).removeprefix("about ") if since else ""
    except ValueError:
        return ""


def retry_event(kind: str, code: str, ids: list[str]) -> tuple[str, dict[str, Any]]:
    """The function that tries documents again, and the fields of its event.

    Args:
        kind: of the documents.
        code: the cause of all of them; empty to name the documents.
        ids: of the documents.
    """
    if code and kind in {"invoice", "credit_memo"}:
        return f"export_{kind}", {"retry": {"code": code}}
    function = {"customer": "sync_customer", "payment": "mark_invoice_paid"}.get(kind)
    kind = kind if kind in ID_NAMES else "invoice"
    return function or f"export_{kind}", {f"{ID_NAMES[kind]}s": ids[:_MAX_IDS]}


def culprit_of(row: Json) -> RecordToFix | None:
    """The record that a row of an answer names."""
    named = section(row, "culprit")
    kind, identity = text(named, "kind"), text(named, "id")
    if not (kind and identity):
        return None
    return RecordToFix(kind, identity, text(named, "name") or identity, LINKABLE.get(kind, ""))


def _failing(row: Json, by_code: Mapping[tuple[str, str], int], now: float) -> OpenCause:
    kind, code, state = text(row, "kind"), text(row, "code"), text(row, "state")
    number, culprit = count(row, "documents"), culprit_of(row)
    since, differs = text(section(row, "oldest"), "since"), state == "differs"
    can_retry = bool(section(row, "retry")) and not differs
    everywhere = by_code.get((kind, code), number) if kind in {"invoice", "credit_memo"} else number
    return OpenCause(
        title=(text(row, "title") or text(row, "meaning") or code).rstrip("."),
        mark="differs" if differs else "needs",
        state="Differs" if differs else "Needs you",
        amounts=amounts(row),
        documents=plural(number, NOUNS.get(kind, "document")),
        number=number,
        age=age_of(since, now),
        since=since,
        code=code,
        what_to_do=text(row, "what_to_do") or text(row, "remedy"),
        named=_named_documents(row, kind),
        culprit=culprit,
        retry={"kind": [kind], "code": [code], "ids": _ids(section(row, "retry"), row)} if can_retry else {},
        retry_number=everywhere,
        settings=bool(culprit and culprit.kind == "setting"),
        listed=f"/documents?{urlencode({'kind': kind, 'state': state, 'code': code})}",
    )


def _waiting(row: Json, now: float) -> OpenCause:
    kind, number, person = text(row, "kind"), count(row, "documents"), bool(row.get("needs_person"))
    act = section(row, "act")
    reconnect = text(act, "function") == "connect_rillet"
    since = text(section(row, "oldest"), "since")
    can_retry = person and bool(act) and not reconnect
    return OpenCause(
        title=(text(row, "reason") or "It waits").rstrip("."),
        mark="stopped" if reconnect else "needs" if person else "waits",
        state="Stopped" if reconnect else "Needs you" if person else "Waiting",
        amounts=amounts(row),
        documents=plural(number, NOUNS.get(kind, "document")),
        number=number,
        age=age_of(since, now),
        since=since,
        code=text(row, "code"),
        what_to_do=text(row, "what_to_do"),
        named=_named_documents(row, kind),
        culprit=None,
        retry={"kind": [kind], "code": [""], "ids": _ids(act, row)} if can_retry else {},
        retry_number=number,
        automatic=not person,
        reconnect=reconnect,
        next_try=text(row, "next_try"),
    )


def _ids(act: Json, row: Json) -> list[str]:
    """The documents that an act names, else those that the row shows."""
    event = section(act, "event")
    named = next((event[f"{name}s"] for name in ID_NAMES.values() if event.get(f"{name}s")), None)
    ids = named if isinstance(named, list) else row.get("ids")
    return [str(each) for each in ids] if isinstance(ids, list) else []


def _named_documents(row: Json, kind: str) -> list[NamedDocument]:
    """The first documents, by their numbers where each has one."""
    given, numbered = row.get("ids"), row.get("numbers")
    ids = [str(each) for each in given] if isinstance(given, list) else []
    numbers = [str(each) for each in numbered] if isinstance(numbered, list) else []
    names = numbers if len(numbers) == len(ids) else ids
    return [
        NamedDocument(name, document_path(kind, identity)) for name, identity in zip(names, ids, strict=True)
    ]


def _money(cause: OpenCause) -> Decimal:
    """The largest amount of a cause; amounts of several currencies are never added up."""
    found = [Decimal(0)]
    for amount, _ in cause.amounts:
        try:
            found.append(Decimal(amount))
        except InvalidOperation:
            continue
    return max(found)
