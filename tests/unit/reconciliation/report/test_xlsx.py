"""The workbook: texts are text cells, amounts are number cells, and the header stays in sight."""

import io
import zipfile
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from solvimon_rillet.reconciliation.report.csv_tables import FIGURE_COLUMNS, FINDING_COLUMNS
from solvimon_rillet.reconciliation.report.report import Report
from solvimon_rillet.reconciliation.report.xlsx import as_xlsx
from tests.support.reconciliation import empty, finding, large, reporting, sample

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - our own file


class _Sheet:
    """A sheet as a program reads it: each cell with its type, ``s`` for a text, ``n`` for a number."""

    def __init__(self, report: Report, number: int) -> None:
        with zipfile.ZipFile(io.BytesIO(as_xlsx(report))) as files:
            self.parts = {name: files.read(name).decode() for name in files.namelist()}
        self.xml = _parsed(self.parts[f"xl/worksheets/sheet{number}.xml"])
        shared = _parsed(self.parts["xl/sharedStrings.xml"])
        texts = ["".join(each.itertext()) for each in shared.iter(f"{_MAIN}si")]
        self.rows: list[dict[str, tuple[str, str]]] = []
        for row in self.xml.iter(f"{_MAIN}row"):
            cells = {}
            for cell in row:
                kind = cell.get("t", "n")
                value = cell.findtext(f"{_MAIN}v", "")
                cells[cell.attrib["r"].rstrip("0123456789")] = (
                    kind,
                    texts[int(value)] if kind == "s" else value,
                )
            self.rows.append(cells)

    def column(self, name: str, columns: tuple[str, ...] = FINDING_COLUMNS) -> list[Any]:
        letter = chr(ord("A") + columns.index(name))
        return [row.get(letter, ("", "")) for row in self.rows[1:]]


def test_every_finding_comes_back_with_texts_as_texts_and_amounts_as_numbers() -> None:
    report = sample()

    sheet = _Sheet(report, 1)

    found = report.comparison.findings
    assert [text for _, text in sheet.rows[0].values()] == list(FINDING_COLUMNS)
    assert sheet.column("number") == [("s", one.number) for one in found]
    assert [(kind, value and Decimal(value)) for kind, value in sheet.column("amount")] == [
        ("n", Decimal(one.amount)) if one.amount else ("", "") for one in found
    ]


def test_every_sum_comes_back_as_a_number() -> None:
    report = sample()

    sheet = _Sheet(report, 2)

    lines = report.comparison.totals.lines().values()
    shown = [(kind, Decimal(value)) for kind, value in sheet.column("gross_rillet", FIGURE_COLUMNS)]
    assert shown == [("n", line.rillet.gross) for line in lines]


@pytest.mark.parametrize("number", [1, 2])
def test_the_header_is_frozen_and_has_a_filter(number: int) -> None:
    sheet = _Sheet(sample(), number)

    [pane] = sheet.xml.iter(f"{_MAIN}pane")
    assert (pane.get("state"), pane.get("ySplit")) == ("frozen", "1")
    assert list(sheet.xml.iter(f"{_MAIN}autoFilter"))


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "https://evil.example", "{=1}", "0012", "a\r\n=b", "'", "\x01x", "1e5"]
)
def test_no_text_is_a_formula_a_link_or_a_number(text: str) -> None:
    sheet = _Sheet(reporting(finding(number=text, cause=text)), 1)

    assert [kind for kind, _ in sheet.column("number")] == ["s"]
    assert not list(sheet.xml.iter(f"{_MAIN}f"))
    assert not list(sheet.xml.iter(f"{_MAIN}hyperlink"))


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        pytest.param(
            "amount", "12345678901234567.89", "12345678901234567.89", id="more digits than a number"
        ),
        pytest.param("cause", "c" * 40_000, "c" * 32_767, id="a text that is too long"),
    ],
)
def test_what_a_cell_cannot_keep_becomes_a_text_or_is_cut(name: str, given: str, kept: str) -> None:
    sheet = _Sheet(reporting(finding(**{name: given})), 1)

    assert sheet.column(name) == [("s", kept)]


def test_amounts_are_shown_with_the_currencys_own_decimals() -> None:
    sheet = _Sheet(
        reporting(finding(amount="1.5", currency="BHD"), finding(amount="55000", currency="JPY")), 1
    )

    assert '"#,##0.000"' in sheet.parts["xl/styles.xml"]
    assert [Decimal(value) for _, value in sheet.column("amount")] == [Decimal("1.5"), Decimal("55000")]


def test_a_report_without_documents_has_the_headings_alone() -> None:
    assert len(_Sheet(empty(), 1).rows) == len(_Sheet(empty(), 2).rows) == 1


def test_the_same_report_is_the_same_file() -> None:
    assert as_xlsx(sample()) == as_xlsx(sample())


def test_five_thousand_findings_are_five_thousand_rows() -> None:
    assert len(_Sheet(large(5000), 1).rows) == 5001
