"""The page in a real browser: it shows the figures, complains of nothing, fits 1,000 pixels and prints."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="no playwright here: make sets it up")

from playwright.sync_api import Browser

from solvimon_rillet.reconciliation.findings import FindingType
from solvimon_rillet.reconciliation.report.html import as_html
from solvimon_rillet.reconciliation.report.report import Report
from tests.panel_browser.browser import CHROMIUM, REASON, Window, chromium
from tests.support.reconciliation import (
    BERLIN,
    Page,
    billed,
    compared,
    empty,
    finding,
    large,
    reporting,
    sample,
)

WIDTH = 1000
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
Opened = Callable[..., Window]

pytestmark = pytest.mark.skipif(not CHROMIUM, reason=REASON)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Open a page in a window, which is ``WIDTH`` pixels wide unless told otherwise."""
    with ExitStack() as windows:

        def open_page(source: str, width: int = WIDTH) -> Window:
            page = tmp_path / "report.html"
            page.write_text(source, encoding="utf-8")
            window = windows.enter_context(Window(browser, size={"width": width, "height": 1200}))
            window.page.goto(page.as_uri())
            return window

        yield open_page


def _long_texts() -> Report:
    """Texts without a place to break them, and amounts of a large group in a small currency."""
    long = "W" * 200
    ours = [
        billed(str(n), number="9" * 80, day=f"2026-{n:02}-01", net="99999999999.99", gross="99999999999.99")
        for n in range(1, 13)
    ]
    found = finding(
        solvimon_id=f"invo_{long}",
        number=long,
        amount="99999999999.99",
        rillet_ids=(long, long),
        cause=long,
        remedy=f'invoke export_invoice with {{"invoice_ids": ["{long}"]}}',
        code=long,
    )
    comparison = compared(ours, [])
    comparison.findings.append(found)
    comparison.not_for_rillet[long] = 1
    return sample(
        connection=long, comparison=comparison, subsidiaries={BERLIN: "Gesellschaft" * 9}, remarks=[long]
    )


def test_the_browser_shows_the_tables_and_the_console_stays_empty(opened: Opened) -> None:
    source = as_html(sample())

    window = opened(source)

    shown, written = Page(window.page.content()), Page(source)
    assert shown.tables == written.tables
    assert len(shown.tables) == len(FindingType) + 5
    assert window.complaints == []


def test_a_fault_on_the_page_would_be_seen_in_the_console(opened: Opened) -> None:
    window = opened(as_html(sample()).replace("</body>", "<script>alert(1)</script></body>"))

    assert [line for line in window.complaints if "Content Security Policy" in line]


@pytest.mark.parametrize("report", [sample(), empty(), _long_texts()], ids=["sample", "empty", "long texts"])
def test_the_page_fits_a_window_1000_pixels_wide(report: Report, opened: Opened) -> None:
    window = opened(as_html(report))

    assert 900 < window.page.evaluate("document.documentElement.scrollWidth") <= WIDTH


@pytest.mark.parametrize(
    ("report", "least", "most"),
    [(empty(), 1, 1), (sample(), 4, 12), (large(300), 10, 60)],
    ids=["empty", "sample", "300 findings"],
)
def test_the_page_prints(report: Report, least: int, most: int, opened: Opened) -> None:
    printed = opened(as_html(report)).page.pdf(prefer_css_page_size=True)

    assert printed.startswith(b"%PDF-")
    assert least <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= most
    [sizes] = [set(re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed))]
    assert {float(width) > float(height) for width, height in sizes} == {True}


def test_five_thousand_findings_open(opened: Opened) -> None:
    window = opened(as_html(large(5000)))

    assert len(Page(window.page.content()).tables["missing"]) == 5001
    assert window.complaints == []


def test_a_text_of_others_runs_nothing_in_a_browser_that_would_let_it(opened: Opened) -> None:
    nasty = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    report = reporting(finding(number=nasty, cause=nasty), connection=nasty)

    window = opened(POLICY.sub("", as_html(report)))

    assert window.page.title() != "run"
    assert Page(window.page.content()).tables["missing"][1][5].strip() == nasty


@pytest.mark.parametrize("report", [sample(), empty()], ids=["sample", "empty"])
def test_each_value_has_its_caption_on_a_phone_and_the_page_does_not_scroll_sideways(
    report: Report, opened: Opened
) -> None:
    measure = """() => {
        const cell = document.querySelector("td[data-caption]");
        const right = [...document.querySelectorAll("caption")].map(c => c.getBoundingClientRect().right);
        const shown = cell ? getComputedStyle(cell, "::before") : {content: "none", fontSize: ""};
        return {
            over: document.documentElement.scrollWidth - window.innerWidth,
            captions: right.filter(edge => edge > window.innerWidth).length,
            shown: shown.content.replaceAll('"', "") + shown.fontSize,
        };
    }"""

    measured = opened(as_html(report), width=500).page.evaluate(measure)

    assert measured["over"] <= 0
    assert measured["captions"] == 0
    assert measured["shown"] in {"Customer: 13px", "none"}
