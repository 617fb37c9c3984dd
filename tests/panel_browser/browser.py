"""Chromium without a screen, and what it complains of while it shows pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, Self

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
REASON = "no chromium here (Debian: apt-get install --no-install-recommends chromium)"
DESKTOP = {"width": 1280, "height": 900}
PATIENCE = 15_000
"""Milliseconds until something on a page must be there."""
# As root it has no sandbox, and containers have a small /dev/shm.
_FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-extensions"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser; it needs Chromium on the machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """A window with cookies of its own; a context manager.

    Args:
        browser: the browser.
        javascript: whether scripts run.
        colours: the theme that the person prefers.
        size: of the window; a wide one without.

    Attributes:
        page: what the window shows.
        complaints: errors of the console, of scripts and of files that are missing, since it was opened.
    """

    def __init__(
        self,
        browser: Browser,
        *,
        javascript: bool = True,
        colours: Literal["light", "dark"] = "light",
        size: dict[str, int] | None = None,
    ) -> None:
        viewport: Any = size or DESKTOP
        self.context: BrowserContext = browser.new_context(
            java_script_enabled=javascript, color_scheme=colours, viewport=viewport, locale="en-GB"
        )
        self.context.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("dialog", self._dialog)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close it; its cookies are gone."""
        self.context.close()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _dialog(self, dialog: Any) -> None:  # noqa: ANN401 - playwright's Dialog
        self.complaints.append(f"{self.page.url}: a dialog says {dialog.message!r}")
        dialog.dismiss()
