"""The lease under which one worker at a time refreshes the Rillet tokens of a connection."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.errors import RetryLater

logger = logging.getLogger(__name__)

REFRESH_LEASE_SECONDS = 45  # longer than any call to the token endpoint
CALL_SECONDS = 20  # the longest such call
_MAX_REFRESH_WAIT_SECONDS = 6.0
_POLL_SECONDS = 0.2


class RefreshLease:
    """A lease in the table. It saves refreshes; that old tokens do not replace new ones is the store's work.

    Args:
        connection: name of the connection.
        table: holds the lease.
        clock: unix seconds.
        sleep: waits.
    """

    def __init__(
        self, connection: str, table: Table, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._connection = connection
        self._key = f"{connection}#oauth#refresh-lease"
        self._table = table
        self._clock = clock
        self._sleep = sleep

    def acquire(self, owner: str) -> bool:
        """Take the lease, unless another worker holds it."""
        now = int(self._clock())
        try:
            self._table.put(
                self._key,
                {"owner": owner, "until": now + REFRESH_LEASE_SECONDS},
                "attribute_not_exists(pk) OR #until <= :now",
                {":now": now},
                {"#until": "until"},
            )
        except ConditionFailed:
            return False
        return True

    def keep(self, owner: str, seconds: int) -> None:
        """Keep the lease for some seconds from now, unless it was lost."""
        self._replace(owner, {"owner": owner, "until": int(self._clock()) + seconds})

    def release(self, owner: str) -> None:
        """Give the lease back, unless it was lost."""
        self._replace(owner, {"owner": "", "until": 0})

    def waits(self) -> Iterator[bool]:
        """Wait between two tries to take the lease, again and again, for six seconds in all."""
        waited = 0.0
        while waited < _MAX_REFRESH_WAIT_SECONDS:
            self._sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
            yield True

    @contextmanager
    def held_by_person(self) -> Iterator[None]:
        """A context in which no worker begins a refresh, because a person connects or disconnects.

        It waits for a refreshing worker for six seconds at most, then it takes the lease over. What such a
        worker writes afterwards does not count.
        """
        owner, waits = new_owner(), self.waits()
        while not self.acquire(owner):
            if not next(waits, False):
                self._table.put(
                    self._key, {"owner": owner, "until": int(self._clock()) + REFRESH_LEASE_SECONDS}
                )
                break
        try:
            yield
        finally:
            self.release(owner)

    def _replace(self, owner: str, facts: dict[str, object]) -> None:
        try:
            self._table.put(self._key, facts, "#owner = :owner", {":owner": owner}, {"#owner": "owner"})
        except (ConditionFailed, RetryLater):
            logger.warning("token lease not changed", extra={"connection": self._connection})


def new_owner() -> str:
    """A unique name for the owner of a lease."""
    return f"{time.time_ns()}-{threading.get_ident()}"
