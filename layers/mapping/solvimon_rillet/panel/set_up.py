"""The steps of setting a connection up: what is done, what is next."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.panel.connection_state import STEPS, checks_of, without_address
from solvimon_rillet.panel.page import MENU
from solvimon_rillet.panel.reading import Json, section, text

_CHECK_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Step:
    """A step of setting up."""

    title: str
    ok: bool
    blocking: bool
    found: str
    remedy: str
    url: str
    connect: bool
    page: str
    page_title: str
    next: bool


def set_up_view(link: Json, now: str) -> Mapping[str, Any]:
    """What the page of the steps shows."""
    urls, steps = section(link, "webhook_urls"), list[Step]()
    for check in checks_of(link):
        page = STEPS.get(check.name, ("", ""))[1]
        vendor = check.name.removesuffix(" webhook").lower() if check.name.endswith(" webhook") else ""
        next_one = not check.ok and check.blocking and all(step.ok or not step.blocking for step in steps)
        steps.append(
            Step(
                check.title,
                check.ok,
                check.blocking,
                without_address(check.found) if vendor else check.found,
                _in_the_panel(check.remedy, has_control=bool(page) or check.name == "Rillet"),
                text(urls, vendor) if vendor else "",
                check.name == "Rillet",
                page,
                MENU.get(page, ""),
                next_one,
            )
        )
    pending = next((step.title for step in steps if step.next), "")
    return {
        "checked": text(link, "at") or now,
        "steps": steps,
        "done": sum(step.ok for step in steps),
        "next": pending,
    }


def _in_the_panel(remedy: str, *, has_control: bool) -> str:
    """A remedy for a person who has buttons: no invocation where there is a control for it."""
    said = remedy.replace("Request the status again in a minute.", "Check again in a minute.")
    sentences = [
        each for each in _CHECK_SENTENCE.split(said) if not (has_control and each.startswith("Invoke "))
    ]
    return " ".join(sentences)
