"""What the tests of the demo share."""

import io
import json
import re
from decimal import Decimal
from typing import Any

from local.demo.audit import Amounts, Booked, Pair

COLOUR = "\x1b["
SECRETS = ("solvimon-key-", "rillet-key-", "Bearer ", "X-PAYLOAD-SIGNATURE")
WEBHOOK_SECRET = re.compile(r"\b[0-9a-f]{64}\b")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def figures(screen: str) -> dict[str, Any]:
    """The figures of the DEMO line, which must be the last one and the only one."""
    lines = screen.rstrip("\n").split("\n")
    assert [number for number, line in enumerate(lines) if line.startswith("DEMO")] == [len(lines) - 1]
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("DEMO "))
    return found


def told(screen: str) -> str:
    """Everything before the DEMO line."""
    return screen[: screen.rindex("DEMO ")]


def pair(gross: str = "121.00", booked: tuple[str, ...] = ("121.00",), state: str = "exported") -> Pair:
    """An invoice of 100 net in euros, and what Rillet has of it."""
    return Pair(
        id="invo_1",
        number="INV-2026-11-000001",
        customer="Armement du Fleuve inc.",
        state=state,
        billed=_amounts(gross),
        booked=tuple(Booked(f"INV-{number}", _amounts(total)) for number, total in enumerate(booked)),
    )


def _amounts(gross: str) -> Amounts:
    return Amounts("EUR", Decimal("100.00"), Decimal(gross) - 100, Decimal(gross))
