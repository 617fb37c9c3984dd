"""Exceptions: where a vendor's document contradicts itself, the vendor's other texts, or its API's behaviour.

Each row of `exceptions.yaml` says what it allows, and where the fact comes from. An unused one is an error of
`make contracts`, so that the list stays short.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.contract.checker import Violation


@dataclass(frozen=True)
class Excused:
    """A violation that is allowed.

    Attributes:
        name: its name in the report.
        source: where the fact comes from: the dossier's section, a vendor's text, or a decision of ours.
        vendor: whose document.
        kind: the kind of violation.
        field: pattern of the whole field.
        operation: pattern of the whole operation's name.
        side: `request`, `answer` or `webhook`; None for all.
    """

    name: str
    source: str
    vendor: str
    kind: str
    field: str
    operation: str = ".*"
    side: str | None = None

    def covers(self, violation: Violation) -> bool:
        """Whether it is about this violation."""
        return (
            (violation.vendor, violation.kind) == (self.vendor, self.kind)
            and self.side in (None, violation.side)
            and bool(re.fullmatch(self.field, violation.field))
            and bool(re.fullmatch(self.operation, violation.operation))
        )


_ROWS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
EXCEPTIONS = tuple(Excused(name, **row) for name, row in _ROWS.items())
