"""The pages behind the buttons: reviews, refusals, previews, counts and results."""

import time
from collections.abc import Callable

from playwright.sync_api import Page

from tests.panel_browser.browser import Window
from tests.panel_browser.hostile import NAMES
from tests.panel_browser.looks import Looks, look_at
from tests.panel_browser.stage import Stage

_SECONDS = 60


def look_at_results(stage: Stage, connection: str, *, javascript: bool = True) -> Looks:
    """Press buttons that book nothing, and look at each page that follows, in all ways.

    Args:
        stage: the running system.
        connection: whose pages.
        javascript: whether scripts run; without them the pages are only opened.
    """
    looks = Looks()
    with Window(stage.browser, javascript=javascript) as window:
        stage.sign_in(window)
        for path, act in _ACTS:
            window.page.goto(stage.at(connection, path))
            act(window.page)
            looks.pages += 1
            if javascript:
                look_at(window, looks)
        looks.complaints += window.complaints
    return looks


def _review(page: Page) -> None:
    """A change that is reviewed, and not confirmed."""
    page.get_by_label("Sync Customer to Rillet").uncheck()
    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("button", name="Confirm 1 change").wait_for()


def _refusal(page: Page) -> None:
    """A setting that does not exist."""
    page.get_by_text("All other settings as JSON").click()
    page.locator("#advanced").fill('{"swep": {"lookback_days": 7}}')
    page.get_by_role("button", name="Review changes").click()
    page.get_by_text("Did you mean").first.wait_for()


def _preview(page: Page) -> None:
    """A preview, followed to its end."""
    page.get_by_role("button", name="Preview products").click()
    ends = time.monotonic() + _SECONDS
    while page.get_by_role("button", name="Import products").count() == 0:
        assert time.monotonic() < ends, page.locator("main").inner_text()
        time.sleep(0.5)
        page.reload()


def _count(page: Page) -> None:
    """The count of a back-fill."""
    page.get_by_label("Dated from").fill("2026-01-01")
    page.get_by_role("button", name="Count", exact=True).click()
    page.get_by_role("heading", name="Back-fill a period", level=1).wait_for()


def _unknown_number(page: Page) -> None:
    """A dry run of a number that no document has."""
    page.get_by_label("Invoice number or id").fill("INV-unknown")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("No document has the number").first.wait_for()


def _sweep(page: Page) -> None:
    page.get_by_role("button", name="Sweep now").click()
    page.get_by_role("heading", name="Swept", level=1).wait_for()


def _file(page: Page) -> None:
    """The whole list as a file."""
    page.get_by_role("button", name="Make the file").click()
    page.get_by_role("link", name="Save the file").wait_for()


def _decisions(page: Page) -> None:
    """A file with decisions, of which one cannot be done; it is checked, and nothing more."""
    rows = f"act,kind,solvimon_id,solvimon_name,rillet_id\nunite,product,prod_x,{NAMES[0]},x\n"
    page.locator("#upload").set_input_files(
        {"name": "decided.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_role("button", name="Check it").click()
    page.get_by_text("would be refused").first.wait_for()


_ACTS: tuple[tuple[str, Callable[[Page], object]], ...] = (
    ("/configurations", _review),
    ("/configurations", _refusal),
    ("/synchronise", _preview),
    ("/synchronise", _count),
    ("/synchronise", _unknown_number),
    ("/synchronise", _sweep),
    ("/mappings/products", _file),
    ("/mappings/customers", _decisions),
)
