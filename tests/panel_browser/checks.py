"""What must hold of every page: accessible in both themes, no wider than the window, names as text."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WIDTHS = (360, 1000, 1600)
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RULES = {
    "light": {"type": "tag", "values": _TAGS},
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
"""What axe checks in each theme; the dark one is another choice of colours, and nothing else."""
_HOSTILE = """() => document.querySelectorAll('img[src="x"], main script, td script').length
    + (document.title === 'run' ? 1 : 0)"""


def inaccessible(page: Page) -> list[str]:
    """Return what axe finds on the page, in both themes."""
    found = []
    page.evaluate(AXE_SCRIPT)
    for theme, rules in _RULES.items():
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        violations = page.evaluate("async options => (await axe.run(options)).violations", options)
        for violation in violations:
            where = f"{_where(page)} ({theme}): {violation['id']}"
            found += [f"{where} at {_target(node)}" for node in violation["nodes"]]
    page.emulate_media(color_scheme="light")
    return found


def too_wide(page: Page) -> list[str]:
    """Return the widths of the window in which the page would have to be moved sideways."""
    found = []
    before = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wide = int(page.evaluate("document.documentElement.scrollWidth"))
        if wide > width:
            found.append(f"{_where(page)}: {wide} pixels wide in a window of {width}")
    if before:
        page.set_viewport_size(before)
    return found


def hostile_elements(page: Page) -> int:
    """Return how many elements of the page were written by a name."""
    return int(page.evaluate(_HOSTILE))


def _where(page: Page) -> str:
    return page.url.partition("/panel")[2] or page.url


def _target(node: Any) -> str:  # noqa: ANN401 - axe's JSON
    return f"{node['target'][0]} {node['html'][:120]}"
