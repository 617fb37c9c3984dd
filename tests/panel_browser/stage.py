"""The system of `make up`, running in this process, and people who sign in to its panel."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser

from local.playground.app import sign_in_link
from local.system import LocalSystem
from local.up import start
from tests.panel_browser.browser import Window, chromium
from tests.panel_browser.hostile import add_hostile


@dataclass(frozen=True)
class Stage:
    """A running system with the seeds of `make up` and a connection full of hostile names, and a browser."""

    system: LocalSystem
    browser: Browser

    @property
    def panel(self) -> str:
        """The panel's address."""
        return f"{self.system.gateway.url}/panel"

    @property
    def playground(self) -> str:
        """The playground's address."""
        return f"{self.system.gateway.url}/_local"

    def at(self, connection: str, path: str = "") -> str:
        """The address of a page of a connection."""
        return f"{self.panel}/connections/{connection}{path}"

    def sign_in(self, window: Window, role: str = "admin") -> None:
        """Open a one-time link in a window."""
        window.page.goto(sign_in_link(self.system, role))
        window.page.get_by_role("button", name="Sign in").click()


@contextmanager
def stage(*, hostile: bool = True) -> Iterator[Stage]:
    """Yield a stage; everything in it works in the background."""
    with LocalSystem(stack="browser", quiet=True) as system:
        start(system)
        if hostile:
            add_hostile(system)
        with chromium() as browser:
            yield Stage(system, browser)
