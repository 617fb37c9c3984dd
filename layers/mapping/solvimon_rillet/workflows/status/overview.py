"""Status of all documents of a connection: its headline, counts, what fails and what waits."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.aws.dynamodb import Item, Table
from solvimon_rillet.aws.sqs import Queue
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.formatting import format_duration, format_timestamp
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, DOCUMENT_TYPES, INVOICE, DocumentType
from solvimon_rillet.ledger.ledger import UNFINISHED, Document, Ledger
from solvimon_rillet.ledger.matches import MatchStore
from solvimon_rillet.ledger.reconciliations import LastReconciliation
from solvimon_rillet.ledger.run_log import RunLog
from solvimon_rillet.workflows.status.entries import STALLED_SECONDS, DocumentEntry, read_entries
from solvimon_rillet.workflows.status.headline import Situation, headline
from solvimon_rillet.workflows.status.open_work import failures_of, waiting_of
from solvimon_rillet.workflows.status.runs import EXECUTION_SECONDS

_MAX_STALLED_SHOWN = 100  # the headline counts all
_RECENT = 10
_A_DAY = 86_400
_FAILED = ("rejected", "differs")
_DONE_STATES = ("exported", "synced", "marked")
_RUNS = {
    "import_customers": "import of customers",
    "import_products": "import of products",
    "import_subsidiaries": "import of subsidiaries",
    "reconcile": "reconciliation",
}
_MATCHES = {"customer": "customers", "product": "products", "subsidiary": "billing entities"}

Listed = tuple[Document, Item]


@dataclass(frozen=True, slots=True)
class Around:
    """The facts about a connection beside its documents.

    Attributes:
        dead_letters: the dead-letter queues by name; they hold the messages of all connections.
        broken: what is wrong with the credentials or settings, each a sentence.
        budget: the use of Rillet's rate limit; ``None`` if it is not known.
        secret_name: the name of a vendor's secret.
    """

    dead_letters: Mapping[str, Queue]
    broken: Sequence[str]
    budget: Mapping[str, Any] | None
    secret_name: Callable[[str], str]


class Overview:
    """Reports the status of one connection's documents.

    Args:
        connection: its name.
        ledger: the ledger.
        table: the table behind it.
        clock: unix seconds.
    """

    def __init__(self, connection: str, ledger: Ledger, table: Table, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._ledger = ledger
        self._table = table
        self._clock = clock

    def report(self, around: Around) -> dict[str, Any]:
        """The status of all documents.

        Raises:
            RetryLater: the ledger does not answer.
        """
        now = int(self._clock())
        listed = {
            (kind.name, state): list(self._ledger.in_state(self._connection, kind.name, state))
            for kind in DOCUMENT_TYPES
            for state in (*UNFINISHED, *_FAILED)
            if state in kind.states
        }
        counts = {kind.name: self._counts(kind, listed) for kind in DOCUMENT_TYPES}
        open_documents = [document for found in listed.values() for document, _ in found]
        entries = read_entries(self._ledger, open_documents)
        failures = failures_of(entry for entry in entries if entry.state in _FAILED)
        waiting = waiting_of(entries, now)
        stalled = list(_stalled(self._connection, entries, now))
        dead_letters = _dead_letter_counts(around.dead_letters)
        last = LastReconciliation(self._connection, self._table).read()
        booked = {
            name: sum(by_state.get(state, 0) for state in _DONE_STATES) for name, by_state in counts.items()
        }
        tasks = [*_set_aside(dead_letters), *self._proposals(), *_untied(last), *self._failed_runs(now)]
        said = headline(Situation(failures, waiting, around.broken, tasks, booked))
        return {
            "connection": self._connection,
            "at": format_timestamp(now),
            "headline": said,
            "summary": said["text"],
            "counts": {name: by_state for name, by_state in counts.items() if by_state},
            "waiting": [group.as_answer(self._connection, around.secret_name) for group in waiting],
            "failures": [group.as_answer(self._connection) for group in failures],
            "stuck": stalled[:_MAX_STALLED_SHOWN],
            "recent": self._recent(listed, now),
            "booked_in_a_day": self._booked_since(now - _A_DAY),
            "last_reconciliation": _reconciliation_fields(last),
            "unlinked": last.get("unlinked") if last else None,
            "budget": around.budget,
            "dead_letters_of_all_connections": dead_letters,
        }

    def _counts(
        self, kind: DocumentType, listed: Mapping[tuple[str, str], Sequence[Listed]]
    ) -> dict[str, int]:
        """The number of documents by state; those that are listed need no other read."""
        counted = {
            state: len(listed[kind.name, state])
            if (kind.name, state) in listed
            else self._ledger.count(self._connection, kind.name, state)
            for state in kind.states
        }
        return {state: number for state, number in counted.items() if number}

    def _recent(self, listed: Mapping[tuple[str, str], Sequence[Listed]], now: int) -> list[dict[str, Any]]:
        """The documents that changed last."""
        heads = [each for found in listed.values() for each in found[-_RECENT:]]
        for kind in DOCUMENT_TYPES:
            for state in kind.states:
                if (kind.name, state) not in listed:
                    page, _ = self._ledger.page_in_state(self._connection, kind.name, state, limit=_RECENT)
                    heads += page
        heads.sort(key=lambda each: -int(each[1]["updated_at"]))
        entries = read_entries(self._ledger, [document for document, _ in heads[:_RECENT]])
        return [entry.as_row(now) for entry in entries]

    def _booked_since(self, since: int) -> dict[str, int]:
        """How many invoices and credit notes were booked since a moment, or changed after they were."""
        return {
            kind.name: self._ledger.count(self._connection, kind.name, "exported", since)
            for kind in (INVOICE, CREDIT_MEMO)
        }

    def _proposals(self) -> Iterator[str]:
        """The pairs that a person is to judge."""
        store = MatchStore(self._connection, self._table, self._clock)
        for kind, plural in _MATCHES.items():
            matches = list(store.in_state(kind, "proposed"))
            links = self._ledger.read_many(
                Document(self._connection, f"link-{kind}", match.solvimon_id) for match in matches
            )
            linked = {link.id for link, item in links.items() if "rillet_id" in item}
            if count := sum(match.solvimon_id not in linked for match in matches):
                pairs, verb = ("pair", "waits") if count == 1 else ("pairs", "wait")
                yield f"{count} proposed {pairs} of {plural} {verb} for your answer."

    def _failed_runs(self, now: int) -> Iterator[str]:
        """Imports and reconciliations that ended without a result."""
        for kind, run in RunLog(self._table, self._clock).latest(self._connection, _RUNS).items():
            is_lost = run["state"] == "running" and now > int(run["started"]) + EXECUTION_SECONDS
            if is_lost or run["state"] == "failed":
                ended = (
                    "has no end although its time is over" if is_lost else "ended with an unexpected error"
                )
                yield f"The last {_RUNS[kind]} {ended}."


def _stalled(connection: str, entries: Iterable[DocumentEntry], now: int) -> Iterator[dict[str, Any]]:
    """Work that began and has not changed for more than an hour."""
    for entry in entries:
        quiet = now - int(entry.record["updated_at"])
        if entry.state in UNFINISHED and quiet > STALLED_SECONDS:
            yield {
                entry.kind.id_name: entry.document.id,
                "kind": entry.kind.name,
                "state": entry.state,
                "since": format_timestamp(entry.record["updated_at"]),
                "in_words": f"Nothing has happened for {format_duration(quiet)}; "
                "its message may be in the dead-letter queue.",
                "retry": entry.kind.invocation(connection, entry.document.id),
            }


def _dead_letter_counts(queues: Mapping[str, Queue]) -> dict[str, int | str]:
    found: dict[str, int | str] = {}
    for name, queue in queues.items():
        try:
            found[name] = queue.depth()
        except RetryLater as error:
            found[name] = str(error)
    return found


def _set_aside(dead_letters: Mapping[str, int | str]) -> Iterator[str]:
    """The messages that failed too often, or a count that is not known."""
    if count := sum(number for number in dead_letters.values() if isinstance(number, int)):
        messages, verb = ("message", "was") if count == 1 else ("messages", "were")
        yield f"{count} {messages} of all connections {verb} set aside in dead-letter queues."
    if any(isinstance(number, str) for number in dead_letters.values()):
        yield "Whether messages were set aside is not known now."


def _untied(last: Item | None) -> Iterator[str]:
    """A reconciliation that found what was not repaired automatically."""
    if last and not last["tied_out"]:
        count = max(0, int(last["differences"]) - int(last.get("redriven", 0)))
        if count:
            differences = "difference" if count == 1 else "differences"
            yield f"The reconciliation of {last['period']} found {count} {differences}."


def _reconciliation_fields(last: Item | None) -> dict[str, Any] | None:
    if last is None:
        return None
    names = ("period", "tied_out", "documents", "differences", "report")
    return {**{name: last.get(name) for name in names}, "at": format_timestamp(last["at"])}
