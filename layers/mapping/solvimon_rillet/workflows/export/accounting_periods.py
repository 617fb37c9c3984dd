"""Rillet's closed accounting periods, read once an hour, and again for a document that they would hold."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.solvimon.models import Invoice

_FRESH_SECONDS = 3600


class AccountingPeriods:
    """The closed periods of one connection's organisation, remembered for all functions."""

    def __init__(self, connection: Connection) -> None:
        self._key = f"{connection.name}#books#closed"
        self._connection = connection

    def _closed_through(self, *, remember: bool, fresh: bool) -> tuple[date | None, bool]:
        """The last closed day, ``None`` where no period was ever closed, and whether it is a stored one.

        Args:
            remember: store what was read from Rillet.
            fresh: read from Rillet, whatever is stored.

        Raises:
            RetryLater: Rillet or the table does not answer.
        """
        table, now = self._connection.table, self._connection.clock()
        stored = None if fresh else table.get(self._key)
        if stored and stored["read_at"] + _FRESH_SECONDS > now:
            return (date.fromisoformat(stored["day"]) if stored["day"] else None), True
        found = self._connection.rillet.closed_through()
        if remember:
            day = found.isoformat() if found else ""
            table.put(self._key, {"day": day, "read_at": int(self._connection.clock())})
        return found, False

    def booking_day(
        self, invoice: Invoice, record: Mapping[str, Any], *, dry_run: bool = False
    ) -> date | None:
        """The first open day, for a document whose own day is closed in Rillet; ``None`` for all others.

        Args:
            invoice: the document.
            record: its ledger record.
            dry_run: store nothing.

        Raises:
            NeedsAttention: its day is closed, and the setting ``closed_periods`` is ``hold``.
            RetryLater: Rillet or the table does not answer.
        """
        dated = document_day(invoice, self._connection.settings)
        held = record.get("code") == Code.RILLET_PERIOD_CLOSED
        closed, known = self._closed_through(remember=not dry_run, fresh=held)
        if dated and closed and dated <= closed and known:
            # The period may have been opened again since; that costs a call only for what it would hold.
            closed, _ = self._closed_through(remember=not dry_run, fresh=True)
        if dated is None or closed is None or dated > closed:
            return None
        if self._connection.settings.closed_periods == "next_open_day":
            return closed + timedelta(days=1)
        raise NeedsAttention(
            Code.RILLET_PERIOD_CLOSED,
            f"The invoice is dated {dated}, and Rillet's books are closed up to {closed}.",
            "Open the period in Rillet or set closed_periods to next_open_day, then retry; or book by hand.",
        )

    def forget(self) -> None:
        """Read the periods again next time: Rillet refused a day that the stored ones show as open."""
        self._connection.table.pop(self._key)
