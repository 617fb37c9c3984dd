"""Activity: who did what with the panel, on what, with what outcome, and when. No line is ever changed."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.formatting import clip, format_timestamp

ACTIVITY_KEPT_SECONDS = 400 * 86_400
PANEL = "(panel)"
"""Instead of a connection: what concerns all of them, such as a sign-in. No connection can have this name."""
_TEXT_BYTES = 300


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """One line of the activity."""

    at: str
    who: str
    kind: str
    what: str
    on: str = ""
    outcome: str = ""
    state: str = "booked"
    path: str = ""


class Activity:
    """The activity of one deployment, newest first.

    Args:
        table: the panel's table.
        clock: unix seconds.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def add(
        self,
        connection: str,
        who: str,
        kind: str,
        what: str,
        *,
        on: str = "",
        outcome: str = "",
        state: str = "booked",
        path: str = "",
    ) -> None:
        """Add a line.

        Args:
            connection: its name, or ``PANEL``.
            who: the person and the role.
            kind: for the filter, such as ``sign-in`` or ``retry``.
            what: what was done, in words.
            on: on what, in words.
            outcome: in words.
            state: the class of the outcome's mark, such as ``booked``, ``needs`` or ``sends``.
            path: of the page about it, below the connection's.
        """
        now = self._clock()
        texts = {"who": who, "kind": kind, "what": what, "on": on, "outcome": outcome, "state": state}
        facts = {name: clip(value, _TEXT_BYTES) for name, value in texts.items()}
        key = (f"activity#{connection}", f"{format_timestamp(now)}#{secrets.token_hex(4)}")
        self._table.put_rows([key], {**facts, "path": path, "expires_at": int(now) + ACTIVITY_KEPT_SECONDS})

    def newest(self, connection: str, limit: int, *, before: str = "") -> list[ActivityLine]:
        """The lines of a connection and of the panel itself, newest first.

        Args:
            connection: its name.
            limit: largest number of lines.
            before: only those up to this moment, as ``ActivityLine.at``; empty for all.
        """
        before = before and f"{before}~"  # also the lines of that second
        items = [
            item
            for name in (connection, PANEL)
            for item in self._table.rows(f"activity#{name}", limit=limit, before=before)
        ]
        names = ("who", "kind", "what", "on", "outcome", "state", "path")
        entries = [
            ActivityLine(str(item["sk"]).partition("#")[0], *(str(item.get(name, "")) for name in names))
            for item in items
        ]
        return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]
