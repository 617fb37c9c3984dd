"""What happens to documents, one plain line for each, while the system works."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from local.sample_data.identity import Json

_FOLLOWED_KEY = re.compile(r"[^#]+#(invoice|credit_memo|customer|payment)#[^#]+")
_KIND_TITLES = {
    "invoice": "Invoice",
    "credit_memo": "Credit note",
    "customer": "Customer",
    "payment": "Payment of",
}
_WORDS = {
    "sending": "is being sent",
    "exported": "is booked in Rillet",
    "synced": "is the same in Rillet",
    "marked": "is the same in Solvimon",
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
        self._states = {pk: _record_state(record) for pk, record in _records_by_key(ledger).items()}

    def news(self, ledger: Iterable[Json]) -> list[str]:
        """Return a line for each document whose state has changed since the last time."""
        records = _records_by_key(ledger)
        changed = [pk for pk, record in records.items() if self._states.get(pk) != _record_state(record)]
        self._states = {pk: _record_state(record) for pk, record in records.items()}
        changed.sort(key=lambda pk: records[pk]["updated_at"])
        return [_line(pk, records) for pk in changed]


def _records_by_key(ledger: Iterable[Json]) -> dict[str, Json]:
    """The records by key; one that a worker has just claimed is no news yet."""
    found = {item["pk"]: item for item in ledger if item["sk"] == "RECORD" and "state" in item}
    return {pk: one for pk, one in found.items() if one["state"] != "claimed" and _FOLLOWED_KEY.fullmatch(pk)}


def _record_state(record: Json) -> tuple[Any, ...]:
    return record["state"], record.get("code")


def _line(pk: str, records: Mapping[str, Json]) -> str:
    record = records[pk]
    connection, kind, document = pk.split("#")
    invoice = records.get(f"{connection}#invoice#{document}", record)
    when = datetime.fromtimestamp(int(record["updated_at"]), UTC)
    name = f"{_KIND_TITLES[kind]} {invoice.get('number') or document}"
    state = str(record["state"])
    told = f"{when:%H:%M:%S}  {connection}  {name} {_WORDS.get(state, state)}"
    return f"{told}: {record['message']}" if record.get("message") else f"{told}."
