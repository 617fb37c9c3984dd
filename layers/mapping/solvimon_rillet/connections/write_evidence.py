"""What a vendor answered to our last write with a credential: whether it may write, and what it kept.

No call shows beforehand whether a key may only read. So the first write with a key is noted, each refusal of
one, and after that a success once an hour: for people, nothing depends on it. A note with another credential
than the current one says nothing any more.

::

    {connection}#evidence#rillet#invoices    at, allowed, credential, types (reference types), dropped
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.connections.token_fields import fingerprint
from solvimon_rillet.errors import RetryLater

_EVIDENCE_NOTED_EVERY = 3600
COLLECTIONS_WRITTEN = {
    "rillet": ("invoices", "credit-memos", "customers"),
    "solvimon": ("invoices", "customers", "products", "billing-entities", "custom-fields", "payments"),
}
"""What is written at each vendor, by the first part of the path."""


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """The end of a write.

    Attributes:
        path: below the vendor's address.
        allowed: whether the vendor took the write; not if it refused the credential's right (403).
        body: what was sent.
        answer: the JSON of a success.
    """

    path: str
    allowed: bool
    body: object = None
    answer: object = None

    @property
    def collection(self) -> str:
        """The first part of the path, such as ``invoices``."""
        return self.path.lstrip("/").partition("/")[0].partition("?")[0]

    @property
    def is_part(self) -> bool:
        """Whether it was a write to a part of a record, such as its applications."""
        return self.path.partition("?")[0].strip("/").count("/") > 1

    @property
    def reference_types(self) -> tuple[list[str], list[str]]:
        """The external reference types that were sent, and those of them that the answer lacks."""
        sent = _types(self.body)
        return sent, [each for each in sent if each not in _types(self.answer)]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The last note about writes to a collection.

    Attributes:
        collection: such as ``invoices``.
        at: unix seconds.
        allowed: whether the write was allowed.
        types: the external reference types that were sent.
        dropped: those of them that the vendor's answer lacked.
    """

    collection: str
    at: int
    allowed: bool
    types: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


class WriteEvidence:
    """Notes and reads the ends of writes.

    Args:
        table: keeps them.
        clock: unix seconds.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock
        self._noted: dict[str, tuple[tuple[Any, ...], float]] = {}
        self._lock = threading.Lock()

    def note(self, connection: str, vendor: str, credential: str, outcome: WriteOutcome) -> None:
        """Note the end of a write, unless the same was noted less than an hour ago.

        A success with a part of a record says nothing that the one with the record does not, and has no
        references.
        """
        if outcome.collection not in COLLECTIONS_WRITTEN[vendor] or (outcome.allowed and outcome.is_part):
            return
        types, dropped = outcome.reference_types if outcome.allowed else ([], [])
        key, now = _evidence_key(connection, vendor, outcome.collection), int(self._clock())
        facts = {"allowed": outcome.allowed, "credential": fingerprint(credential)}
        facts |= {"types": types, "dropped": dropped} if types else {}
        same = tuple(map(str, facts.values()))
        with self._lock:  # rows of an import are written at the same time
            before, at = self._noted.get(key, ((), 0.0))
            if same == before and now - at < _EVIDENCE_NOTED_EVERY:
                return
            self._noted[key] = same, now
        try:
            self._table.put(key, {**facts, "at": now})
        except RetryLater:
            self._noted.pop(key, None)

    def of(self, connection: str, vendor: str, credential: str) -> list[Evidence]:
        """The notes about a credential, latest first.

        Raises:
            RetryLater: the table does not answer.
        """
        keys = {_evidence_key(connection, vendor, each): each for each in COLLECTIONS_WRITTEN[vendor]}
        proof = fingerprint(credential)
        found = [
            Evidence(
                keys[key],
                int(item["at"]),
                bool(item["allowed"]),
                tuple(map(str, item.get("types", ()))),
                tuple(map(str, item.get("dropped", ()))),
            )
            for key, item in self._table.get_many(keys).items()
            if item.get("credential") == proof
        ]
        return sorted(found, key=lambda each: -each.at)


def _types(content: object) -> list[str]:
    references = content.get("external_references") if isinstance(content, Mapping) else None
    found = [each.get("type") for each in references or () if isinstance(each, Mapping)]
    return list(dict.fromkeys(str(each) for each in found if each))


def _evidence_key(connection: str, vendor: str, collection: str) -> str:
    return f"{connection}#evidence#{vendor}#{collection}"
