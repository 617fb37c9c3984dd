"""The page in a real browser: it shows the figures, complains of nothing, fits 1,000 pixels and prints."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from solvimon_rillet.reconciliation.findings import FindingType
from solvimon_rillet.reconciliation.report.html import as_html
from solvimon_rillet.reconciliation.report.report import Report
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

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
WIDTH = 1000
# As root it has no sandbox, and containers have a small /dev/shm.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--enable-logging=stderr",
    f"--window-size={WIDTH},1200",
)
CONSOLE = re.compile(r"^.*:CONSOLE[:(].*$", re.MULTILINE)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
MEASURE = "<script>document.body.dataset.width = document.documentElement.scrollWidth</script>"

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="no chromium here (Debian: apt-get install --no-install-recommends chromium)"
)


def _chromium(source: str, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    page = folder / "report.html"
    page.write_text(source, encoding="utf-8")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, page.as_uri()]
    return subprocess.run(  # noqa: S603 - our own page
        command, check=True, capture_output=True, text=True, timeout=100
    )


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


def test_the_browser_shows_the_tables_and_the_console_stays_empty(tmp_path: Path) -> None:
    source = as_html(sample())

    done = _chromium(source, tmp_path, "--dump-dom")

    shown, written = Page(done.stdout), Page(source)
    assert shown.tables == written.tables
    assert len(shown.tables) == len(FindingType) + 5
    assert CONSOLE.findall(done.stderr) == []


def test_a_fault_on_the_page_would_be_seen_in_the_console(tmp_path: Path) -> None:
    source = as_html(sample()).replace("</body>", "<script>alert(1)</script></body>")

    done = _chromium(source, tmp_path, "--dump-dom")

    assert [line for line in CONSOLE.findall(done.stderr) if "Content Security Policy" in line]


@pytest.mark.parametrize("report", [sample(), empty(), _long_texts()], ids=["sample", "empty", "long texts"])
def test_the_page_fits_a_window_1000_pixels_wide(report: Report, tmp_path: Path) -> None:
    source = POLICY.sub("", as_html(report)).replace("</body>", f"{MEASURE}</body>")

    done = _chromium(source, tmp_path, "--dump-dom")

    [width] = re.findall(r'<body data-width="(\d+)"', done.stdout)
    assert 900 < int(width) <= WIDTH


@pytest.mark.parametrize(
    ("report", "least", "most"),
    [(empty(), 1, 1), (sample(), 4, 12), (large(300), 10, 60)],
    ids=["empty", "sample", "300 findings"],
)
def test_the_page_prints(report: Report, least: int, most: int, tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"

    _chromium(as_html(report), tmp_path, f"--print-to-pdf={target}", "--no-pdf-header-footer")

    printed = target.read_bytes()
    assert printed.startswith(b"%PDF-")
    assert least <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= most
    [sizes] = [set(re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed))]
    assert {float(width) > float(height) for width, height in sizes} == {True}


def test_five_thousand_findings_open(tmp_path: Path) -> None:
    done = _chromium(as_html(large(5000)), tmp_path, "--dump-dom")

    assert len(Page(done.stdout).tables["missing"]) == 5001
    assert CONSOLE.findall(done.stderr) == []


def test_a_text_of_others_runs_nothing_in_a_browser_that_would_let_it(tmp_path: Path) -> None:
    nasty = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    source = POLICY.sub("", as_html(reporting(finding(number=nasty, cause=nasty), connection=nasty)))

    done = _chromium(source, tmp_path, "--dump-dom")

    assert "<title>run</title>" not in done.stdout
    assert Page(done.stdout).tables["missing"][1][5].strip() == nasty


@pytest.mark.parametrize("report", [sample(), empty()], ids=["sample", "empty"])
def test_each_value_has_its_caption_on_a_phone_and_the_page_does_not_scroll_sideways(
    report: Report, tmp_path: Path
) -> None:
    measure = """<script>
    const body = document.body, cell = document.querySelector("td[data-caption]");
    const right = [...document.querySelectorAll("caption")].map(c => c.getBoundingClientRect().right);
    body.dataset.over = document.documentElement.scrollWidth - window.innerWidth;
    body.dataset.captions = right.filter(edge => edge > window.innerWidth).length;
    const shown = cell ? getComputedStyle(cell, "::before") : {content: "none", fontSize: ""};
    body.dataset.shown = shown.content.replaceAll('"', "") + shown.fontSize;
    </script>"""
    source = POLICY.sub("", as_html(report)).replace("</body>", f"{measure}</body>")

    done = _chromium(source, tmp_path, "--window-size=500,900", "--dump-dom")

    measured = dict(re.findall(r'data-(over|captions|shown)="([^"]*)"', done.stdout))
    assert int(measured["over"]) <= 0
    assert measured["captions"] == "0"
    assert measured["shown"] in {"Customer: 13px", "none"}
