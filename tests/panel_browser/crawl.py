"""The pages that a person can reach from the menu, without doing anything."""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qsl, urljoin, urlsplit

from playwright.sync_api import Page

OF_A_SHAPE = 2
"""Pages of one shape that are opened: their ids differ, and their template does not."""
_TARGETS = "links => links.map(link => link.getAttribute('href'))"
_ID = re.compile(r"[\w.:%-]*(\d|_)[\w.:%-]*|[\w%-]{20,}")


def walk(window: Page, first: str, of_a_shape: int = OF_A_SHAPE) -> Iterator[str]:
    """Open page after page below the first one's folder, and yield the address of each.

    Args:
        window: of a person who is signed in.
        first: address of a connection's overview.
        of_a_shape: how many of the pages that differ in ids only.
    """
    seen, waiting, shapes = set[str](), [first], Counter[str]()
    while waiting:
        address = waiting.pop(0)
        shape = shape_of(address)
        if shapes[shape] >= of_a_shape or address in seen:
            continue
        seen.add(address)
        shapes[shape] += 1
        window.goto(address)
        links = window.eval_on_selector_all("a[href]", _TARGETS)
        waiting += [target for link in links if (target := _target(window.url, link, first))]
        yield address


def shape_of(address: str) -> str:
    """Return an address with stars for its ids, and the names of its query."""
    parts = urlsplit(address)
    path = "/".join("*" if _ID.fullmatch(part) else part for part in parts.path.split("/"))
    return f"{path}?{'&'.join(sorted(name for name, _ in parse_qsl(parts.query)))}"


def _target(base: str, link: str, first: str) -> str:
    """Return where a link leads, if that is a page of the same connection."""
    address = urljoin(base, link).partition("#")[0]
    inside = urlsplit(address)
    is_page = f"{inside.scheme}://{inside.netloc}{inside.path}/".startswith(f"{first}/")
    is_file = "as" in dict(parse_qsl(inside.query)) or "/files/" in inside.path or "/lists/" in inside.path
    return address if is_page and not is_file else ""
