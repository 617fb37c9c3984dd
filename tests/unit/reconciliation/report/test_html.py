"""The page: its tables hold the figures, texts of others stay texts, and it needs nothing from elsewhere."""

import re
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from solvimon_rillet.reconciliation.findings import HEADINGS, FindingType
from solvimon_rillet.reconciliation.report.html import as_html
from solvimon_rillet.reconciliation.report.report import Report, UnmappedRecord
from solvimon_rillet.reconciliation.totals import COLUMNS, PeriodTotals, TotalsLine
from tests.support.reconciliation import (
    BERLIN,
    Page,
    billed,
    booked,
    compared,
    empty,
    finding,
    large,
    note,
    reporting,
    sample,
)

NASTY = "<script>alert('x')</script> & \"Söhne\" </td></table>"


def _numbers(cells: list[str]) -> list[Decimal]:
    return [Decimal(cell.replace(",", "")) for cell in cells]


def _expected(line: TotalsLine) -> list[list[Decimal]]:
    sides = (line.solvimon, line.rillet, line.difference)
    return [[Decimal(getattr(side, name)) for name in COLUMNS] for side in sides]


def test_the_totals_are_the_reports_own() -> None:
    report = sample()

    [head, *rows] = Page(as_html(report)).tables["totals"]

    assert head == ["Currency", "Side", "Documents", "Net", "Tax", "Gross", "Open"]
    wanted = report.comparison.totals.by_currency()
    assert [row[0] for row in rows[::3]] == list(wanted)
    shown = [_numbers(row[-5:]) for row in rows]
    assert shown == [numbers for line in wanted.values() for numbers in _expected(line)]


def test_the_table_of_months_has_every_line_of_the_figures() -> None:
    report = sample()

    [_, *rows] = Page(as_html(report)).tables["figures"]

    lines = report.comparison.totals.lines()
    named = [(report.subsidiary(one.subsidiary_id), one.currency, one.month) for one in lines]
    assert [tuple(row[:3]) for row in rows[::3]] == named
    assert [_numbers(row[-5:]) for row in rows] == [n for line in lines.values() for n in _expected(line)]


@pytest.mark.parametrize(
    ("currency", "gross", "shown"),
    [
        ("EUR", "1234567.5", "1,234,567.50"),
        ("JPY", "1234567", "1,234,567"),
        ("BHD", "1234.5", "1,234.500"),
        ("EUR", "0.005", "0.005"),
    ],
)
def test_amounts_have_the_currencys_own_decimals_and_lose_none(currency: str, gross: str, shown: str) -> None:
    ours = billed("1", currency=currency, net=gross, tax="0", gross=gross)

    rows = Page(as_html(sample(comparison=compared([ours], [])))).tables["totals"]

    assert [row[-2] for row in rows[1:]] == [shown, rows[2][-2], f"-{shown}"]
    assert Decimal(rows[2][-2]) == 0


def test_a_difference_stands_out_by_its_sign_and_its_class_and_zero_does_not() -> None:
    more, same = billed("1"), billed("2", currency="USD")
    there = booked(more, gross="119.01", open="119.01", tax="19.01")

    source = as_html(sample(comparison=compared([more, same], [there, booked(same)])))

    assert source.count('<td class="n off">+0.01</td>') == 3 * 2  # tax, gross, open in both tables
    assert source.count('<td class="n quiet">0.00</td>') == (1 + 4) * 2


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (sample(), f"≠ {len(FindingType)} differences"),
        (sample(comparison=compared([billed("1")], [])), "≠ 1 difference"),
        (sample(comparison=compared([billed("1")], [booked(billed("1"))])), "✓ Both sides agree to the cent"),
        (empty(), "✓ Both sides agree to the cent"),
    ],
)
def test_the_verdict_comes_before_every_table(report: Report, words: str) -> None:
    source = as_html(report)

    assert words in Page(source).text
    assert source.index(words) < source.index("<h2>")
    assert f"{words[2:]}</title>" in source


def test_sums_that_differ_without_a_document_that_does_are_no_agreement() -> None:
    figures = PeriodTotals()
    figures.add_rillet(booked(billed("1")))
    report = reporting()

    source = as_html(replace(report, comparison=replace(report.comparison, totals=figures)))

    assert "The sums differ, although no document does" in Page(source).text


def test_findings_are_grouped_by_kind_the_gravest_first() -> None:
    report = sample()
    page = Page(as_html(report))

    groups = [name for name in page.tables if name in set(FindingType)]

    assert groups == list(FindingType)
    assert [row[0] for row in page.tables["kinds"][1:]] == list(HEADINGS.values())
    assert page.tables["kinds"][4] == ["Missing in Rillet", "1", "55,000 JPY"]


def test_a_finding_has_its_number_date_amount_ids_cause_and_remedy() -> None:
    report = reporting(
        finding(
            amount="1234.5",
            rillet_ids=("ri_1", "ri_2"),
            code="product_not_linked",
            cause="C.",
            remedy="R.",
            customer="Quay B.V.",
            effect="-1234.5",
        )
    )

    [_, row] = Page(as_html(report)).tables["missing"]

    [document, customer, day, amount, ids, cause, remedy] = [" ".join(cell.split()) for cell in row]
    assert (document, customer, day) == ("RE-1 invo_1", "Quay B.V.", "2026-10-05")
    assert amount == "1,234.50 EUR -1,234.50 EUR"
    assert (ids, cause, remedy) == ("ri_1, ri_2", "C. product_not_linked", "R.")


