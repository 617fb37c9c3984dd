"""The log of turns at Rillet, kept in the ledger's table."""

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.rate_limit.limiter import RequestWindow


class DynamoDBRequestWindowStore:
    """Implements ``RequestWindowStore``: one record per connection, replaced with optimistic locking."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, connection: str) -> RequestWindow:
        """The log as it is now; an empty one at first."""
        item = self._table.get(_key(connection)) or {}
        return RequestWindow(
            live=_seconds(item.get("live", ())),
            bulk=_seconds(item.get("bulk", ())),
            live_waits_until=item.get("live_waits_until", 0) / 1000,
            bulk_waits_until=item.get("bulk_waits_until", 0) / 1000,
            blocked_until=item.get("blocked_until", 0) / 1000,
            version=item.get("version", 0),
        )

    def replace(self, connection: str, log: RequestWindow) -> bool:
        """Write the log if its version is still the one that was read."""
        facts = {
            "live": _milliseconds(log.live),
            "bulk": _milliseconds(log.bulk),
            "live_waits_until": round(log.live_waits_until * 1000),
            "bulk_waits_until": round(log.bulk_waits_until * 1000),
            "blocked_until": round(log.blocked_until * 1000),
            "version": log.version + 1,
        }
        try:
            self._table.put(
                _key(connection), facts, "attribute_not_exists(pk) OR version = :read", {":read": log.version}
            )
        except ConditionFailed:
            return False
        return True


def _key(connection: str) -> str:
    return f"{connection}#pacer#turns"


def _seconds(moments: "list[int] | tuple[int, ...]") -> tuple[float, ...]:
    return tuple(moment / 1000 for moment in moments)


def _milliseconds(moments: tuple[float, ...]) -> list[int]:
    # Rounded up: a turn kept a fraction too late is still a turn within the limit.
    return [-int(-moment * 1000 // 1) for moment in moments]
