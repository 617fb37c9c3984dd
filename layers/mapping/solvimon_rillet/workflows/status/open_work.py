"""What is not done: documents that failed, by cause and culprit, and documents that wait, by reason."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.ledger.document_types import DocumentType
from solvimon_rillet.ledger.ledger import UNFINISHED
from solvimon_rillet.workflows.status.entries import TYPES, DocumentEntry, DocumentWait
from solvimon_rillet.workflows.status.error_catalog import entry_for
from solvimon_rillet.workflows.status.texts import without_email_addresses
from solvimon_rillet.workflows.status.wording import as_texts, title_of

_MAX_SHOWN_DOCUMENTS = 10
_MAX_IDS_PER_EVENT = 100  # documents in a ready-made event
_RESTORED = re.compile(r"ledger was restored to (\d{4}-\d\d-\d\d)")
CONTINUES = "Nothing; work continues automatically."


@dataclass(slots=True)
class WorkGroup:
    """Documents of a kind that fail or wait for the same reason."""

    kind: DocumentType
    entries: list[DocumentEntry] = field(default_factory=list)
    sums: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, entry: DocumentEntry) -> None:
        """Add a document."""
        self.entries.append(entry)
        if entry.money:
            self.sums[entry.money[0]] += entry.money[1]

    @property
    def ids(self) -> list[str]:
        """The documents' ids."""
        return [entry.document.id for entry in self.entries]

    @property
    def without_amount(self) -> int:
        """The number of documents whose amount is not known."""
        return 0 if self.kind.name == "customer" else sum(entry.money is None for entry in self.entries)


@dataclass(slots=True)
class Failures(WorkGroup):
    """Documents that failed, or are not in Rillet as booked."""

    state: str = ""
    code: str = ""
    culprit: Mapping[str, str] | None = None

    def as_answer(self, connection: str) -> dict[str, Any]:
        """The group as JSON, with the event that retries it."""
        entry, ids, oldest = entry_for(self.code), self.ids, self.entries[0]
        remedies = {each.record["remedy"] for each in self.entries if each.record.get("remedy")}
        answer: dict[str, Any] = {
            "code": self.code,
            "kind": self.kind.name,
            "state": self.state,
            "title": title_of(self.code, self.culprit),
            "culprit": dict(self.culprit) if self.culprit else None,
            "meaning": entry.meaning,
            "remedy": entry.remedy,
            "what_to_do": without_email_addresses(remedies.pop()) if len(remedies) == 1 else entry.remedy,
            "documents": len(ids),
            "amounts": as_texts(self.sums),
            "oldest": {
                self.kind.id_name: ids[0],
                "number": oldest.facts.get("number"),
                "since": format_timestamp(oldest.record["updated_at"]),
            },
            "ids": ids[:_MAX_SHOWN_DOCUMENTS],
            "numbers": _numbers(self.entries),
        }
        if self.without_amount:
            answer["without_amount"] = self.without_amount
        if self.state == "rejected" and self.kind.retries_by_code:
            answer["retry"] = self.kind.retry_invocation(connection, self.code)
        elif self.state == "rejected":
            answer["retry"] = self.kind.invocation(connection, *ids[:_MAX_IDS_PER_EVENT])
        return answer


@dataclass(slots=True)
class Waiting(WorkGroup):
    """Documents that wait for the same reason."""

    wait: DocumentWait = field(default_factory=lambda: DocumentWait(""))
    next_try: int | None = None

    def as_answer(self, connection: str, secret_name: Callable[[str], str]) -> dict[str, Any]:
        """The group as JSON, with the act that ends the wait."""
        oldest, since = min(((each, _since(each)) for each in self.entries), key=lambda pair: pair[1])
        return {
            "reason": self.wait.reason,
            "code": None,
            "needs_person": self.wait.needs_person,
            "kind": self.kind.name,
            "documents": len(self.entries),
            "amounts": as_texts(self.sums),
            "oldest": {
                self.kind.id_name: oldest.document.id,
                "number": oldest.facts.get("number"),
                "since": format_timestamp(since),
            },
            "ids": self.ids[:_MAX_SHOWN_DOCUMENTS],
            "numbers": _numbers(self.entries),
            "next_try": format_timestamp(self.next_try) if self.next_try else None,
            **what_to_do(self.wait, self.kind, connection, self.ids, secret_name),
        }


