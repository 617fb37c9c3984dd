"""When the last webhook of each vendor arrived: a note for a person, on which nothing depends.

::

    {connection}#webhook#solvimon    at
"""

import contextlib
from collections.abc import Callable

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.errors import RetryLater

VENDORS_WITH_WEBHOOKS = ("solvimon", "rillet")
_ARRIVAL_NOTED_EVERY = 60


class WebhookArrivals:
    """Notes and reads the last arrivals.

    Args:
        table: makes the table on first use.
        clock: unix seconds.
    """

    def __init__(self, table: Callable[[], Table], clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock
        self._noted: dict[str, float] = {}

    def note(self, connection: str, vendor: str) -> None:
        """Note that a verified webhook has arrived: at most one write a minute, of all processes.

        A table that does not answer is no reason to refuse the webhook.
        """
        key, now = _arrival_key(connection, vendor), int(self._clock())
        if now - self._noted.get(key, 0) < _ARRIVAL_NOTED_EVERY:
            return
        self._noted[key] = now
        with contextlib.suppress(ConditionFailed, RetryLater):  # another process has noted one
            self._table().put(
                key,
                {"at": now},
                "attribute_not_exists(pk) OR #at <= :then",
                {":then": now - _ARRIVAL_NOTED_EVERY},
                {"#at": "at"},
            )

    def last(self, connection: str, vendor: str) -> int | None:
        """When the last one arrived, to the minute (unix seconds); ``None`` if none has.

        Raises:
            RetryLater: the table does not answer.
        """
        found = self._table().get(_arrival_key(connection, vendor))
        return int(found["at"]) if found else None


def _arrival_key(connection: str, vendor: str) -> str:
    return f"{connection}#webhook#{vendor}"
