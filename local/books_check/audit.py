"""The audit: all checks on the books of all connections, and the figures that follow from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from local.books_check.books import ZERO, BothSides, Pair, read_books
from local.books_check.checks import Expected, Finding, FindingType, findings
from local.books_check.records import Json
from local.system import LocalSystem

_OWNED = ("invoices", "customers")
"""Solvimon's collections whose ids must stay within their connection; credit notes are among the invoices."""


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
