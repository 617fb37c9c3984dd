"""Status of all documents of a connection: counts, failures by cause with amounts, stalled work."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.aws.sqs import Queue
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.formatting import format_duration, format_timestamp
from solvimon_rillet.ledger.document_types import DOCUMENT_TYPES, INVOICE, PAYMENT, DocumentType
from solvimon_rillet.ledger.ledger import UNFINISHED, Document, Ledger
from solvimon_rillet.workflows.status.document_history import STALLED_SECONDS
from solvimon_rillet.workflows.status.error_catalog import entry_for

_IDS_SHOWN = 10
_MAX_STALLED_SHOWN = 100  # the summary counts all
_MAX_IDS_PER_EVENT = 100  # documents in a ready-made event


@dataclass(slots=True)
class _FailureGroup:
    """The documents of a kind whose failure has the same cause."""

    kind: DocumentType
    state: str
    code: str
    documents: list[Document] = field(default_factory=list)
    sums: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    unknown_amounts: int = 0
    oldest: int = 0

    def add(self, document: Document, item: Item, amounts: Mapping[str, Any]) -> None:
        """Add a document; the index lists them longest unchanged first."""
        self.oldest = self.oldest or int(item["updated_at"])
        self.documents.append(document)
        if "amount" in amounts:
            self.sums[str(amounts["currency"])] += Decimal(amounts["amount"])
        else:
            self.unknown_amounts += 1

    def as_answer(self, connection: str) -> dict[str, Any]:
        """The group as JSON, with the event that retries it."""
        entry, ids = entry_for(self.code), [document.id for document in self.documents]
        answer: dict[str, Any] = {
            "code": self.code,
            "kind": self.kind.name,
            "state": self.state,
            "meaning": entry.meaning,
            "remedy": entry.remedy,
            "documents": len(ids),
            "amounts": {
                currency: money.format_amount(total, currency)
                for currency, total in sorted(self.sums.items())
            },
            "oldest": {self.kind.id_name: ids[0], "since": format_timestamp(self.oldest)},
            "ids": ids[:_IDS_SHOWN],
        }
        if self.unknown_amounts and self.kind.name != "customer":
            answer["without_amount"] = self.unknown_amounts
        if self.state == "rejected" and self.kind.retries_by_code:
            answer["retry"] = self.kind.retry_invocation(connection, self.code)
        elif self.state == "rejected":
            answer["retry"] = self.kind.invocation(connection, *ids[:_MAX_IDS_PER_EVENT])
        return answer


class Overview:
    """Reports the status of one connection's documents.

    Args:
        connection: its name.
        ledger: the ledger.
        dead_letters: the dead-letter queues by name; they hold the messages of all connections.
        clock: unix seconds.
    """

    def __init__(
        self,
        connection: str,
        ledger: Ledger,
        dead_letters: Mapping[str, Queue],
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._clock = clock

    def report(self) -> dict[str, Any]:
        """The status of all documents.

        Raises:
            RetryLater: the ledger does not answer.
        """
        counts = {kind.name: self._counts(kind) for kind in DOCUMENT_TYPES}
        groups = [group for kind in DOCUMENT_TYPES for group in self._failure_groups(kind)]
        failures = sorted(groups, key=lambda group: (-len(group.documents), group.code))
        stalled = [each for kind in DOCUMENT_TYPES for each in self._stalled(kind)]
        return {
            "connection": self._connection,
            "at": format_timestamp(self._clock()),
            "summary": _overview_summary(failures, stalled),
            "counts": {name: by_state for name, by_state in counts.items() if by_state},
            "failures": [group.as_answer(self._connection) for group in failures],
            "stuck": stalled[:_MAX_STALLED_SHOWN],
            "dead_letters_of_all_connections": self._dead_letter_counts(),
        }

    def _counts(self, kind: DocumentType) -> dict[str, int]:
        counted = {state: self._ledger.count(self._connection, kind.name, state) for state in kind.states}
        return {state: number for state, number in counted.items() if number}

    def _failure_groups(self, kind: DocumentType) -> list[_FailureGroup]:
        groups: dict[tuple[str, str], _FailureGroup] = {}
        for state in ("rejected", "differs"):
            for document, item in self._in_state(kind, state):
                code = str(item.get("code", "unknown"))
                group = groups.setdefault((state, code), _FailureGroup(kind, state, code))
                group.add(document, item, self._amounts(kind, document, item))
        return list(groups.values())

    def _in_state(self, kind: DocumentType, state: str) -> Iterator[tuple[Document, Item]]:
        if state not in kind.states:
            return iter(())
        return self._ledger.in_state(self._connection, kind.name, state)

    def _amounts(self, kind: DocumentType, document: Document, item: Item) -> Mapping[str, Any]:
        """Amount and currency; a payment's are those of its invoice."""
        if kind is not PAYMENT:
            return item
        return self._ledger.read(Document(self._connection, INVOICE.name, document.id)) or {}

    def _stalled(self, kind: DocumentType) -> Iterator[dict[str, Any]]:
        """Work that began and has not changed for more than an hour."""
        now = int(self._clock())
        for state in UNFINISHED:
            for document, item in self._in_state(kind, state):
                quiet = now - int(item["updated_at"])
                if quiet <= STALLED_SECONDS:
                    break  # longest unchanged first
                yield {
                    kind.id_name: document.id,
                    "kind": kind.name,
                    "state": state,
                    "since": format_timestamp(item["updated_at"]),
                    "in_words": f"Nothing has happened for {format_duration(quiet)}; "
                    "its message may be in the dead-letter queue.",
                    "retry": kind.invocation(self._connection, document.id),
                }

    def _dead_letter_counts(self) -> dict[str, int | str]:
        found: dict[str, int | str] = {}
        for name, queue in self._dead_letters.items():
            try:
                found[name] = queue.depth()
            except RetryLater as error:
                found[name] = str(error)
        return found


def _overview_summary(failures: list[_FailureGroup], stalled: list[dict[str, Any]]) -> str:
    rejected = sum(len(group.documents) for group in failures if group.state == "rejected")
    differ = sum(len(group.documents) for group in failures if group.state == "differs")
    parts = [
        f"{count} {label}"
        for count, label in (
            (rejected, "rejected"),
            (differ, "not in Rillet as booked"),
            (len(stalled), "stalled"),
        )
        if count
    ]
    return f"{', '.join(parts)}." if parts else "Nothing needs attention."
