"""The totals of both sides, by subsidiary, currency and month."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, RilletDocument, SolvimonDocument

COLUMNS = ("count", "net", "tax", "gross", "open")


@dataclass(slots=True)
class SideTotals:
    """The totals of one side; credit notes and memos are subtracted."""

    count: int = 0
    net: Decimal = Decimal()
    tax: Decimal = Decimal()
    gross: Decimal = Decimal()
    open: Decimal = Decimal()

    def add(self, kind: str, net: str, tax: str, gross: str, due: Decimal) -> None:
        """Add a document."""
        sign = -1 if kind == CREDIT_MEMO else 1
        self.count += 1
        self.net += sign * Decimal(net or "0")
        self.tax += sign * Decimal(tax or "0")
        self.gross += sign * Decimal(gross)
        self.open += due

    def minus(self, other: "SideTotals") -> "SideTotals":
        """These totals less the other ones."""
        return SideTotals(*(getattr(self, name) - getattr(other, name) for name in COLUMNS))

    def plus(self, other: "SideTotals") -> "SideTotals":
        """The sum of both."""
        return SideTotals(*(getattr(self, name) + getattr(other, name) for name in COLUMNS))

    @property
    def is_zero(self) -> bool:
        """Whether all totals are zero, apart from open amounts, which have findings of their own."""
        return not (self.count or self.net or self.tax or self.gross)

    def as_row(self) -> dict[str, Any]:
        """The totals as JSON."""
        return {
            "count": self.count,
            **{name: f"{_with_cents(getattr(self, name)):f}" for name in COLUMNS[1:]},
        }


@dataclass(frozen=True, slots=True, order=True)
class TotalsKey:
    """The key of a line: a Rillet subsidiary, a currency and a month (YYYY-MM)."""

    subsidiary_id: str
    currency: str
    month: str


@dataclass(slots=True)
class TotalsLine:
    """Both sides' totals for one key."""

    solvimon: SideTotals = field(default_factory=SideTotals)
    rillet: SideTotals = field(default_factory=SideTotals)

    @property
    def difference(self) -> SideTotals:
        """Rillet minus Solvimon."""
        return self.rillet.minus(self.solvimon)


class PeriodTotals:
    """All totals of a period."""

    def __init__(self) -> None:
        self._lines: dict[TotalsKey, TotalsLine] = {}

    def add_solvimon(self, billed: SolvimonDocument, subsidiary_id: str, due: Decimal) -> None:
        """Add a document on Solvimon's side."""
        self._line(subsidiary_id, billed).solvimon.add(billed.kind, billed.net, billed.tax, billed.gross, due)

    def add_rillet(self, booked: RilletDocument, month: str = "", subsidiary_id: str = "") -> None:
        """Add a document on Rillet's side.

        Args:
            booked: the document.
            month: that of its match (YYYY-MM), unless a person moved it to another one.
            subsidiary_id: the match's subsidiary, used if Rillet names none.
        """
        due = Decimal(booked.open) if booked.kind != CREDIT_MEMO else Decimal()
        key = TotalsKey(booked.subsidiary_id or subsidiary_id, booked.currency, month or booked.day[:7])
        line = self._lines.setdefault(key, TotalsLine())
        line.rillet.add(booked.kind, booked.net, booked.tax, booked.gross, due)

    def lines(self) -> dict[TotalsKey, TotalsLine]:
        """The totals, sorted by key."""
        return dict(sorted(self._lines.items()))

    def by_currency(self) -> dict[str, TotalsLine]:
        """The totals over all subsidiaries and months, by currency."""
        found: dict[str, TotalsLine] = {}
        for key, line in self.lines().items():
            combined = found.setdefault(key.currency, TotalsLine())
            combined.solvimon = combined.solvimon.plus(line.solvimon)
            combined.rillet = combined.rillet.plus(line.rillet)
        return dict(sorted(found.items()))

    def agree(self) -> bool:
        """Whether all totals are equal on both sides."""
        return all(line.difference.is_zero for line in self._lines.values())

    def _line(self, subsidiary_id: str, billed: SolvimonDocument) -> TotalsLine:
        return self._lines.setdefault(TotalsKey(subsidiary_id, billed.currency, billed.day[:7]), TotalsLine())


def total(lines: Iterable[TotalsLine]) -> TotalsLine:
    """The sum of several lines of one currency."""
    combined = TotalsLine()
    for line in lines:
        combined.solvimon = combined.solvimon.plus(line.solvimon)
        combined.rillet = combined.rillet.plus(line.rillet)
    return combined


def subsidiary_name(subsidiary_id: str, names: Mapping[str, str]) -> str:
    """The name of a subsidiary, else its id."""
    return names.get(subsidiary_id) or subsidiary_id or "(not linked)"


def as_rows(totals: PeriodTotals, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The totals as JSON, line by line.

    Args:
        totals: the totals of a period.
        names: names of the subsidiaries by id.
    """
    return [
        {
            "subsidiary_id": key.subsidiary_id,
            "subsidiary": subsidiary_name(key.subsidiary_id, names),
            "currency": key.currency,
            "month": key.month,
            "solvimon": line.solvimon.as_row(),
            "rillet": line.rillet.as_row(),
            "difference": line.difference.as_row(),
        }
        for key, line in totals.lines().items()
    ]


def _with_cents(amount: Decimal) -> Decimal:
    """An amount with at least two decimals."""
    exponent = amount.as_tuple().exponent
    return amount.quantize(Decimal("0.01")) if isinstance(exponent, int) and exponent > -2 else amount
