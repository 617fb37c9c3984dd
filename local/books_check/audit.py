"""The audit: all checks on the books of all connections, and what a finished run must not leave beside them.

That is waiting work, charged customers, and refused calls.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from local.books_check.books import ZERO, BothSides, Pair, read_books
from local.books_check.checks import Expected, Finding, FindingType, findings
from local.books_check.records import Json, document_records
from local.system import LocalSystem

_OWNED = ("invoices", "customers")
"""Solvimon's collections whose ids must stay within their connection; credit notes are among the invoices."""
_UNFINISHED = {"claimed", "sending"}


@dataclass(frozen=True)
class Audit:
    """What was found in the books of all connections.

    Attributes:
        pairs: all final documents, by connection and number.
        findings: everything that is not right.
        stated: Solvimon's documents whose result is stated; in no difference of amounts.
    """

    pairs: tuple[Pair, ...]
    findings: tuple[Finding, ...]
    stated: frozenset[str] = frozenset()

    @property
    def invoices(self) -> tuple[Pair, ...]:
        """The invoices."""
        return tuple(pair for pair in self.pairs if not pair.solvimon.is_credit_note)

    @property
    def credit_notes(self) -> tuple[Pair, ...]:
        """The credit notes."""
        return tuple(pair for pair in self.pairs if pair.solvimon.is_credit_note)

    @property
    def problems(self) -> tuple[str, ...]:
        """The findings in plain words; nothing when the books agree."""
        return tuple(finding.text for finding in self.findings)

    @property
    def difference(self) -> Decimal:
        """Sum of the absolute differences of the gross totals; of what is stated to differ, none."""
        return sum((pair.difference for pair in self.pairs if pair.solvimon.id not in self.stated), ZERO)

    def count(self, kind: FindingType) -> int:
        """Return how many findings there are of a type."""
        return sum(finding.type is kind for finding in self.findings)


def audit(system: LocalSystem, expected: Expected | None = None) -> Audit:
    """Check both sides' books of all connections as they are now.

    Args:
        system: the local system.
        expected: what the records do not tell.
    """
    known, ledger = expected or Expected(), system.ledger()
    every = [read_books(connection, ledger, known.covers) for connection in system.connections.values()]
    found = [finding for books in every for finding in findings(books, known)]
    pairs = tuple(pair for books in every for pair in books.pairs)
    return Audit(pairs, (*found, *_misplaced(every, ledger)), frozenset(known.stated))


def _misplaced(every: Iterable[BothSides], ledger: Iterable[Json]) -> Iterator[Finding]:
    """One connection's documents and customers in another one's books or under its name in the ledger."""
    owned = {
        books.connection: {one["id"] for name in _OWNED for one in books.records.solvimon[name]}
        for books in every
    }
    keys = [item["pk"].split("#") for item in ledger]
    found = set[str]()
    for books in every:
        named = {part for owner, *parts in keys if owner == books.connection for part in parts}
        for name in ("invoices", "credit_memos", "customers"):
            for record in books.records.rillet[name]:
                named |= {one["id"] for one in record.get("external_references") or ()}
        found |= named & set[str]().union(*(ids for owner, ids in owned.items() if owner != books.connection))
    for identifier in sorted(found):
        yield Finding(FindingType.MISPLACED, f"In another connection's books: {identifier}.", identifier)


def messages_left(system: LocalSystem) -> int:
    """Return how many messages are on the queues, those included that wait for a later moment."""
    return sum(queue.depth().total for queue in system.pollers.queues.values())


def webhooks_left(system: LocalSystem) -> int:
    """Return how many webhooks of both vendors are not delivered yet."""
    sides = [side for one in system.connections.values() for side in (one.platform, one.organisation)]
    return sum(side.webhooks.pending() for side in sides)


def held_records(ledger: Sequence[Json], now: float) -> Iterator[str]:
    """Yield which items of the ledger are claimed, leased or locked beyond a moment in Unix seconds."""
    documents = document_records(ledger)
    for item in documents:
        if item["state"] in _UNFINISHED or "lease_until" in item:
            yield f"{item['pk']} is {item['state']}, with a lease until {item.get('lease_until', 'now')}"
    for item in (one for one in ledger if one not in documents):
        if any(float(item[name]) > now for name in ("lease_until", "until") if name in item):
            yield f"{item['pk']} is held"


def unfinished_work(system: LocalSystem) -> Iterator[str]:
    """Yield which records are held, and which queues, dead-letter queues and webhooks are not empty."""
    yield from held_records(system.ledger(), system.clock.now())
    for function, queue in system.pollers.dead_letters.items():
        if letters := queue.bodies():
            yield f"{len(letters)} message(s) of {function} were given up, such as {letters[0]}"
    for function, queue in system.pollers.queues.items():
        if waiting := queue.depth().total:
            yield f"{waiting} message(s) of {function} still wait"
    if webhooks := webhooks_left(system):
        yield f"{webhooks} webhook(s) are not delivered"


def system_problems(system: LocalSystem) -> Iterator[str]:
    """Yield what is unfinished, and what the product must never do to the vendors."""
    yield from unfinished_work(system)
    if charged := system.solvimon.state.charged:
        yield f"Customers were charged by Solvimon's /pay: {charged}"
    if refused := sum(one.organisation.counts.refused for one in system.connections.values()):
        yield f"Rillet refused {refused} calls for their pace"
