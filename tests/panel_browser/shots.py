"""``make panel-shots``: pictures of the panel for README and the pages, small enough for a repository."""

import io
import sys
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from local.system import ROOT
from tests.panel_browser.browser import CHROMIUM, REASON, Window

FOLDER = ROOT / "docs" / "images"
COLOURS = 64
"""Of a picture; a page has fewer, but for the edges of its letters."""
MAX_BYTES = 150_000
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


@dataclass(frozen=True)
class Shot:
    """A picture of a page.

    Attributes:
        name: of the file.
        connection: whose page.
        path: of the page, below the connection's.
        size: of the window.
        colours: the theme.
        link: text of a link to follow first.
    """

    name: str
    connection: str
    path: str = ""
    size: Literal["desktop", "phone"] = "desktop"
    colours: Literal["light", "dark"] = "light"
    link: str = ""


SHOTS = (
    Shot("overview", "default"),
    Shot("overview-dark", "default", colours="dark"),
    Shot("overview-phone", "default", size="phone"),
    Shot("first-day", "acme"),
    Shot("needs-attention", "default", "/needs-attention", link="Choose its Rillet product"),
    Shot("story", "default", "/documents?state=rejected", link="INV-"),
    Shot("synchronise", "default", "/synchronise"),
    Shot("configurations", "default", "/configurations"),
    Shot("reconciliation", "default", "/reconciliation", link="Open it"),
)


def main() -> int:
    """Take all pictures; 2 where there is no browser."""
    if not CHROMIUM:
        sys.stderr.write(f"panel-shots: {REASON}\n")
        return 2
    from tests.panel_browser.stage import stage

    FOLDER.mkdir(parents=True, exist_ok=True)
    with stage(hostile=False) as running:
        for shot in SHOTS:
            size = DESKTOP if shot.size == "desktop" else PHONE
            with Window(running.browser, colours=shot.colours, size=size) as window:
                running.sign_in(window)
                window.page.goto(running.at(shot.connection, shot.path))
                if shot.link:
                    window.page.locator("main").get_by_role("link", name=shot.link).first.click()
                picture = reduced(window.page.screenshot())
            if len(picture) > MAX_BYTES:
                sys.stderr.write(f"{shot.name}.png has {len(picture):,} bytes; {MAX_BYTES:,} are allowed\n")
                return 1
            (FOLDER / f"{shot.name}.png").write_bytes(picture)
            sys.stdout.write(f"docs/images/{shot.name}.png {len(picture):,} bytes\n")
    return 0


def reduced(picture: bytes) -> bytes:
    """Return a PNG with a palette instead of full colours."""
    result = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(result, "PNG", optimize=True)
    return result.getvalue()


if __name__ == "__main__":
    sys.exit(main())
