"""What the tests of the demo share."""

import io
import json
import re
from decimal import Decimal
from typing import Any

from local import sample_data
from local.books_check.books import Pair
from local.books_check.documents import Amounts, RilletDocument, SolvimonDocument
from local.demo import script
from local.demo.console import Console
from local.demo.context import Context, Section
from local.demo.sections import connections
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


def run_demo(system: LocalSystem, *sections: Section, connected: bool = True) -> tuple[int, str]:
    """Run some sections of the demo; return the exit code and the screen.

    Args:
        system: the local system.
        sections: the parts of the demo.
        connected: begin with the part that connects both organisations.
    """
    out = io.StringIO()
    console = Console(out, 100)
    first = (connections.SECTION,) if connected else ()
    result = script.run_sections(system, console, (*first, *sections))
    return script.print_result(console, result, 1.25), out.getvalue()


def exported(*names: str) -> Section:
    """A section that finalises some of the demo's invoices and lets them arrive."""

    def finalise(context: Context) -> dict[str, int | str]:
        for name in names:
            context.finalise(sample_data.invoice_id(name))
        context.deliver_webhooks()
        context.until(context.settled, "The export")
        return {}

    return Section("Some invoices", finalise)


def figures(screen: str) -> dict[str, Any]:
    """The figures of the DEMO line, which must be the last one and the only one."""
    lines = screen.rstrip("\n").split("\n")
    assert [number for number, line in enumerate(lines) if line.startswith("DEMO")] == [len(lines) - 1]
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("DEMO "))
    return found


def before_figures(screen: str) -> str:
    """Everything before the DEMO line."""
    return screen[: screen.rindex("DEMO ")]


def in_one_line(screen: str) -> str:
    """Everything before the DEMO line, as if the screen were wide enough."""
    return " ".join(before_figures(screen).split())


def pair(gross: str = "121.00", booked: tuple[str, ...] = ("121.00",), state: str = "exported") -> Pair:
    """An invoice of 100 net in euros, and what Rillet has of it."""
    return Pair(
        connection="default",
        customer="Armement du Fleuve inc.",
        state=state,
        solvimon=SolvimonDocument(
            "invo_1", "INV-2026-11-000001", False, "cust_1", "bile_1", "2026-11-01", _amounts(gross)
        ),
        rillet=tuple(RilletDocument(f"{n}", f"INV-{n}", _amounts(total)) for n, total in enumerate(booked)),
    )


def _amounts(gross: str) -> Amounts:
    return Amounts("EUR", Decimal("100.00"), Decimal(gross) - 100, Decimal(gross))
