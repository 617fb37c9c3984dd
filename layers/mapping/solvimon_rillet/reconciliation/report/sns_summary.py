"""The summary of a reconciliation as a message for an SNS topic. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice

from solvimon_rillet.reconciliation.findings import HEADINGS, Finding
from solvimon_rillet.reconciliation.report.report import Report
from solvimon_rillet.reconciliation.report.wording import (
    amount,
    finding_groups,
    format_report_time,
    pluralize,
    single_line,
    verdict,
)

SUBJECT_LIMIT = 100
"""Characters of a subject: ASCII, no line break (Amazon SNS API, Publish)."""
SHOWN_FINDINGS = 10
Causes = Mapping[str, tuple[str, str]]
TEXT_LIMIT = 400
"""Characters of a cause or remedy in the message; the report has the full text."""


def summary_text(report: Report, address: str, causes: Causes) -> tuple[str, str]:
    """The subject and body of the message about a reconciliation.

    The cause of a rejection may quote a vendor, which may name people: the message has what its code means.

    Args:
        report: the report.
        address: address of the report.
        causes: meaning and remedy by code.

    Returns:
        The subject and the body.
    """
    return _subject(report), "\n".join(_body(report, address, causes)) + "\n"


def _subject(report: Report) -> str:
    end = f" {report.first} to {report.last}: {verdict(report)}"
    room = SUBJECT_LIMIT - len(end)
    start = single_line(f"Reconciliation {report.connection}")
    start = start if len(start) <= room else f"{start[: room - 3]}..."
    return (start + end).encode("ascii", "replace").decode("ascii")


def _body(report: Report, address: str, causes: Causes) -> Iterator[str]:
    comparison = report.comparison
    yield f"{verdict(report)}."
    yield (
        f"Connection {single_line(report.connection)}, {report.first} to {report.last}, "
        f"{pluralize(comparison.documents, 'document')} of Solvimon compared on "
        f"{format_report_time(report.made_at)}."
    )
    if report.redriven:
        yield f"{pluralize(report.redriven, 'document')} published again."
    if report.unmapped:
        yield f"Not mapped yet: {pluralize(len(report.unmapped), 'record')} would stop the next invoices."
    yield from ("", f"Report: {address}")
    yield from _total_lines(report)
    yield from _type_lines(report)
    yield from _finding_lines(report, causes)


def _total_lines(report: Report) -> Iterator[str]:
    """The totals by currency."""
    lines = report.comparison.totals.by_currency()
    if lines:
        yield from ("", "Gross and open, Solvimon / Rillet / difference")
    for currency, line in lines.items():
        for name in ("gross", "open"):
            in_solvimon, in_rillet, difference = (
                getattr(side, name) for side in (line.solvimon, line.rillet, line.difference)
            )
            yield (
                f"  {currency} {name}: {amount(in_solvimon, currency)} / {amount(in_rillet, currency)} / "
                f"{amount(difference, currency, signed=True)}"
            )


def _type_lines(report: Report) -> Iterator[str]:
    """The number of differences of each type, and the amounts behind them."""
    found = finding_groups(report)
    if found:
        yield from ("", "Differences")
    for group in found:
        money = f" ({group.money})" if group.money else ""
        yield f"  {group.heading}: {len(group.findings):,}{money}"


def _finding_lines(report: Report, causes: Causes) -> Iterator[str]:
    findings = report.comparison.findings
    if findings:
        heading = (
            f"The first {SHOWN_FINDINGS} of {len(findings):,}"
            if len(findings) > SHOWN_FINDINGS
            else "All of them"
        )
        yield from ("", heading)
    for number, finding in enumerate(islice(findings, SHOWN_FINDINGS), 1):
        yield f"  {number}. {HEADINGS[finding.kind]}: {_finding_title(finding)}"
        cause, remedy = causes[finding.code] if finding.code else (finding.cause, finding.remedy)
        yield f"     {_shortened_line(cause)}"
        yield f"     To do: {_shortened_line(remedy)}"


def _finding_title(finding: Finding) -> str:
    money = (
        f"{amount(Decimal(finding.amount), finding.currency)} {finding.currency}" if finding.amount else ""
    )
    return ", ".join(part for part in (_shortened_line(finding.number), finding.day, money) if part)


def _shortened_line(text: str) -> str:
    line = single_line(text)
    return line if len(line) <= TEXT_LIMIT else f"{line[: TEXT_LIMIT - 3]}..."
