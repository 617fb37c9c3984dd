"""The tables of a reconciliation as CSV files for a spreadsheet. Pure.

Two files, one table each, so that filters and pivot tables work: findings and figures (the totals).
UTF-8 with a byte order mark and CRLF, as Excel expects; amounts are plain digits with a point.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from solvimon_rillet.reconciliation.findings import HEADINGS, display_name
from solvimon_rillet.reconciliation.report.report import Report
from solvimon_rillet.reconciliation.report.wording import amount
from solvimon_rillet.reconciliation.totals import COLUMNS, SideTotals

FINDING_COLUMNS = (
    "difference",
    "document",
    "number",
    "date",
    "currency",
    "amount",
    "cause",
    "remedy",
    "code",
    "solvimon_id",
    "rillet_ids",
    "link",
)
SIDES = ("solvimon", "rillet", "difference")
FIGURE_COLUMNS = (
    "subsidiary",
    "subsidiary_id",
    "currency",
    "month",
    *(f"{name}_{side}" for name in COLUMNS for side in SIDES),
)

_BYTE_ORDER_MARK = "\ufeff"
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
"""Beginnings of cells that a spreadsheet would compute or misread (OWASP, CSV Injection)."""


def findings_csv(report: Report) -> str:
    """All differences, the most severe first."""
    return _csv(
        FINDING_COLUMNS,
        (
            (
                HEADINGS[finding.kind],
                display_name(finding.document),
                finding.number,
                finding.day,
                finding.currency,
                amount(Decimal(finding.amount), finding.currency, separated=False) if finding.amount else "",
                finding.cause,
                finding.remedy,
                finding.code,
                finding.solvimon_id,
                " ".join(finding.rillet_ids),
                report.link_of(finding) or "",
            )
            for finding in report.comparison.findings
        ),
    )


def figures_csv(report: Report) -> str:
    """The totals of both sides by subsidiary, currency and month."""
    return _csv(
        FIGURE_COLUMNS,
        (
            (
                report.subsidiary(bucket.subsidiary_id),
                bucket.subsidiary_id,
                bucket.currency,
                bucket.month,
                *_totals_cells(bucket.currency, line.solvimon, line.rillet, line.difference),
            )
            for bucket, line in report.comparison.totals.lines().items()
        ),
    )


def _totals_cells(currency: str, *sides: SideTotals) -> list[str]:
    return [
        str(side.count) if name == "count" else amount(getattr(side, name), currency, separated=False)
        for name in COLUMNS
        for side in sides
    ]


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO(_BYTE_ORDER_MARK, newline="")
    written.seek(0, io.SEEK_END)
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(columns)
    table.writerows([_escape_formula(cell) for cell in row] for row in rows)
    return written.getvalue()


def _escape_formula(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; numbers are not changed."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell
