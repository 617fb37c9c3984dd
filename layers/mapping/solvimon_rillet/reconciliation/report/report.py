"""The content of a report, independent of its format."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from solvimon_rillet.reconciliation.comparison import Comparison
from solvimon_rillet.reconciliation.findings import ABOUT_CUSTOMER, Finding
from solvimon_rillet.reconciliation.totals import as_rows, subsidiary_name


@dataclass(frozen=True, slots=True)
class UnmappedRecord:
    """A record without a link, which would block the next invoices.

    Attributes:
        kind: ``product``, ``customer`` or ``billing entity``.
        solvimon_id: Solvimon's id.
        name: its name.
        cause: what is missing.
        remedy: what to do about it.
    """

    kind: str
    solvimon_id: str
    name: str
    cause: str
    remedy: str

    def as_row(self) -> dict[str, Any]:
        """The record as JSON."""
        return {
            "kind": self.kind,
            "solvimon_id": self.solvimon_id,
            "name": self.name,
            "cause": self.cause,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The report of one connection's reconciliation.

    Attributes:
        connection: name of the connection.
        first: first day of the period (YYYY-MM-DD).
        last: last day of the period.
        made_at: time of the reconciliation (ISO 8601, UTC).
        comparison: the result of the comparison.
        subsidiaries: names of the subsidiaries by Rillet id.
        unmapped: the records that would block the next invoices.
        link: the address of a Solvimon document in Solvimon Desk, or ``None``.
        redriven: number of missing documents that were published again.
        remarks: notes about the run itself.
    """

    connection: str
    first: str
    last: str
    made_at: str
    comparison: Comparison
    subsidiaries: Mapping[str, str] = field(default_factory=dict)
    unmapped: Sequence[UnmappedRecord] = ()
    link: Callable[[str], str | None] = lambda _id: None
    redriven: int = 0
    remarks: Sequence[str] = ()

    @property
    def differences(self) -> int:
        """The number of differences; 0 if both sides tie out."""
        found = len(self.comparison.findings)
        return found or int(not self.comparison.tied_out)

    def link_of(self, finding: Finding) -> str | None:
        """The address of a finding's document in Solvimon Desk; a customer has none."""
        is_document = finding.solvimon_id and finding.document != ABOUT_CUSTOMER
        return self.link(finding.solvimon_id) if is_document else None

    def subsidiary(self, identifier: str) -> str:
        """The name of a subsidiary, else its id."""
        return subsidiary_name(identifier, self.subsidiaries)

    def as_json(self) -> dict[str, Any]:
        """The whole report as JSON."""
        comparison = self.comparison
        return {
            "connection": self.connection,
            "from": self.first,
            "to": self.last,
            "made_at": self.made_at,
            "tied_out": comparison.tied_out,
            "differences": self.differences,
            "documents": comparison.documents,
            "figures": as_rows(comparison.totals, self.subsidiaries),
            "findings": [finding.as_row() for finding in comparison.findings],
            "not_mapped_yet": [record.as_row() for record in self.unmapped],
            "not_for_rillet": dict(comparison.not_for_rillet),
            "other_documents_in_rillet": comparison.other_documents,
            "redriven": self.redriven,
            "notes": [*self.remarks, *comparison.notes],
        }
