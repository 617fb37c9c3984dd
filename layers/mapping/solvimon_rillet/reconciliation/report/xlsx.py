"""The tables of a reconciliation as a workbook: what a controller opens. Pure.

Two sheets, like the two CSV files. A text is a text cell and an amount a number cell, so nothing depends on
the reader's list separator or decimal point, and no text is ever a formula or a link. XlsxWriter is imported
on first use, because only this file needs it.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from solvimon_rillet.money import decimals
from solvimon_rillet.reconciliation.report.csv_tables import (
    FIGURE_COLUMNS,
    FINDING_COLUMNS,
    figure_rows,
    finding_rows,
)
from solvimon_rillet.reconciliation.report.report import Report

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format

_MAX_CELL_TEXT = 32_767
"""Characters of a cell (Excel specifications and limits)."""
_MAX_DIGITS = 15
"""Digits that a number cell keeps (Excel specifications and limits)."""
_WIDTHS = {
    "cause": 70,
    "customer": 28,
    "remedy": 70,
    "difference": 34,
    "subsidiary": 28,
    "rillet_ids": 40,
    "link": 48,
}
_WIDTH = 16


def as_xlsx(report: Report) -> bytes:
    """The workbook: all differences, and the totals of both sides."""
    from xlsxwriter import Workbook

    written = io.BytesIO()
    # A text that begins as a formula, an address or a number stays a text.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(written, options) as book:
        book.set_properties({"created": datetime.fromisoformat(report.made_at)})
        _Sheet(book, "Differences", FINDING_COLUMNS).write(
            (str(row[FINDING_COLUMNS.index("currency")]), row) for row in finding_rows(report)
        )
        _Sheet(book, "Figures", FIGURE_COLUMNS).write(
            (str(row[FIGURE_COLUMNS.index("currency")]), row) for row in figure_rows(report)
        )
    return written.getvalue()


class _Sheet:
    """A sheet with a header that stays in sight, and a filter."""

    def __init__(self, book: "Workbook", name: str, columns: Sequence[str]) -> None:
        self._book = book
        self._columns = columns
        self._formats: dict[int, Format] = {}
        self._sheet = book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        header = book.add_format({"bold": True, "bottom": 1})
        for number, column in enumerate(columns):
            self._sheet.set_column(number, number, _WIDTHS.get(column, _WIDTH))
            self._sheet.write_string(0, number, column, header)

    def write(self, rows: Iterable[tuple[str, Sequence[str | Decimal]]]) -> None:
        """Write the rows, each with the currency of its amounts."""
        last = 0
        for last, (currency, row) in enumerate(rows, 1):
            for number, value in enumerate(row):
                if isinstance(value, Decimal) and len(value.as_tuple().digits) <= _MAX_DIGITS:
                    whole = self._columns[number].startswith("count_")
                    places = 0 if whole else _places(value, currency)
                    self._sheet.write_number(last, number, value, self._format(places))
                elif value != "":
                    self._sheet.write_string(last, number, str(value)[:_MAX_CELL_TEXT])
        self._sheet.autofilter(0, 0, last, len(self._columns) - 1)

    def _format(self, places: int) -> "Format":
        if places not in self._formats:
            pattern = "#,##0" + (f".{'0' * places}" if places else "")
            self._formats[places] = self._book.add_format({"num_format": pattern})
        return self._formats[places]


def _places(value: Decimal, currency: str) -> int:
    """The currency's own decimals; more if the amount has more, so that nothing is rounded."""
    exponent = (value.normalize() if value else Decimal()).as_tuple().exponent
    return max(decimals(currency), -exponent if isinstance(exponent, int) else 0)
