"""A line of the checklist of a connection."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist.

    Attributes:
        name: of the line.
        ok: whether nothing is to be done.
        found: what was found, in words.
        remedy: what to do, if it is not ok.
        blocking: whether the connection is not ready because of it.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""
    blocking: bool = True

    def as_answer(self) -> dict[str, Any]:
        """The check as JSON; with a remedy, and whether it blocks, if it failed."""
        answer = {"check": self.name, "ok": self.ok, "found": self.found}
        return answer if self.ok else {**answer, "remedy": self.remedy, "blocking": self.blocking}
