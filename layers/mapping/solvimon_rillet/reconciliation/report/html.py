"""A reconciliation as a page that a controller reads, prints and files: one HTML file, no script. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from solvimon_rillet.reconciliation.findings import Finding, display_name
from solvimon_rillet.reconciliation.report.chart import charts
from solvimon_rillet.reconciliation.report.report import Report
from solvimon_rillet.reconciliation.report.wording import amount, counted, format_timestamp, groups, verdict
from solvimon_rillet.reconciliation.totals import COLUMNS, SideTotals, TotalsKey, TotalsLine

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "page.html.j2"
ROOMY = 14
"""Characters of an amount with which the tables of sums fit in letters of the usual size."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of a table; ``off`` where it should be zero and is not, ``quiet`` where it should and is."""

    text: str
    off: bool = False
    quiet: bool = False


def as_html(report: Report) -> str:
    """The page, self-contained: no script, no style, picture or font from elsewhere."""
    comparison = report.comparison
    lines = comparison.figures.lines()
    totals = [(c, _rows(c, line)) for c, line in comparison.figures.by_currency().items()]
    longest = max((len(cell.text) for _, named in totals for _, cells in named for cell in cells), default=0)
    return _template().render(
        report=report,
        comparison=comparison,
        verdict=verdict(report),
        moment=format_timestamp(report.made_at),
        totals=totals,
        tight=" tight" if longest > ROOMY else "",
        charts=charts(comparison.figures),
        lines=[(bucket, _rows(bucket.currency, line)) for bucket, line in lines.items()],
        groups=groups(report),
        not_for_rillet=comparison.not_for_rillet.most_common(),
        notes=[*report.remarks, *comparison.notes],
        link=lambda identifier: _safe_link(report, identifier),
        differs=_differs(lines),
    )


def _rows(currency: str, line: TotalsLine) -> list[tuple[str, list[Cell]]]:
    """Both sides and their difference, each with its name."""
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
        yield Cell(text, off=difference and bool(value), quiet=difference and not value)


def _differs(lines: dict[TotalsKey, TotalsLine]) -> int:
    """How many lines of the table differ in anything."""
    return sum(line.difference != SideTotals() for line in lines.values())


def _money(finding: Finding) -> str:
    """The amount of a finding with its currency; empty where neither is known."""
    if not finding.amount or not finding.currency:
        return ""
    return f"{amount(Decimal(finding.amount), finding.currency)} {finding.currency}"


def _safe_link(report: Report, identifier: str) -> str:
    """The address of a document in Solvimon Desk; empty if there is none, or it is no web address."""
    address = report.link(identifier) if identifier else None
    return address if address and urlsplit(address).scheme in {"https", "http"} else ""


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # only the last step makes a page

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"money": _money, "counted": counted, "call_it": display_name}
    return environment.get_template(TEMPLATE)
