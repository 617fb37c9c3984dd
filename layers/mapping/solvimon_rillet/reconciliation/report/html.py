"""The report of a reconciliation as one HTML file without scripts, to read, print and archive. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from solvimon_rillet.html_templates import template_environment
from solvimon_rillet.reconciliation.findings import Finding, display_name
from solvimon_rillet.reconciliation.report.bridge import bridges
from solvimon_rillet.reconciliation.report.chart import charts
from solvimon_rillet.reconciliation.report.report import Report
from solvimon_rillet.reconciliation.report.wording import (
    amount,
    finding_groups,
    format_report_time,
    pluralize,
    verdict,
)
from solvimon_rillet.reconciliation.totals import COLUMNS, SideTotals, TotalsKey, TotalsLine

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "page.html.j2"
NORMAL_SIZE_LIMIT = 14
"""Characters of an amount up to which the tables of totals fit in the normal font size."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of a table. A difference is a ``mismatch`` if it is not zero, else ``muted``."""

    text: str
    mismatch: bool = False
    muted: bool = False


def as_html(report: Report) -> str:
    """The HTML page, self-contained: no script, and no external style, picture or font."""
    comparison = report.comparison
    lines = comparison.totals.lines()
    totals = [(c, _totals_rows(c, line)) for c, line in comparison.totals.by_currency().items()]
    longest = max(
        (len(cell.text) for _, side_rows in totals for _, cells in side_rows for cell in cells), default=0
    )
    return _template().render(
        report=report,
        comparison=comparison,
        verdict=verdict(report),
        moment=format_report_time(report.made_at),
        totals=totals,
        bridges=bridges(report),
        tight=" tight" if longest > NORMAL_SIZE_LIMIT else "",
        charts=charts(comparison.totals),
        lines=[(bucket, _totals_rows(bucket.currency, line)) for bucket, line in lines.items()],
        groups=finding_groups(report),
        not_for_rillet=comparison.not_for_rillet.most_common(),
        notes=[*report.remarks, *comparison.notes],
        link=lambda finding: _safe_link(report, finding),
        differing_lines=_differing_lines(lines),
    )


def _totals_rows(currency: str, line: TotalsLine) -> list[tuple[str, list[Cell]]]:
    """The rows of both sides and their difference, each with its name."""
    return [
        ("Solvimon", list(_cells(currency, line.solvimon))),
        ("Rillet", list(_cells(currency, line.rillet))),
        ("Difference", list(_cells(currency, line.difference, difference=True))),
    ]


def _cells(currency: str, side: SideTotals, *, difference: bool = False) -> Iterator[Cell]:
    for name in COLUMNS:
        value = getattr(side, name)
        sign = "+" if difference and value else ""
        text = f"{value:{sign},}" if name == "count" else amount(value, currency, signed=difference)
        yield Cell(text, mismatch=difference and bool(value), muted=difference and not value)


def _differing_lines(lines: dict[TotalsKey, TotalsLine]) -> int:
    """The number of lines with any difference."""
    return sum(line.difference != SideTotals() for line in lines.values())


def _amount_with_currency(finding: Finding) -> str:
    """The amount of a finding with its currency; empty if one of them is unknown."""
    if not finding.amount or not finding.currency:
        return ""
    return f"{amount(Decimal(finding.amount), finding.currency)} {finding.currency}"


def _signed_effect(finding: Finding) -> str:
    """By how much a finding changes Rillet's side, with its sign; empty if by nothing."""
    if not finding.effect:
        return ""
    return f"{amount(Decimal(finding.effect), finding.currency, signed=True)} {finding.currency}"


def _safe_link(report: Report, finding: Finding) -> str:
    """The address of a document in Solvimon Desk; empty if there is none, or if it is no web address."""
    address = report.link_of(finding)
    return address if address and urlsplit(address).scheme in {"https", "http"} else ""


@cache
def _template() -> "Template":
    environment = template_environment(
        Path(__file__).parent,
        {
            "money": _amount_with_currency,
            "effect": _signed_effect,
            "pluralize": pluralize,
            "document_name": display_name,
        },
    )
    return environment.get_template(TEMPLATE)
