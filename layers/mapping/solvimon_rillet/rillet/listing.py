"""Read a list of Rillet completely, or say that it could not be done.

Absence can only be concluded from a list that was read completely. Rillet's lists can end early without an
error (dossier 2.3, traps 16 and 17): a cursor that has expired starts again at page one, and a row that moves
while pages are read can slip over the edge between two of them::

    page 1 ── page 2 ── … ── last page ── page 1 again
              └ a row that was read before: the list has restarted or shifted, so it is not complete
                                          └ new rows on top are added; any other change: not complete
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from solvimon_rillet.errors import RetryLater

R = TypeVar("R")
ReadPage = Callable[[str | None], tuple[Sequence[R], str | None]]
"""Reads the page of a cursor (``None`` for page one): its rows, and the cursor of the next page."""


class ListIncomplete(RetryLater):
    """A list that changed while it was read. What was not found in it may exist nevertheless."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Rillet's list of {what} changed while it was read; it is read again.", after=5)


def complete_pages(what: str, read: ReadPage[R], id_of: Callable[[R], str]) -> Iterator[Sequence[R]]:
    """All rows of a list, page by page. Only a caller that reaches the end has seen all of them.

    A list of one page is complete, because one answer has it whole. A longer one ends by reading page one
    again.

    Args:
        what: name of the list, for the message.
        read: reads a page.
        id_of: the id of a row.

    Raises:
        ListIncomplete: it cannot be shown that all rows were read.
    """
    first, cursor = read(None)
    yield first
    if not cursor:
        return
    seen, cursors = {id_of(row) for row in first}, set[str]()
    while cursor:
        if cursor in cursors:
            raise ListIncomplete(what)
        cursors.add(cursor)
        rows, cursor = read(cursor)
        ids = {id_of(row) for row in rows}
        if ids & seen:
            raise ListIncomplete(what)
        seen |= ids
        yield rows
    again, _ = read(None)
    yield again[: _rows_on_top([*map(id_of, again)], [*map(id_of, first)], what)]


def _rows_on_top(again: Sequence[str], before: Sequence[str], what: str) -> int:
    """The number of rows of page one that are new or moved to the top since it was read first.

    These push others down, past no edge that was not read yet. A row that has left page one in another way
    has pulled up others.
    """
    for count in range(len(again)):
        unmoved = [row for row in before if row not in again[:count]]
        if len(again) >= len(before) and [*again[count:]] == unmoved[: len(again) - count]:
            return count
    raise ListIncomplete(what)
