"""What a reconciliation tells, apart from how it is written down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from solvimon_rillet.reconciliation.comparison import Comparison
from solvimon_rillet.reconciliation.totals import as_rows, called


@dataclass(frozen=True, slots=True)
class UnmappedRecord:
    """Something that would stop the next invoices.

    Attributes:
        kind: ``product``, ``customer`` or ``billing entity``.
        solvimon_id: Solvimon's id.
        name: for people.
        cause: what is missing.
        remedy: what to do about it.
    """

    kind: str
    solvimon_id: str
    name: str
    cause: str
    remedy: str

    def as_row(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {
            "kind": self.kind,
            "solvimon_id": self.solvimon_id,
            "name": self.name,
            "cause": self.cause,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A reconciliation of one connection.

    Attributes:
        connection: its name.
        first: first day of the period (YYYY-MM-DD).
        last: last day of the period.
        made_at: when (ISO 8601, UTC).
        comparison: both sides next to each other.
        subsidiaries: names by Rillet id.
        unready: what would stop the next invoices.
        link: the address of a Solvimon document in Solvimon Desk, or ``None``.
        redriven: how many missing documents were put on the bus again.
        remarks: what a reader should know of the run itself.
    """

    connection: str
    first: str
    last: str
    made_at: str
    comparison: Comparison
    subsidiaries: Mapping[str, str] = field(default_factory=dict)
    unready: Sequence[UnmappedRecord] = ()
    link: Callable[[str], str | None] = lambda _id: None
    redriven: int = 0
    remarks: Sequence[str] = ()

    @property
    def differences(self) -> int:
        """How many differences there are; 0 when both sides tie out."""
        found = len(self.comparison.findings)
        return found or int(not self.comparison.tied_out)

    def subsidiary(self, identifier: str) -> str:
        """What a subsidiary is called."""
        return called(identifier, self.subsidiaries)

    def as_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        comparison = self.comparison
        return {
            "connection": self.connection,
            "from": self.first,
            "to": self.last,
            "made_at": self.made_at,
            "tied_out": comparison.tied_out,
            "differences": self.differences,
            "documents": comparison.documents,
            "figures": as_rows(comparison.figures, self.subsidiaries),
            "findings": [finding.as_row() for finding in comparison.findings],
            "not_mapped_yet": [one.as_row() for one in self.unready],
            "not_for_rillet": dict(comparison.not_for_rillet),
            "other_documents_in_rillet": comparison.others,
            "redriven": self.redriven,
            "notes": [*self.remarks, *comparison.notes],
        }