@pytest.mark.parametrize(
    ("address", "linked"),
    [("https://desk.solvimon.com/invoices/invo_1", True), ("javascript:alert(1)", False), (None, False)],
)
def test_a_number_links_to_solvimon_desk_where_there_is_a_web_address(
    address: str | None, linked: bool
) -> None:
    page = Page(as_html(reporting(finding(), link=lambda _: address)))

    assert [link for link in page.links if not link.startswith("#")] == ([address] if linked else [])
    assert page.tables["missing"][1][0].startswith("RE-1")


def test_every_link_within_the_page_has_its_target() -> None:
    source = as_html(sample())

    targets = {link[1:] for link in Page(source).links if link.startswith("#")}

    assert targets == {*FindingType, "not-mapped"}
    assert all(source.count(f'id="{target}"') == 1 for target in targets)


def test_what_others_wrote_is_shown_and_never_run() -> None:
    nasty = finding(
        number=NASTY, cause=NASTY, remedy=NASTY, code=NASTY, rillet_ids=(NASTY,), solvimon_id=NASTY
    )
    report = reporting(
        nasty,
        connection=NASTY,
        subsidiaries={BERLIN: NASTY},
        unmapped=[UnmappedRecord(NASTY, NASTY, NASTY, NASTY, NASTY)],
        remarks=[NASTY],
        link=lambda identifier: f'https://desk.example/"onclick="x"{identifier}',
    )
    report.comparison.not_for_rillet[NASTY] = 1
    harmless = Page(as_html(sample()))

    page = Page(as_html(report))

    assert page.tags == harmless.tags
    assert "script" not in page.tags
    assert not page.handlers
    assert page.tables["missing"][1][6] == NASTY
    assert page.tables["figures"][1][0] == NASTY
    assert page.text.count(NASTY) > 12


def test_the_page_takes_nothing_from_elsewhere_and_runs_nothing() -> None:
    source = as_html(sample())

    assert "default-src 'none'; style-src 'unsafe-inline'" in source
    assert not Page(source).tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert not re.search(r"url\(|@import|\ssrc=", source)


def test_a_reader_of_the_screen_finds_his_way() -> None:
    source = as_html(sample())

    tables = re.findall(r"<table.*?</table>", source, re.DOTALL)
    assert '<html lang="en">' in source
    assert len(tables) == len(FindingType) + 5
    assert all("<caption>" in table and 'scope="col"' in table and 'scope="row' in table for table in tables)
    assert not re.findall(r"<th(?![^>]*scope=)[^a-z]", source)
    svgs = re.findall(r"<svg role.*?</svg>", source, re.DOTALL)
    assert len(svgs) == 3
    assert all("<title id=" in svg and "<desc id=" in svg for svg in svgs)
    assert "2026-10: Solvimon 17,612.60, Rillet 15,232.61" in source


def test_the_bars_are_as_high_as_the_sums_are_large() -> None:
    ours = [billed("1", gross="500.00", day="2026-08-01"), billed("2", gross="250.00", day="2026-09-01")]
    credit = note("c", gross="125.00", day="2026-10-01")

    source = as_html(sample(comparison=compared([*ours, credit], [booked(ours[1])])))

    chart = source[source.index("<svg role") :]
    bars = re.findall(
        r'<rect class="(\w+)" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/>', chart
    )
    heights = [(side, round(float(height) / float(bars[0][2]), 2)) for side, _, height in bars]
    assert heights == [
        ("solvimon", 1.0),
        ("rillet", 0.0),
        ("solvimon", 0.5),
        ("rillet", 0.5),
        ("solvimon", 0.25),
        ("rillet", 0.0),
    ]
    [base, down] = [float(bars[0][1]) + float(bars[0][2]), float(bars[4][1])]
    assert down == pytest.approx(base)


def test_what_is_left_out_what_is_not_mapped_and_what_is_noted_is_told() -> None:
    page = Page(as_html(sample()))

    assert ["self-billing", "1"] in page.tables["not-for-rillet"]
    assert "Rillet has 1 other document in this period" in page.text
    assert "Rillet was read on 2026-11-24" in page.text
    assert "1 document was published again" in page.text
    assert [row[1].split()[-1] for row in page.tables["not-mapped"][1:]] == [
        "prod_01HZX8Q2W9B1C7D5E3F4G6H8J0",
        "cust_9",
    ]


def test_a_period_without_documents_has_a_page_that_says_so() -> None:
    page = Page(as_html(empty()))

    assert page.tables == {}
    assert "Solvimon has no final document for Rillet in this period." in page.text
    assert "There is no document to sum up in this period." in page.text
    assert "No document of Solvimon is left out by a rule." in page.text


def test_a_document_that_could_not_be_read_has_no_currency_and_is_there() -> None:
    unreadable = billed(
        "1",
        day="",
        currency="",
        net="",
        tax="",
        gross="0",
        biller_id="",
        state="rejected",
        rillet_id="",
        message="m",
    )

    page = Page(as_html(sample(comparison=compared([unreadable], []))))

    assert page.tables["rejected"][1][2] == ""
    assert page.tables["figures"][1][:3] == ["(not linked)", "unknown", "unknown"]


def test_five_thousand_findings_make_a_page_of_sane_size_in_sane_time() -> None:
    report = large(5000)

    begun = time.perf_counter()
    source = as_html(report)
    seconds = time.perf_counter() - begun

    assert len(Page(source).tables["missing"]) == 5001
    assert len(source.encode()) < 4_000_000
    assert seconds < 10
