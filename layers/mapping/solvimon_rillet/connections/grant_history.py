"""Who connected a connection to Rillet, and who disconnected it: the last entries, in one record.

::

    {connection}#oauth#history    entries: at, what, by, organisation
"""

import contextlib
from collections.abc import Callable
from typing import Any

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.errors import RetryLater

CONNECTED, DISCONNECTED = "connected", "disconnected"
_KEPT = 50
_TRIES = 3

GrantEntry = dict[str, Any]


class GrantHistory:
    """The history of each connection's authorisations.

    Args:
        table: keeps it.
        clock: unix seconds.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def note(self, connection: str, what: str, by: str, organisation: str = "") -> None:
        """Add an entry. One that cannot be written undoes nothing: the tokens are stored already."""
        entry = {"at": int(self._clock()), "what": what, "by": by, "organisation": organisation}
        with contextlib.suppress(RetryLater):
            for _ in range(_TRIES):
                found = self._table.get(_history_key(connection)) or {}
                version = int(found.get("version", 0))
                entries = [*found.get("entries", []), entry][-_KEPT:]
                with contextlib.suppress(ConditionFailed):  # another entry came between
                    self._table.put(
                        _history_key(connection),
                        {"version": version + 1, "entries": entries},
                        "attribute_not_exists(pk) OR version = :version",
                        {":version": version},
                    )
                    return

    def connected(self, connection: str) -> GrantEntry | None:
        """The entry of the authorisation in force; ``None`` if it is not known.

        Raises:
            RetryLater: the table does not answer.
        """
        entries = (self._table.get(_history_key(connection)) or {}).get("entries", [])
        return dict(entries[-1]) if entries and entries[-1]["what"] == CONNECTED else None


def _history_key(connection: str) -> str:
    return f"{connection}#oauth#history"
