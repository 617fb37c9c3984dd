"""Up to which day Rillet's books are closed, read at most once an hour."""

from collections.abc import Callable
from datetime import date

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.rillet.client import RilletClient

_FRESH_SECONDS = 3600


class AccountingPeriods:
    """The closed periods of one connection's organisation, remembered for all functions."""

    def __init__(
        self, connection: str, table: Table, rillet: RilletClient, clock: Callable[[], float]
    ) -> None:
        self._key = f"{connection}#books#closed"
        self._table = table
        self._rillet = rillet
        self._clock = clock

    def closed_through(self, *, remember: bool = True, fresh: bool = False) -> date | None:
        """The last closed day, or ``None`` where no period was ever closed.

        Args:
            remember: write down what was read from Rillet.
            fresh: read it now, whatever is remembered.

        Raises:
            RetryLater: Rillet or the table does not answer.
        """
        known = None if fresh else self._table.get(self._key)
        if known and known["read_at"] + _FRESH_SECONDS > self._clock():
            return date.fromisoformat(known["day"]) if known["day"] else None
        found = self._rillet.closed_through()
        if remember:
            day = found.isoformat() if found else ""
            self._table.put(self._key, {"day": day, "read_at": int(self._clock())})
        return found

    def forget(self) -> None:
        """Read it anew next time, because Rillet refused a day that was thought open."""
        self._table.pop(self._key)
