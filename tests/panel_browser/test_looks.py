"""What the looks at the panel's pages would find."""

import pytest

pytest.importorskip("playwright", reason="no playwright here: make sets it up")

from tests.panel_browser import looks
from tests.panel_browser.browser import CHROMIUM, REASON, Window, chromium

pytestmark = pytest.mark.skipif(not CHROMIUM, reason=REASON)


def test_a_fault_of_a_page_would_be_found() -> None:
    found = looks.Looks()

    with chromium() as browser, Window(browser) as window:
        window.page.set_content(
            "<!doctype html><html><title>run</title><main><h1>Two</h1><h1>headings</h1>"
            '<p style="width:2000px;color:#eee">wide</p><img src=x onerror="alert(1)"></main></html>'
        )
        looks.look_at(window, found)

    rules = {violation.partition(": ")[2].partition(" ")[0] for violation in found.violations}
    assert {"color-contrast", "html-has-lang", "image-alt"} <= rules
    assert len(found.too_wide) == 3
    assert (found.hostile, len(found.not_shown)) == (2, 1)
    assert any("a dialog says '1'" in complaint for complaint in window.complaints)
