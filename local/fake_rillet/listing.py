"""Lists: checked query parameters, keyset pages with cursors that expire, and, on request, lists with gaps.

Unknown parameters are ignored, as Rillet does. Pages are newest first.
"""

import secrets
from collections.abc import Callable, Iterable
from collections.abc import Collection as Choices
from dataclasses import dataclass
from typing import Protocol

from flask import request

from local.fake_rillet.problems import Problem, invalid
from local.fake_rillet.store import Json, Record
from local.fake_rillet.validation import is_uuid
from local.fake_rillet.wire import read_timestamp, to_micros
from local.fake_vendor.faults import Faults

CURSOR_SECONDS = 2 * 60 * 60
DEFAULT_LIMIT = 25
MAXIMUM_LIMIT = 100

Position = tuple[int, int, str]
"""Rank (0 but for rows that moved to the top), time and id."""


def text(name: str) -> str | None:
    """Read a text; empty counts as absent."""
    return request.args.get(name) or None


def choice(name: str, choices: Choices[str]) -> str | None:
    """Read one of several words."""
    value = text(name)
    if value is not None and value not in choices:
        raise _invalid_parameter(name, f"must be one of {', '.join(choices)}")
    return value


def uuid(name: str) -> str | None:
    """Read a UUID."""
    value = text(name)
    if value is not None and not is_uuid(value):
        raise _invalid_parameter(name, f'"{value}" is not a UUID')
    return value.lower() if value else None


def boolean(name: str) -> bool | None:
    """Read true or false."""
    value = choice(name, ("true", "false"))
    return None if value is None else value == "true"


def timestamp(name: str) -> int | None:
    """Read an RFC 3339 timestamp as microseconds since the epoch."""
    value = text(name)
    try:
        return None if value is None else read_timestamp(value)
    except ValueError:
        raise _invalid_parameter(name, f'"{value}" is not an RFC 3339 timestamp') from None


def together(first: str, second: str) -> tuple[str, str] | None:
    """Read two texts that each need the other."""
    values = (text(first), text(second))
    if values[0] is not None and values[1] is not None:
        return (values[0], values[1])
    if values == (None, None):
        return None
    missing, given = (first, second) if values[0] is None else (second, first)
    raise _invalid_parameter(missing, f"must be provided together with {given}")


def _invalid_parameter(name: str, message: str) -> Problem:
    return invalid([{"field": name, "message": message}])


@dataclass(frozen=True)
class _Cursor:
    """Where a listing stopped."""

    listing: str
    after: Position
    issued: float


class Cursors:
    """The cursors handed out.

    Rillet says that a cursor is valid for 2 hours and that an invalid or expired one silently restarts the
    listing at page one. Chosen here: a cursor remembers only the position, so filters must be repeated.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._issued: dict[str, _Cursor] = {}
        self._moved: list[str] = []

    def rank(self, record_id: str) -> int:
        """Return how far a row has moved to the top; 0 for one that has not."""
        return self._moved.index(record_id) + 1 if record_id in self._moved else 0

    def move_to_top(self, record_id: str) -> None:
        """Let a row stand at the top of its lists from now on."""
        self._moved.append(record_id)

    def issue(self, listing: str, after: Position) -> str:
        """Hand out a cursor for the rows after a position."""
        token = secrets.token_urlsafe(12)
        self._issued[token] = _Cursor(listing, after, self._clock())
        return token

    def position(self, listing: str, token: str | None) -> Position | None:
        """Return the position of a cursor; None means page one."""
        cursor = self._issued.get(token or "")
        if cursor is None or cursor.listing != listing:
            return None
        return cursor.after if self._clock() - cursor.issued < CURSOR_SECONDS else None

    def clear(self) -> None:
        """Remove all cursors."""
        self._issued.clear()
        self._moved.clear()


class ListState(Protocol):
    """What a list takes of the fake's state."""

    cursors: Cursors
    faults: Faults
    most_rows: int
    clock: Callable[[], float]


def page(
    name: str, records: Iterable[Record], state: ListState, organisation_id: str, *, by_update: bool = False
) -> Json:
    """Cut the page that the current request asks for.

    Args:
        name: the collection's name in path and answer, such as "customers".
        records: the rows that pass the filters.
        state: has the cursors, and the faults in force.
        organisation_id: whose listing it is.
        by_update: newest update first, instead of newest creation first.

    Returns:
        The answer: the rows and `pagination`, whose `next_cursor` is absent on the last page.
    """

    def key(record: Record) -> Position:
        return (cursors.rank(record.id), record.updated if by_update else record.created, record.id)

    cursors, limit = state.cursors, min(_limit(), state.most_rows)
    listing = f"{organisation_id}/{name}/{by_update}"
    after = cursors.position(listing, request.args.get("cursor"))
    rows = sorted(_without_new(records, state), key=key, reverse=True)
    cut = state.faults.take(request.method, request.path, ("restart", "shift")) if after else None
    if after is not None and not (cut and cut.kind == "restart"):
        rows = [record for record in rows if key(record) < after]
    if cut and cut.kind == "shift" and rows:
        cursors.move_to_top(rows.pop(0).id)
    shown = rows[:limit]
    more = len(rows) > limit
    pagination = {"next_cursor": cursors.issue(listing, key(shown[-1]))} if more else {}
    return {name: [record.document for record in shown], "pagination": pagination}


def _without_new(records: Iterable[Record], state: ListState) -> Iterable[Record]:
    """Return the rows without those that a lagging list does not show yet."""
    lag = state.faults.take(request.method, request.path, ("lag",))
    if lag is None:
        return records
    latest = to_micros(state.clock() - lag.seconds())
    return [record for record in records if record.created <= latest]


def _limit() -> int:
    text = request.args.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not text.isdecimal() or not 1 <= int(text) <= MAXIMUM_LIMIT:
        raise invalid([{"field": "limit", "message": f"must be between 1 and {MAXIMUM_LIMIT}"}])
    return int(text)
