"""Tables as CSV for a spreadsheet; no cell is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from aws_lambda_powertools.event_handler import Response

CSV = "text/csv; charset=utf-8"
_FORMULA = ("=", "+", "@", "\t", "\r")


def as_csv(header: Sequence[str], table: Iterable[Sequence[str]]) -> str:
    """A table with its header; a cell that a spreadsheet would calculate begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(cell) for cell in row] for row in table)
    return "\N{BYTE ORDER MARK}" + text.getvalue()


def csv_response(header: Sequence[str], table: Iterable[Sequence[str]], name: str) -> Response[str]:
    """A table as a file with a name of ours, which the browser keeps."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(200, CSV, as_csv(header, table), headers)


def _cell(value: str) -> str:
    is_number = value[:1] == "-" and value[1:].replace(".", "", 1).isdigit()
    risky = value.startswith(_FORMULA) or (value.startswith("-") and not is_number)
    return f"'{value}" if risky else value
