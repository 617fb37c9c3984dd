"""What somebody sees who opens every page: in wide windows, on a phone, in the dark, without scripts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.panel_browser import checks, hostile
from tests.panel_browser.browser import Window
from tests.panel_browser.crawl import walk
from tests.panel_browser.stage import Stage


@dataclass
class Looks:
    """What was found on the pages; everything but their number should be empty.

    Attributes:
        pages: how many were opened.
        complaints: of the browser's console.
        violations: of accessibility, in either theme.
        too_wide: pages that would have to be moved sideways.
        hostile: elements that a name has written.
        named: pages that show markup of a name as text.
        not_shown: pages that are no page, or have no heading.
    """

    pages: int = 0
    complaints: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    too_wide: list[str] = field(default_factory=list)
    hostile: int = 0
    named: int = 0
    not_shown: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Everything that is wrong, a line each."""
        names = [f"{self.hostile} elements come from names"] if self.hostile else []
        return [*self.complaints, *self.violations, *self.too_wide, *self.not_shown, *names]


def look(stage: Stage, connections: Iterable[str], of_a_shape: int, role: str = "admin") -> Looks:
    """Open every page of some connections, and look at each in all ways."""
    looks = Looks()
    with Window(stage.browser) as window:
        stage.sign_in(window, role)
        for connection in connections:
            for _ in walk(window.page, stage.at(connection), of_a_shape):
                looks.pages += 1
                look_at(window, looks)
        looks.complaints += window.complaints
    return looks


def look_without_scripts(stage: Stage, connection: str, of_a_shape: int) -> Looks:
    """Open every page of a connection in a browser that runs no script."""
    looks = Looks()
    with Window(stage.browser, javascript=False) as window:
        stage.sign_in(window)
        for _ in walk(window.page, stage.at(connection), of_a_shape):
            looks.pages += 1
            _is_shown(window, looks)
        looks.complaints += window.complaints
    return looks


def look_at_playground(stage: Stage) -> Looks:
    """Look at the playground of each connection."""
    looks = Looks()
    with Window(stage.browser) as window:
        for connection in stage.system.connections:
            window.page.goto(f"{stage.playground}?connection={connection}")
            looks.pages += 1
            look_at(window, looks)
        looks.complaints += window.complaints
    return looks


def look_at(window: Window, looks: Looks) -> None:
    """Look at what a window shows, in all ways."""
    _is_shown(window, looks)
    looks.violations += checks.inaccessible(window.page)
    looks.too_wide += checks.too_wide(window.page)
    looks.hostile += checks.hostile_elements(window.page)
    looks.named += hostile.MARKUP in window.page.locator("main").inner_text()


def _is_shown(window: Window, looks: Looks) -> None:
    heading = window.page.locator("h1").all_inner_texts()
    if len(heading) != 1 or "cannot be shown" in heading[0] or "could not be read" in heading[0]:
        looks.not_shown.append(f"{window.page.url}: {window.page.title()}, headings: {heading}")
