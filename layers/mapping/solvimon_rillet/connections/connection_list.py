"""The list of all connections, which costs one read.

Parameter Store, where people write a connection's settings, gives ten parameters a request. So the list is
kept in the table and made again from Parameter Store once an hour::

    (deployment)#connections   names, and when Parameter Store was read
"""

from collections.abc import Callable

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.errors import RetryLater

LIST_TTL_SECONDS = 3600
"""A new connection is in the list at the latest after so many seconds."""
_KEY = "(deployment)#connections"


class ConnectionList:
    """The names of all connections.

    Args:
        table: keeps the list.
        read_names: reads the names from Parameter Store.
        clock: unix seconds.
    """

    def __init__(self, table: Table, read_names: Callable[[], list[str]], clock: Callable[[], float]) -> None:
        self._table = table
        self._read_names = read_names
        self._clock = clock

    def names(self) -> list[str]:
        """All names, in their order.

        Raises:
            RetryLater: the table does not answer, or there is no list and Parameter Store does not answer.
        """
        kept = self._table.get(_KEY) or {}
        names = [str(name) for name in kept.get("names", ())]
        if names and self._clock() < int(kept["read_at"]) + LIST_TTL_SECONDS:
            return names
        try:
            found = self._read_names()
        except RetryLater:
            if names:
                return names  # an older list is better than none
            raise
        self._table.put(_KEY, {"names": found, "read_at": int(self._clock())})
        return found
