"""A controller's first day: from a link to books that agree, with a browser and no terminal."""

import re
import time

from playwright.sync_api import Page, expect

from local.playground.drafts import UNLINKED
from local.playground.seed import CONNECTED, UNCONNECTED
from tests.panel_browser.browser import Window
from tests.panel_browser.stage import Stage

ORGANISATION = "Acme Group"
BOOKED = re.compile("Booked")


def first_day(stage: Stage) -> float:
    """Live through the day, and return how many seconds it took.

    Raises:
        AssertionError: something on a page is not as the story says.
        playwright.sync_api.Error: a control is not there.
    """
    started = time.monotonic()
    with Window(stage.browser) as window:
        stage.sign_in(window)
        page = window.page
        _connect(page)
        for plural in ("subsidiaries", "products", "customers"):
            _import(page, plural)
        number = _finalise(stage, page, UNCONNECTED, "us-sales-tax")
        _watch_it_arrive(stage, page, number)
        _link_what_stops_invoices(stage, page)
        _sign_the_books_off(page)
        assert not window.complaints, window.complaints
    return time.monotonic() - started


def _connect(page: Page) -> None:
    """See what is missing, and connect Rillet."""
    page.get_by_role("link", name=UNCONNECTED, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Set up {UNCONNECTED}")
    page.get_by_role("button", name="Connect to Rillet").click()
    page.get_by_label(ORGANISATION).check()
    page.get_by_role("button", name="Grant access").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"connected to {ORGANISATION}")
    page.get_by_role("link", name="Back to the panel").click()
    expect(page.get_by_role("main")).to_contain_text(ORGANISATION)


def _import(page: Page, plural: str) -> None:
    """Preview an import, accept it, and link what both sides have."""
    _menu(page, "Synchronise")
    page.get_by_role("button", name=f"Preview {plural}").click()
    _until_finished(page)
    page.get_by_role("button", name=f"Import {plural}").click()
    _until_finished(page)
    _menu(page, "Needs attention")
    page.get_by_role("link", name="All links").click()
    if plural != "products":  # which is the list that opens
        page.get_by_role("main").get_by_role("link", name=plural.capitalize()).click()
    page.get_by_label("Show").select_option("Proposed")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("button", name=re.compile(r"Link all \d+")).click()
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"(\d+) of \1 linked"))


def _menu(page: Page, title: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=re.compile(f"^{title}")).click()


def _until_finished(page: Page) -> None:
    """Wait for a run; htmx asks for it again and again."""
    expect(page.get_by_role("status")).to_contain_text("Finished", timeout=60_000)


def _finalise(stage: Stage, page: Page, connection: str, draft: str) -> str:
    """Finalise an invoice with the playground's button, and return its number."""
    page.goto(f"{stage.playground}?connection={connection}")
    page.get_by_role("button", name=f"Finalise {draft}", exact=True).click()
    said = page.get_by_role("status").inner_text()
    return said.partition(" ")[0]


def _watch_it_arrive(stage: Stage, page: Page, number: str) -> None:
    """Find an invoice among the documents, and look again until it is booked."""
    _look_again_until(page, stage.at(UNCONNECTED, f"/documents?q={number}"), "Booked")
    page.get_by_role("link", name=number).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(number)


def _link_what_stops_invoices(stage: Stage, page: Page) -> None:
    """Open a rejected invoice, link its product in place, and see all of them booked."""
    number = _finalise(stage, page, CONNECTED, UNLINKED)
    _look_again_until(page, stage.at(CONNECTED, f"/documents?q={number}"), "Needs you")
    page.get_by_role("link", name=number).click()
    expect(page.get_by_role("main")).to_contain_text("Mooring Sensors")
    page.get_by_role("link", name="Choose its Rillet product").click()
    page.get_by_role("button", name=re.compile("Link and try 4 again")).click()
    _look_again_until(page, stage.at(CONNECTED, f"/documents?q={number}"), "Booked")


def _sign_the_books_off(page: Page) -> None:
    """Compare both sides, read what differs, and sign it off with a reason."""
    _menu(page, "Reconciliation")
    page.get_by_role("button", name="Reconcile").click()
    page.get_by_role("link", name=re.compile("Open the report")).click(timeout=60_000)
    main = page.get_by_role("main")
    expect(main.get_by_role("heading", name="From Solvimon to Rillet")).to_be_visible()
    expect(main).to_contain_text("Rillet does not have it any more")
    main.get_by_label(re.compile("Comment for the auditor")).fill("Read on the first day; the rest follows.")
    main.get_by_role("button", name=re.compile("Sign off")).click()
    expect(main).to_contain_text(re.compile("Signed off"))
    page.get_by_role("link", name="All reports").click()
    expect(page.get_by_role("main")).to_contain_text("(admin)")


def _look_again_until(page: Page, address: str, text: str, seconds: float = 30) -> None:
    """Open a page until it says something."""
    ends = time.monotonic() + seconds
    while True:
        page.goto(address)
        main = page.locator("main table").all_inner_texts()
        if any(text in each for each in main):
            return
        assert time.monotonic() < ends, f"{address} does not say {text!r}: {main}"
        time.sleep(0.2)