def what_to_do(
    wait: DocumentWait, kind: DocumentType, connection: str, ids: list[str], secret_name: Callable[[str], str]
) -> dict[str, Any]:
    """The act that ends a wait, in words and as an event.

    Args:
        wait: why the documents wait.
        kind: their type.
        connection: its name.
        ids: of the documents.
        secret_name: the name of a vendor's secret.
    """
    if wait.is_credential:
        vendor = "solvimon" if "Solvimon" in wait.reason else "rillet"
        words = wait.act if "secret" in wait.act else f"{wait.reason} {wait.act}".strip()
        words = words.replace("; the documents wait.", ".")
        if restored := _RESTORED.search(wait.reason):
            adopt = {"connection": connection, "adopt": True, "from": restored[1]}
            return {"what_to_do": words, "act": {"function": "reconcile", "event": adopt}}
        words = words.replace("the connection's secret", f"the secret {secret_name(vendor)}")
        event: dict[str, Any] = {"connection": connection}
        if "invoke connect_rillet" not in f"{wait.reason} {wait.act}":
            event["action"] = "status"
        again = f"What waits is then tried again automatically; at once with {kind.function} and its ids."
        return {"what_to_do": f"{words} {again}", "act": {"function": "connect_rillet", "event": event}}
    if wait.needs_person:
        return {
            "what_to_do": f"Check the dead-letter queue of {kind.function}, then retry it.",
            "act": kind.invocation(connection, *ids[:_MAX_IDS_PER_EVENT]),
        }
    return {"what_to_do": CONTINUES, "act": None}


def failures_of(entries: Iterable[DocumentEntry]) -> list[Failures]:
    """The failed documents by state, cause and culprit, the largest group first."""
    groups: dict[tuple[str, ...], Failures] = {}
    for entry in entries:
        code, culprit = str(entry.record.get("code", "unknown")), entry.record.get("about")
        key = (entry.kind.name, entry.state, code, *(sorted(culprit.values()) if culprit else ()))
        group = groups.setdefault(
            key, Failures(entry.kind, state=entry.state, code=code, culprit=culprit or None)
        )
        group.add(entry)
    return sorted(groups.values(), key=lambda group: (-len(group.entries), group.code))


def waiting_of(entries: Iterable[DocumentEntry], now: int) -> list[Waiting]:
    """The waiting documents by reason; what needs a person first, then the largest group."""
    groups: dict[tuple[str, ...], Waiting] = {}
    for entry in entries:
        if entry.state not in UNFINISHED or not (wait := entry.wait(now)):
            continue
        group = groups.setdefault((entry.kind.name, wait.reason), Waiting(entry.kind, wait=wait))
        group.add(entry)
        times = [time for time in (group.next_try, wait.next_try) if time and time > now]
        group.next_try = min(times, default=None)
    return sorted(groups.values(), key=lambda group: (not group.wait.needs_person, -len(group.entries)))


def kinds_of(groups: Iterable[WorkGroup]) -> dict[str, tuple[int, dict[str, Decimal]]]:
    """The number of documents and their amounts by kind."""
    found: dict[str, tuple[int, dict[str, Decimal]]] = {}
    for name in TYPES:
        some = [group for group in groups if group.kind.name == name]
        if count := sum(len(group.entries) for group in some):
            sums = defaultdict[str, Decimal](Decimal)
            for group in some:
                for currency, amount in group.sums.items():
                    sums[currency] += amount
            found[name] = count, dict(sums)
    return found


def _numbers(entries: Iterable[DocumentEntry]) -> list[str]:
    return [str(each.facts["number"]) for each in entries if each.facts.get("number")][:_MAX_SHOWN_DOCUMENTS]


def _since(entry: DocumentEntry) -> int:
    return int(entry.record.get("created_at") or entry.record["updated_at"])
