"""The CSV files: a spreadsheet reads back what the report says, and computes nothing."""

import csv
import io
from decimal import Decimal

import pytest

from solvimon_rillet.reconciliation.findings import HEADINGS
from solvimon_rillet.reconciliation.report.csv_tables import (
    FIGURE_COLUMNS,
    FINDING_COLUMNS,
    SIDES,
    figures_csv,
    findings_csv,
)
from solvimon_rillet.reconciliation.totals import COLUMNS
from tests.support.reconciliation import billed, booked, compared, empty, finding, large, reporting, sample


def _read(text: str) -> list[dict[str, str]]:
    """Read as Excel does: by the mark at the beginning, in UTF-8."""
    data = text.encode("utf-8")
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def _written(**fields: object) -> dict[str, str]:
    [row] = _read(findings_csv(reporting(finding(**fields))))
    return row


def test_every_finding_comes_back_in_its_order() -> None:
    report = sample()

    rows = _read(findings_csv(report))

    found = report.comparison.findings
    assert [row["difference"] for row in rows] == [HEADINGS[one.kind] for one in found]
    for row, one in zip(rows, found, strict=True):
        assert (row["number"], row["date"], row["currency"]) == (one.number, one.day, one.currency)
        assert Decimal(row["amount"] or 0) == Decimal(one.amount or 0)
        assert (row["cause"], row["remedy"], row["code"]) == (one.cause, one.remedy, one.code)
        assert row["rillet_ids"].split() == list(one.rillet_ids)
        is_document = one.document != "customer"
        assert row["link"] == (f"https://desk.solvimon.com/invoices/{one.solvimon_id}" if is_document else "")


def test_every_sum_comes_back_as_plain_digits() -> None:
    report = sample()

    rows = _read(figures_csv(report))

    lines = report.comparison.totals.lines()
    assert [(row["subsidiary_id"], row["currency"], row["month"]) for row in rows] == [
        (bucket.subsidiary_id, bucket.currency, bucket.month) for bucket in lines
    ]
    assert {row["subsidiary"] for row in rows} == {"Acme Berlin GmbH", "Acme 東京 K.K."}
    for row, line in zip(rows, lines.values(), strict=True):
        for name in COLUMNS:
            shown = [Decimal(row[f"{name}_{side}"]) for side in SIDES]
            assert shown == [getattr(side, name) for side in (line.solvimon, line.rillet, line.difference)]


def test_a_negative_number_stays_a_number() -> None:
    report = sample(comparison=compared([billed("1", gross="-5.00")], []))

    [row] = _read(figures_csv(report))

    assert (row["gross_solvimon"], row["count_difference"], row["net_difference"]) == (
        "-5.00",
        "-1",
        "-100.00",
    )


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "＋", "－", "＠"])
def test_no_text_begins_as_a_formula(begin: str) -> None:
    text = f'{begin}HYPERLINK("https://evil.example","x")'

    row = _written(number=text, cause=text, remedy=text, solvimon_id=text, rillet_ids=(text,), code=text)

    for name in ("number", "cause", "remedy", "code", "solvimon_id", "rillet_ids"):
        assert row[name] == f"'{text}"


@pytest.mark.parametrize("separator", [";", "\t", "|", "\r\n", "; "])
def test_no_part_of_a_cell_is_a_formula_for_any_list_separator(separator: str) -> None:
    text = f"closed{separator}=HYPERLINK(1){separator}+2"

    written = findings_csv(reporting(finding(cause=text)))

    for one in (";", "\t", "|"):
        cells = [cell for row in csv.reader(io.StringIO(written, newline=""), delimiter=one) for cell in row]
        broken = [part for line in written.splitlines() for part in line.split(one)]
        assert not [cell for cell in (*cells, *broken) if cell.lstrip().startswith(("=", "+"))]
    assert _written(cause=text)["cause"].replace("'", "") == text


@pytest.mark.parametrize("text", ["-1+cmd|' /C calc'!A0", "-", "+49 30 1234", "-1.5.2", "--1"])
def test_what_only_looks_like_a_number_is_a_text(text: str) -> None:
    assert _written(number=text)["number"] == f"'{text}"


@pytest.mark.parametrize("text", ['a "quoted", and\r\nbroken text; done', "Müller & Söhne 東京", "a=b", "'"])
def test_other_texts_come_back_as_they_are(text: str) -> None:
    assert _written(cause=text)["cause"] == text


def test_amounts_have_the_currencys_own_decimals_and_no_separators() -> None:
    assert _written(amount="1234567.5", currency="BHD")["amount"] == "1234567.500"
    assert _written(amount="55000", currency="JPY")["amount"] == "55000"
    assert _written(amount="", currency="")["amount"] == ""


def test_a_report_without_documents_has_the_headings_alone() -> None:
    assert findings_csv(empty()) == "\ufeff" + ",".join(FINDING_COLUMNS) + "\r\n"
    assert figures_csv(empty()) == "\ufeff" + ",".join(FIGURE_COLUMNS) + "\r\n"


def test_five_thousand_findings_are_five_thousand_rows() -> None:
    assert len(_read(findings_csv(large(5000)))) == 5000


def test_sides_that_agree_have_differences_of_zero_without_a_sign() -> None:
    one = billed("1")

    [row] = _read(figures_csv(sample(comparison=compared([one], [booked(one)]))))

    assert [row[f"{name}_difference"] for name in COLUMNS] == ["0", "0.00", "0.00", "0.00", "0.00"]
