"""Texts that the page, the tables and the message share: amounts, the verdict, grouped findings. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from solvimon_rillet.money import decimals
from solvimon_rillet.reconciliation.findings import ABOUT_CUSTOMER, HEADINGS, Finding, FindingType
from solvimon_rillet.reconciliation.report.report import Report


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """The findings of one type.

    Attributes:
        kind: the type.
        findings: in their order.
        sums: the sum of their amounts by currency.
    """

    kind: FindingType
    findings: tuple[Finding, ...]
    sums: dict[str, Decimal]

    @property
    def heading(self) -> str:
        """The heading of the type."""
        return HEADINGS[self.kind]

    @property
    def noun(self) -> str:
        """The subject of its findings."""
        return ABOUT_CUSTOMER if self.kind is FindingType.CUSTOMER_OUTDATED else "document"

    @property
    def money(self) -> str:
        """The sums as text, such as ``1,200.00 EUR, 5,000 JPY``."""
        return ", ".join(f"{amount(value, currency)} {currency}" for currency, value in self.sums.items())


def finding_groups(report: Report) -> list[FindingGroup]:
    """The findings grouped by type, the most severe first."""
    by_kind: dict[FindingType, list[Finding]] = {kind: [] for kind in FindingType}
    for finding in report.comparison.findings:
        by_kind[finding.kind].append(finding)
    return [
        FindingGroup(kind, tuple(found), _sums_by_currency(found)) for kind, found in by_kind.items() if found
    ]


def verdict(report: Report) -> str:
    """The result in a few words."""
    if report.comparison.tied_out:
        return "Both sides agree to the cent"
    if not report.comparison.findings:
        return "The sums differ, although no document does"
    return pluralize(report.differences, "difference")


def pluralize(number: int, what: str) -> str:
    """A number with its noun, such as ``1 difference`` or ``2,000 documents``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def amount(value: Decimal, currency: str, *, signed: bool = False, separated: bool = True) -> str:
    """An amount with the currency's own decimals; more if the amount has more, so that nothing is rounded.

    Args:
        value: in major units.
        currency: ISO 4217 code.
        signed: whether a plus sign is written.
        separated: whether thousands are separated.
    """
    exponent = (value.normalize() if value else Decimal()).as_tuple().exponent
    places = max(decimals(currency), -exponent if isinstance(exponent, int) else 0)
    sign = "+" if signed and value else ""
    return format(value or Decimal(), f"{sign}{',' if separated else ''}.{places}f")


def single_line(text: str) -> str:
    """A text without line breaks and without unprintable characters."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def format_report_time(made_at: str) -> str:
    """The time of a report to the minute, in UTC."""
    return f"{made_at[:16].replace('T', ' ')} UTC"


def _sums_by_currency(findings: Iterable[Finding]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for finding in findings:
        if finding.amount:
            sums[finding.currency] += Decimal(finding.amount)
    return dict(sorted(sums.items()))
