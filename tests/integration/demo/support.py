"""What the tests of the demo share."""

import io
import json
import re
from decimal import Decimal
from typing import Any

from local import sample_data
from local.demo import story
from local.demo.books import Amounts, Booked, Pair
from local.demo.screen import Screen
from local.demo.sections import connections
from local.demo.stage import Section, Stage
from local.system import LocalSystem

COLOUR = "\x1b["
SECRETS = ("solvimon-key-", "rillet-key-", "Bearer ", "X-PAYLOAD-SIGNATURE", "code=")
WEBHOOK_SECRET = re.compile(r"\b[0-9a-f]{64}\b")
MADE_BY_OAUTH = re.compile(r"(?<![\w/+-])[\w-]{43}(?![\w/+-])|(?<![\w/+-])[\w-]{86}(?![\w/+-])")
"""States, codes, verifiers, challenges and tokens."""


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def tell(system: LocalSystem, *sections: Section, connected: bool = True) -> tuple[int, str]:
    """Tell a short story; return the exit code and the screen.

    Args:
        system: the local system.
        sections: the parts of the story.
        connected: begin with the part that connects both organisations.
    """
    out = io.StringIO()
    screen = Screen(out, 100)
    first = (connections.SECTION,) if connected else ()
    outcome = story.tell(system, screen, (*first, *sections))
    return story.conclude(screen, outcome, 1.25), out.getvalue()


def in_rillet(*names: str) -> Section:
    """A section that finalises some of the demo's invoices and lets them arrive."""

    def finalise(stage: Stage) -> dict[str, int | str]:
        for name in names:
            stage.finalise(sample_data.invoice_id(name))
        stage.deliver_webhooks()
        stage.until(stage.settled, "The export")
        return {}

    return Section("Some invoices", finalise)


def figures(screen: str) -> dict[str, Any]:
    """The figures of the DEMO line, which must be the last one and the only one."""
    lines = screen.rstrip("\n").split("\n")
    assert [number for number, line in enumerate(lines) if line.startswith("DEMO")] == [len(lines) - 1]
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("DEMO "))
    return found


def told(screen: str) -> str:
    """Everything before the DEMO line."""
    return screen[: screen.rindex("DEMO ")]


def in_one_line(screen: str) -> str:
    """Everything before the DEMO line, as if the screen were wide enough."""
    return " ".join(told(screen).split())


def pair(gross: str = "121.00", booked: tuple[str, ...] = ("121.00",), state: str = "exported") -> Pair:
    """An invoice of 100 net in euros, and what Rillet has of it."""
    return Pair(
        connection="default",
        id="invo_1",
        number="INV-2026-11-000001",
        customer="Armement du Fleuve inc.",
        state=state,
        billed=_amounts(gross),
        booked=tuple(Booked(f"INV-{number}", _amounts(total)) for number, total in enumerate(booked)),
    )


def _amounts(gross: str) -> Amounts:
    return Amounts("EUR", Decimal("100.00"), Decimal(gross) - 100, Decimal(gross))
