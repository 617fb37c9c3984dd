"""The reports of a connection: named by their period and by when they were made."""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.panel.reports import Reports

FILES = {
    "report.html": "Full report",
    "report.xlsx": "Workbook",
    "findings.csv": "Differences as CSV",
    "figures.csv": "Figures as CSV",
}
"""The files of a report that people open."""
PERIODS = 10
"""Periods of a page."""
_PERIOD = re.compile(r"\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_REPORTS_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class ReportName:
    """The name of a report: its period, such as ``2026-11-01_2026-11-30``, and when it was made."""

    period: str
    moment: str

    @property
    def path(self) -> str:
        """The path of its page, below the connection's."""
        return f"/reconciliation/{self.period}/{self.moment}"

    @property
    def days(self) -> str:
        """The period in words."""
        return self.period.replace("_", " to ")

    @property
    def made_at(self) -> str:
        """When it was made, as a timestamp."""
        day, _, clock = self.moment.partition("T")
        return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"

    def file(self, connection: str, name: str) -> str:
        """The name of a file of it, below ``reports/``."""
        return f"{connection}/{self.period}/{self.moment}/{name}"


class ReportList:
    """The reports of one connection; every method may raise ``RetryLater``.

    Args:
        reports: the bucket.
        connection: its name.
    """

    def __init__(self, reports: Reports, connection: str) -> None:
        self._reports = reports
        self._connection = connection

    def page(
        self, before: str = "", since: str = "", until: str = ""
    ) -> tuple[list[tuple[ReportName, dict[str, Any]]], str]:
        """The reports of the latest periods, the newest first, with what they say.

        Args:
            before: only periods whose names sort before this one; empty for the latest.
            since: only periods that end on this day or later, such as ``2026-10-01``; empty for all.
            until: only periods that begin on this day or earlier; empty for all.

        Returns:
            The reports, and the period before which the next page begins; empty if this is the last one.
        """
        periods = [each for each in self._reports.folders(f"{self._connection}/") if _PERIOD.fullmatch(each)]
        periods = [each for each in periods if _touches(each, since, until)]
        periods.sort(key=_by_end, reverse=True)
        left = [period for period in periods if not before or _by_end(period) < _by_end(before)]
        shown = left[:PERIODS]
        moments = _at_once(lambda period: self._reports.folders(f"{self._connection}/{period}/"), shown)
        names = [
            ReportName(period, moment)
            for period, found in zip(shown, moments, strict=True)
            for moment in sorted(filter(_MOMENT.fullmatch, found), reverse=True)
        ]
        said = _at_once(self.read, names)
        following = shown[-1] if len(left) > PERIODS else ""
        return [(name, report) for name, report in zip(names, said, strict=True) if report], following

    def read(self, name: ReportName) -> dict[str, Any]:
        """What a report says; empty if there is no such report."""
        found = self._reports.read(name.file(self._connection, "report.json"))
        return found if isinstance(found, dict) else {}

    def address(self, name: ReportName, file: str) -> str:
        """An address at which a browser may open a file of a report, for a minute."""
        return self._reports.address(name.file(self._connection, file))


def report_name(period: str, moment: str) -> ReportName | None:
    """The name with these parts; ``None`` if they have another form."""
    fits = _PERIOD.fullmatch(period) and _MOMENT.fullmatch(moment)
    return ReportName(period, moment) if fits else None


def _touches(period: str, since: str, until: str) -> bool:
    first, _, last = period.partition("_")
    return (not since or last >= since) and (not until or first <= until)


def _by_end(period: str) -> tuple[str, str]:
    first, _, last = period.partition("_")
    return last, first


def _at_once(work: Callable[[Any], Any], asked: Sequence[Any]) -> list[Any]:
    """The results of some reads, several at the same time."""
    if not asked:
        return []
    with ThreadPoolExecutor(_REPORTS_AT_ONCE, thread_name_prefix="reports") as pool:
        return list(pool.map(work, asked))
