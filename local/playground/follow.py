"""What happens to documents, one plain line for each, while the system works."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from local.sample_data.identity import Json

_DOCUMENT = re.compile(r"(?P<connection>[^#]+)#(?P<kind>invoice|credit_memo|customer|payment)#(?P<id>[^#]+)")
_KINDS = {"invoice": "Invoice", "credit_memo": "Credit note", "customer": "Customer", "payment": "Payment of"}
_WORDS = {
    "sending": "is being sent",
    "exported": "is booked in Rillet",
    "synced": "is the same in Rillet",
    "marked": "is marked in Solvimon",
    "rejected": "needs you",
    "differs": "differs in Rillet",
    "skipped": "is not for Rillet",
    "resolved": "is resolved by hand",
}


class Documents:
    """The documents of the ledger, as they were when somebody last looked.

    Args:
        ledger: the items as they are now; nothing is said about them.
    """

    def __init__(self, ledger: Iterable[Json]) -> None:
        self._states = {pk: _state(record) for pk, record in _records(ledger).items()}

    def news(self, ledger: Iterable[Json]) -> list[str]:
        """Return a line for each document whose state has changed since the last time."""
        records = _records(ledger)
        changed = [pk for pk, record in records.items() if self._states.get(pk) != _state(record)]
        self._states = {pk: _state(record) for pk, record in records.items()}
        return [_line(pk, records[pk]) for pk in sorted(changed, key=lambda pk: records[pk]["updated_at"])]


def _records(ledger: Iterable[Json]) -> dict[str, Json]:
    return {
        item["pk"]: item
        for item in ledger
        if item["sk"] == "RECORD" and "state" in item and _DOCUMENT.fullmatch(item["pk"])
    }


def _state(record: Json) -> tuple[Any, ...]:
    return record["state"], record.get("code")


def _line(pk: str, record: Json) -> str:
    found = _DOCUMENT.fullmatch(pk)
    assert found  # noqa: S101 - only such keys are records
    when = datetime.fromtimestamp(int(record["updated_at"]), UTC)
    name = f"{_KINDS[found['kind']]} {record.get('number') or found['id']}"
    state = str(record["state"])
    told = f"{when:%H:%M:%S}  {found['connection']}  {name} {_WORDS.get(state, state)}"
    return f"{told}: {record['message']}" if record.get("message") else f"{told}."
