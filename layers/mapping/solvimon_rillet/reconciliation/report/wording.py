"""What the page, the tables and the message say alike: amounts, the verdict, findings by their kind. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from solvimon_rillet.money import decimals
from solvimon_rillet.reconciliation.findings import HEADINGS, Finding, FindingType
from solvimon_rillet.reconciliation.report.report import Report


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one kind.

    Attributes:
        kind: what differs in all of them.
        findings: in their order.
        sums: the money behind them, by currency.
    """

    kind: FindingType
    findings: tuple[Finding, ...]
    sums: dict[str, Decimal]

    @property
    def heading(self) -> str:
        """The kind in words."""
        return HEADINGS[self.kind]

    @property
    def money(self) -> str:
        """The sums in words, such as ``1,200.00 EUR, 5,000 JPY``."""
        return ", ".join(f"{amount(value, currency)} {currency}" for currency, value in self.sums.items())


def groups(report: Report) -> list[Group]:
    """The findings by their kind, the gravest first."""
    by_kind: dict[FindingType, list[Finding]] = {kind: [] for kind in FindingType}
    for finding in report.comparison.findings:
        by_kind[finding.kind].append(finding)
    return [Group(kind, tuple(found), _sums(found)) for kind, found in by_kind.items() if found]


def verdict(report: Report) -> str:
    """What came out, in a few words."""
    if report.comparison.tied_out:
        return "Both sides agree to the cent"
    if not report.comparison.findings:
        return "The sums differ, although no document does"
    return counted(report.differences, "difference")


def counted(number: int, what: str) -> str:
    """A number of things, such as ``1 difference`` or ``2,000 documents``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def amount(value: Decimal, currency: str, *, signed: bool = False, separated: bool = True) -> str:
    """An amount with the currency's own decimals; more where it has more, so that nothing is rounded away.

    Args:
        value: in major units.
        currency: ISO 4217 code.
        signed: whether a plus is written.
        separated: whether thousands are separated.
    """
    exponent = (value.normalize() if value else Decimal()).as_tuple().exponent
    places = max(decimals(currency), -exponent if isinstance(exponent, int) else 0)
    sign = "+" if signed and value else ""
    return format(value or Decimal(), f"{sign}{',' if separated else ''}.{places}f")


def in_one_line(text: str) -> str:
    """A text without line breaks and without what a terminal or a mail would not show."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def format_timestamp(made_at: str) -> str:
    """When the report was made, to the minute."""
    return f"{made_at[:16].replace('T', ' ')} UTC"


def _sums(findings: Iterable[Finding]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for finding in findings:
        if finding.amount:
            sums[finding.currency] += Decimal(finding.amount)
    return dict(sorted(sums.items()))
