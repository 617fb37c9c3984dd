"""Keyset pages, newest first, with cursors that expire."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import request

from local.fake_rillet.problems import invalid
from local.fake_rillet.store import Json, Record

CURSOR_SECONDS = 2 * 60 * 60
DEFAULT_LIMIT = 25
MAXIMUM_LIMIT = 100

Position = tuple[int, str]


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


def page(
    name: str, records: Iterable[Record], cursors: Cursors, organisation_id: str, *, by_update: bool = False
) -> Json:
    """Cut the page that the current request asks for.

    Args:
        name: the collection's name in path and answer, such as "customers".
        records: the rows that pass the filters.
        cursors: where cursors are kept.
        organisation_id: whose listing it is.
        by_update: newest update first, instead of newest creation first.

    Returns:
        The answer: the rows and `pagination`, whose `next_cursor` is absent on the last page.
    """

    def key(record: Record) -> Position:
        return (record.updated if by_update else record.created, record.id)

    limit = _limit()
    listing = f"{organisation_id}/{name}/{by_update}"
    after = cursors.position(listing, request.args.get("cursor"))
    rows = sorted(records, key=key, reverse=True)
    if after is not None:
        rows = [record for record in rows if key(record) < after]
    shown = rows[:limit]
    more = len(rows) > limit
    pagination = {"next_cursor": cursors.issue(listing, key(shown[-1]))} if more else {}
    return {name: [record.document for record in shown], "pagination": pagination}


def _limit() -> int:
    text = request.args.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not text.isdecimal() or not 1 <= int(text) <= MAXIMUM_LIMIT:
        raise invalid([{"field": "limit", "message": f"must be between 1 and {MAXIMUM_LIMIT}"}])
    return int(text)
