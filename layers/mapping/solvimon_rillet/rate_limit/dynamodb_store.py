"""Storage of Rillet's request windows in the ledger's table."""

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.rate_limit.send_times import RequestWindow


class DynamoDBRequestWindowStore:
    """Implements ``RequestWindowStore``: one record per window, replaced with optimistic locking."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, name: str) -> RequestWindow:
        """The window as it is now; an empty one at first."""
        item = self._table.get(_window_key(name)) or {}
        return RequestWindow(
            live=_to_seconds(item.get("live", ())),
            bulk=_to_seconds(item.get("bulk", ())),
            live_waits_until=item.get("live_waits_until", 0) / 1000,
            bulk_waits_until=item.get("bulk_waits_until", 0) / 1000,
            blocked_until=item.get("blocked_until", 0) / 1000,
            moved_to=str(item.get("moved_to", "")),
            version=item.get("version", 0),
        )

    def replace(self, name: str, window: RequestWindow) -> bool:
        """Write the window if its version is still the one that was read; return whether it was written."""
        facts = {
            "live": _to_milliseconds(window.live),
            "bulk": _to_milliseconds(window.bulk),
            "live_waits_until": round(window.live_waits_until * 1000),
            "bulk_waits_until": round(window.bulk_waits_until * 1000),
            "blocked_until": round(window.blocked_until * 1000),
            "version": window.version + 1,
            **({"moved_to": window.moved_to} if window.moved_to else {}),
        }
        try:
            self._table.put(
                _window_key(name),
                facts,
                "attribute_not_exists(pk) OR version = :read",
                {":read": window.version},
            )
        except ConditionFailed:
            return False
        return True


def _window_key(name: str) -> str:
    return f"{name}#pacer#turns"


def _to_seconds(timestamps: "list[int] | tuple[int, ...]") -> tuple[float, ...]:
    return tuple(timestamp / 1000 for timestamp in timestamps)


def _to_milliseconds(timestamps: tuple[float, ...]) -> list[int]:
    # Rounded up: a send time stored a fraction too late still keeps within the limit.
    return [-int(-timestamp * 1000 // 1) for timestamp in timestamps]
