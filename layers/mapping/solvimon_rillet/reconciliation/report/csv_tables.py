"""The tables of a reconciliation as CSV files for a spreadsheet. Pure.

Two files, one table each, so that filters and pivot tables work: findings and figures (the totals).
UTF-8 with a byte order mark and CRLF, as Excel expects; amounts are plain digits with a point.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from solvimon_rillet.csv_files import BYTE_ORDER_MARK, disarmed
from solvimon_rillet.reconciliation.findings import HEADINGS, display_name
from solvimon_rillet.reconciliation.report.report import Report
from solvimon_rillet.reconciliation.report.wording import amount
from solvimon_rillet.reconciliation.totals import COLUMNS

FINDING_COLUMNS = (
    "difference",
    "document",
    "number",
    "customer",
    "date",
    "currency",
    "amount",
    "effect",
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

CsvRow = tuple[str | Decimal, ...]


def finding_rows(report: Report) -> Iterator[CsvRow]:
    """All differences, the most severe first: a row of ``FINDING_COLUMNS`` each."""
    for finding in report.comparison.findings:
        yield (
            HEADINGS[finding.kind],
            display_name(finding.document),
            finding.number,
            finding.customer,
            finding.day,
            finding.currency,
            Decimal(finding.amount) if finding.amount else "",
            Decimal(finding.effect) if finding.effect else "",
            finding.cause,
            finding.remedy,
            finding.code,
            finding.solvimon_id,
            " ".join(finding.rillet_ids),
            report.link_of(finding) or "",
        )


def figure_rows(report: Report) -> Iterator[CsvRow]:
    """The totals of both sides by subsidiary, currency and month: a row of ``FIGURE_COLUMNS`` each."""
    for bucket, line in report.comparison.totals.lines().items():
        sides = (line.solvimon, line.rillet, line.difference)
        yield (
            report.subsidiary(bucket.subsidiary_id),
            bucket.subsidiary_id,
            bucket.currency,
            bucket.month,
            *(Decimal(getattr(side, name)) for name in COLUMNS for side in sides),
        )


def findings_csv(report: Report) -> str:
    """The findings as CSV."""
    return _csv_bytes(FINDING_COLUMNS, finding_rows(report))


def figures_csv(report: Report) -> str:
    """The totals as CSV."""
    return _csv_bytes(FIGURE_COLUMNS, figure_rows(report))


def _csv_bytes(columns: Sequence[str], rows: Iterable[CsvRow]) -> str:
    written = io.StringIO(BYTE_ORDER_MARK, newline="")
    written.seek(0, io.SEEK_END)
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(columns)
    currency = columns.index("currency")
    table.writerows(
        [_table_cell(name, value, str(row[currency])) for name, value in zip(columns, row, strict=True)]
        for row in rows
    )
    return written.getvalue()


def _table_cell(name: str, value: str | Decimal, currency: str) -> str:
    if isinstance(value, str):
        return disarmed(value)
    return f"{value:f}" if name.startswith("count_") else amount(value, currency, separated=False)
