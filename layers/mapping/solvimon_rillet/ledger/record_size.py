"""The bounds of a record: whatever the vendors say, it stays below 64 KB.

A DynamoDB item may have 400 KB, and a write above that fails; a record that grows with each retry would end
there. So texts are clipped, warnings are counted beyond the first, and the history gets what room is left.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from solvimon_rillet.formatting import clip
from solvimon_rillet.ledger.audit_trail import trim_history

MAX_RECORD_BYTES = 60 * 1024
"""Size that a write aims for; the rest, up to 64 KB, is for what is added to a finished record."""
MAX_HISTORY_BYTES = 16 * 1024
MIN_HISTORY_BYTES = 3 * 1024
MAX_WARNINGS = 20
_MORE_WARNINGS = re.compile(r"and (\d+) more warnings\.")


def size_of(item: Mapping[str, Any]) -> int:
    """The size of a record in bytes (DynamoDB developer guide, Item sizes and formats)."""
    return sum(len(name.encode()) + _size_of_value(value) for name, value in item.items())


def bounded(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as a record keeps them: texts of at most 1 KB, the first 20 warnings and the number of others."""
    kept = dict(facts)
    if isinstance(kept.get("warnings"), list):
        kept["warnings"] = _first_warnings(kept["warnings"])
    return {name: _clipped(value) for name, value in kept.items()}


def bounded_history(record: Mapping[str, Any], history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A history that leaves the record below its limit: the first and the newest entries.

    Args:
        record: the record with all other facts that it will have.
        history: its entries, oldest first.
    """
    room = MAX_RECORD_BYTES - size_of({**record, "history": []})
    limit = min(MAX_HISTORY_BYTES, max(room, MIN_HISTORY_BYTES))
    return trim_history([bounded(entry) for entry in history], lambda kept: _size_of_value(kept) <= limit)


def _first_warnings(warnings: list[Any]) -> list[Any]:
    """The first warnings, and how many more there are; a count that is among them already is added."""
    counts = [_MORE_WARNINGS.fullmatch(text) for text in warnings if isinstance(text, str)]
    more = sum(int(count[1]) for count in counts if count)
    texts = [text for text in warnings if not (isinstance(text, str) and _MORE_WARNINGS.fullmatch(text))]
    more += max(0, len(texts) - MAX_WARNINGS)
    return [*texts[:MAX_WARNINGS], *([f"and {more} more warnings."] if more else [])]


def _clipped(value: Any) -> Any:  # noqa: ANN401 - a value of a record
    if isinstance(value, str):
        return clip(value)
    if isinstance(value, Mapping):
        return {name: _clipped(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clipped(part) for part in value]
    return value


def _size_of_value(value: Any) -> int:  # noqa: ANN401 - a value of a record
    if isinstance(value, str):
        return len(value.encode(errors="replace"))
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, Mapping):
        return 3 + len(value) + size_of(value)
    if isinstance(value, list | tuple):
        return 3 + sum(1 + _size_of_value(part) for part in value)
    digits = len(Decimal(value).normalize().as_tuple().digits)
    return (digits + 1) // 2 + 2  # one byte for the exponent, and one for a sign
