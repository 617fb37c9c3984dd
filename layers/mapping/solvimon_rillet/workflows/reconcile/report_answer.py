"""The answer of a reconciliation of one connection, for people and for the panel."""

from collections import Counter
from collections.abc import Mapping

from solvimon_rillet import money
from solvimon_rillet.reconciliation.report.bridge import bridges
from solvimon_rillet.reconciliation.report.report import Report
from solvimon_rillet.workflows.durable.steps import Json

MAX_LISTED_FINDINGS = 20  # the report has all


def report_answer(report: Report, addresses: Mapping[str, str]) -> Json:
    """The figures, the first findings, and where the report is.

    Args:
        report: the report.
        addresses: of its files, by their names.
    """
    comparison = report.comparison
    kinds = Counter(finding.kind.value for finding in comparison.findings)
    return {
        "from": report.first,
        "to": report.last,
        "tied_out": comparison.tied_out,
        "differences": report.differences,
        "documents": comparison.documents,
        "by_kind": dict(kinds),
        "totals": {
            currency: {
                "solvimon": money.format_amount(line.solvimon.gross, currency),
                "rillet": money.format_amount(line.rillet.gross, currency),
                "difference": money.format_amount(line.difference.gross, currency),
            }
            for currency, line in comparison.totals.by_currency().items()
        },
        "bridge": bridges(report),
        "findings": [finding.as_row() for finding in comparison.findings[:MAX_LISTED_FINDINGS]],
        "not_mapped_yet": len(report.unmapped),
        "redriven": report.redriven,
        "report": dict(addresses),
    }
