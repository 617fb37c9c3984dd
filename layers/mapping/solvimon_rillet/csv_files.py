"""CSV files that people open in a spreadsheet, and give back. Pure.

UTF-8 with a byte order mark and CRLF, as Excel writes and expects it. No cell of ours is computed by a
spreadsheet; a file that comes back may have commas, semicolons or tabs.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

BYTE_ORDER_MARK = "\ufeff"
_DELIMITERS = ",;\t"
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_FORMULA_BEGIN = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
"""Beginnings of cells that a spreadsheet would compute or misread (OWASP, CSV Injection)."""
_INNER_FORMULA = re.compile(r"([;|\t\r\n]\s*)(?=[=+\-@＝＋－＠])")
"""The same behind what is a list separator elsewhere, where quotes within a line hold no cell together."""


def disarmed(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, whatever its list separator; a number stays."""
    if _NUMBER.fullmatch(cell):
        return cell
    safe = _INNER_FORMULA.sub(r"\1'", cell)
    return f"'{safe}" if _FORMULA_BEGIN.match(cell) else safe


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """A table as CSV, with its columns in the first line; a missing or empty value is an empty cell."""
    written = io.StringIO(BYTE_ORDER_MARK, newline="")
    written.seek(0, io.SEEK_END)
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(columns)
    table.writerows([disarmed(_cell_text(row.get(name))) for name in columns] for row in rows)
    return written.getvalue()


def csv_rows(content: bytes, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file that has certain columns, each with its line as a spreadsheet counts it, from 2.

    Empty rows are left out. Names of columns may have other case, and blanks around them, as cells may.

    Args:
        content: of the file.
        needed: the columns that it must have.

    Raises:
        ValueError: it is not UTF-8, no CSV, or lacks a column; the message says what to do.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError('It is not in UTF-8. In Excel, save it as "CSV UTF-8".') from None
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().casefold() for name in next(table, [])]
        if missing := [name for name in needed if name not in names]:
            raise ValueError(f"Its first line lacks the column {missing[0]}; it needs {', '.join(needed)}.")
        for number, cells in enumerate(table, start=2):
            row = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
            if any(row.values()):
                yield number, {**dict.fromkeys(names, ""), **row}
    except csv.Error as error:
        raise ValueError(f"It is no CSV: {error}.") from None


def _cell_text(value: object) -> str:
    return "" if value is None else str(value)
