"""The bridge of a reconciliation: from Solvimon's gross total to Rillet's, difference by difference. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from solvimon_rillet.reconciliation.findings import FindingType
from solvimon_rillet.reconciliation.report.report import Report
from solvimon_rillet.reconciliation.report.wording import amount
from solvimon_rillet.reconciliation.totals import TotalsLine

_STEP_WORDS = {
    FindingType.DOUBLED: "booked twice",
    FindingType.DELETED: "deleted",
    FindingType.MISSING: "missing",
    FindingType.REJECTED: "rejected",
    FindingType.ON_ITS_WAY: "on its way",
    FindingType.AMOUNT_DIFFERS: "other amount",
    FindingType.NOT_IN_SOLVIMON: "not in Solvimon",
}


def bridges(report: Report) -> list[str]:
    """The bridge of each currency, such as ``34,111.22 − deleted 355.26 = 33,755.96 EUR``."""
    totals = report.comparison.totals.by_currency()
    return [_bridge(report, currency, line) for currency, line in totals.items()]


def _bridge(report: Report, currency: str, line: TotalsLine) -> str:
    steps = [
        f"{'−' if value < 0 else '+'} {words} {amount(abs(value), currency)}"
        for words, value in _bridge_steps(report, currency, line)
    ]
    sides = [amount(side.gross, currency) for side in (line.solvimon, line.rillet)]
    return f"{' '.join([sides[0], *steps])} = {sides[1]} {currency}"


def _bridge_steps(report: Report, currency: str, line: TotalsLine) -> Iterator[tuple[str, Decimal]]:
    """The differences by kind; what no finding explains, such as another currency, comes last."""
    rest = line.difference.gross
    for kind, words in _STEP_WORDS.items():
        effects = (
            Decimal(finding.effect)
            for finding in report.comparison.findings
            if finding.kind is kind and finding.currency == currency and finding.effect
        )
        if value := sum(effects, Decimal()):
            rest -= value
            yield words, value
    if rest:
        yield "other", rest
