"""A reconciliation in short, as a message for an SNS topic. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from solvimon_rillet.reconciliation.findings import HEADINGS, Finding
from solvimon_rillet.reconciliation.report.report import Report
from solvimon_rillet.reconciliation.report.wording import (
    amount,
    counted,
    format_timestamp,
    groups,
    in_one_line,
    verdict,
)

SUBJECT_LIMIT = 100
"""Characters of a subject: ASCII, no line break (Amazon SNS API, Publish)."""
SHOWN = 10
TEXT_LIMIT = 400
"""Characters of a cause or remedy in the message; the report has them whole."""


def summary_text(report: Report, address: str) -> tuple[str, str]:
    """A message about a reconciliation.

    Args:
        report: the reconciliation.
        address: where the report is.

    Returns:
        the subject and the body.
    """
    return _subject(report), "\n".join(_body(report, address)) + "\n"


def _subject(report: Report) -> str:
    end = f" {report.first} to {report.last}: {verdict(report)}"
    room = SUBJECT_LIMIT - len(end)
    start = in_one_line(f"Reconciliation {report.connection}")
    start = start if len(start) <= room else f"{start[: room - 3]}..."
    return (start + end).encode("ascii", "replace").decode("ascii")


def _body(report: Report, address: str) -> Iterator[str]:
    comparison = report.comparison
    yield f"{verdict(report)}."
    yield (
        f"Connection {in_one_line(report.connection)}, {report.first} to {report.last}, "
        f"{counted(comparison.documents, 'document')} of Solvimon compared on "
        f"{format_timestamp(report.made_at)}."
    )
    if report.redriven:
        yield f"{counted(report.redriven, 'document')} put on the way to Rillet again."
    if report.unready:
        yield f"Not mapped yet: {counted(len(report.unready), 'record')} would stop the next invoices."
    yield from ("", f"Report: {address}")
    yield from _sums(report)
    yield from _kinds(report)
    yield from _first(report)


def _sums(report: Report) -> Iterator[str]:
    """The totals per currency."""
    lines = report.comparison.figures.by_currency()
    if lines:
        yield from ("", "Gross and open, Solvimon / Rillet / difference")
    for currency, line in lines.items():
        for name in ("gross", "open"):
            here, there, apart = (
                getattr(side, name) for side in (line.solvimon, line.rillet, line.difference)
            )
            yield (
                f"  {currency} {name}: {amount(here, currency)} / {amount(there, currency)} / "
                f"{amount(apart, currency, signed=True)}"
            )


def _kinds(report: Report) -> Iterator[str]:
    """How many differences there are of each kind, and the money behind them."""
    found = groups(report)
    if found:
        yield from ("", "Differences")
    for group in found:
        money = f" ({group.money})" if group.money else ""
        yield f"  {group.heading}: {len(group.findings):,}{money}"


def _first(report: Report) -> Iterator[str]:
    findings = report.comparison.findings
    if findings:
        more = f"The first {SHOWN} of {len(findings):,}" if len(findings) > SHOWN else "All of them"
        yield from ("", more)
    for number, finding in enumerate(islice(findings, SHOWN), 1):
        yield f"  {number}. {HEADINGS[finding.kind]}: {_named(finding)}"
        yield f"     {_short(finding.cause)}"
        yield f"     To do: {_short(finding.remedy)}"


def _named(finding: Finding) -> str:
    money = (
        f"{amount(Decimal(finding.amount), finding.currency)} {finding.currency}" if finding.amount else ""
    )
    return ", ".join(part for part in (_short(finding.number), finding.day, money) if part)


def _short(text: str) -> str:
    line = in_one_line(text)
    return line if len(line) <= TEXT_LIMIT else f"{line[: TEXT_LIMIT - 3]}..."
