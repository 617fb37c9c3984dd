"""Sign-offs of reconciliations: who signed which report off, when, and why. No line is ever changed."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.panel.report_list import ReportName

MAX_COMMENT = 1000
_LISTED = 500


@dataclass(frozen=True, slots=True)
class SignOff:
    """A person's word for a report; the report itself does not change."""

    report: ReportName
    at: str
    who: str
    comment: str
    differences: int


class SignOffs:
    """The sign-offs of one deployment; they are kept for good.

    Args:
        table: the panel's table.
        clock: unix seconds.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def add(self, connection: str, report: ReportName, who: str, comment: str, differences: int) -> None:
        """Add one."""
        at = format_timestamp(self._clock())
        facts = {
            **{"period": report.period, "moment": report.moment, "at": at},
            **{"who": who, "comment": comment, "differences": differences},
        }
        self._table.put_rows([(_collection(connection), f"{at}#{secrets.token_hex(4)}")], facts)

    def newest(self, connection: str) -> list[SignOff]:
        """Those of a connection, the newest first."""
        return [
            SignOff(
                ReportName(str(item["period"]), str(item["moment"])),
                str(item["at"]),
                str(item["who"]),
                str(item["comment"]),
                int(item["differences"]),
            )
            for item in self._table.rows(_collection(connection), limit=_LISTED)
        ]


def _collection(connection: str) -> str:
    return f"sign-off#{connection}"
