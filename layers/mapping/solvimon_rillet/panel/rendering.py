"""Jinja2: templates whose every value is escaped, and the forms in which values are shown."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvimon_rillet import money
from solvimon_rillet.html_templates import template_environment

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
STATIC = {"panel.css": "text/css; charset=utf-8", "htmx.js": "text/javascript; charset=utf-8"}
"""The files that are served, and their media types."""
_TIMESTAMP = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d)?Z\b")
_ADDRESS = re.compile(r"\w+:|\w+_")
"""What does not begin with a capital letter: an address, a name of the code."""


@cache
def static_file(name: str) -> bytes:
    """The content of a static file."""
    return (_HERE / "static" / name).read_bytes()


@cache
def static_name(name: str) -> str:
    """The name under which a static file is served: it changes with the content."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(static_file(name)).hexdigest()[:16]}.{ending}"


@cache
def static_names() -> dict[str, str]:
    """The static files by the name under which they are served."""
    return {static_name(name): name for name in STATIC}


@cache
def templates() -> "Environment":
    """The templates of the panel."""
    environment = template_environment(
        _HERE / "templates",
        {
            "grouped": grouped,
            "day": day,
            "minute": minute,
            "clock": clock,
            "plural": plural,
            "sentence": sentence,
        },
    )
    environment.tests["whole"] = is_whole
    environment.globals["static_name"] = static_name
    return environment


def grouped(amount: object) -> str:
    """An amount as people write it: ``-1548.80`` becomes ``−1,548.80``; what is no number stays as it is."""
    text = str(amount)
    sign, digits = ("−", text[1:]) if text.startswith("-") else ("", text)
    units, point, decimals = digits.partition(".")
    if not (units.isascii() and units.isdigit() and (decimals.isdigit() or not point)):
        return text
    return f"{sign}{int(units):,}{point}{decimals}"


def is_whole(currency: object) -> bool:
    """Whether a currency has no decimals, such as JPY."""
    return money.decimals(str(currency)) == 0


def day(moment: object) -> str:
    """The day of a timestamp: ``2026-11-30``."""
    return str(moment or "")[:10]


def minute(moment: object) -> str:
    """A timestamp to the minute: ``2026-11-30 09:14``."""
    return str(moment or "")[:16].replace("T", " ")


def clock(moment: object) -> str:
    """The time of a timestamp to the second: ``09:14:22``."""
    return str(moment or "")[11:19]


def sentence(text: object) -> str:
    """A text of a function as a sentence: it begins with a capital letter, and times are written shorter."""
    words = _TIMESTAMP.sub(r"\1 \2 UTC", str(text))
    return words if words[:1] == words[:1].upper() or _ADDRESS.match(words) else words[0].upper() + words[1:]


def plural(count: Any, one: str, many: str = "") -> str:  # noqa: ANN401 - a number of an answer
    """A count with its noun: ``1 invoice``, ``3 invoices``."""
    return f"{grouped(count)} {one if count == 1 else many or one + 's'}"
