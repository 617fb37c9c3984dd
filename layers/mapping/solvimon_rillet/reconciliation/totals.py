"""The sums of both sides, by subsidiary, currency and month."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, RilletDocument, SolvimonDocument

COLUMNS = ("count", "net", "tax", "gross", "open")


@dataclass(slots=True)
class SideTotals:
    """What one side comes to; a credit note or memo takes its amounts off."""

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
        """By how much this side is more than the other."""
        return SideTotals(*(getattr(self, name) - getattr(other, name) for name in COLUMNS))

    def plus(self, other: "SideTotals") -> "SideTotals":
        """Both together."""
        return SideTotals(*(getattr(self, name) + getattr(other, name) for name in COLUMNS))

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing in it; open amounts have findings of their own."""
        return not (self.count or self.net or self.tax or self.gross)

    def as_row(self) -> dict[str, Any]:
        """The sums as JSON."""
        return {
            "count": self.count,
            **{name: f"{_two(getattr(self, name)):f}" for name in COLUMNS[1:]},
        }


@dataclass(frozen=True, slots=True, order=True)
class TotalsKey:
    """What sums are by: a Rillet subsidiary, a currency and a month (YYYY-MM)."""

    subsidiary_id: str
    currency: str
    month: str


@dataclass(slots=True)
class TotalsLine:
    """Both sides of a bucket."""

    solvimon: SideTotals = field(default_factory=SideTotals)
    rillet: SideTotals = field(default_factory=SideTotals)

    @property
    def difference(self) -> SideTotals:
        """Rillet minus Solvimon."""
        return self.rillet.minus(self.solvimon)


class PeriodTotals:
    """All sums."""

    def __init__(self) -> None:
        self._lines: dict[TotalsKey, TotalsLine] = {}

    def add_solvimon(self, billed: SolvimonDocument, subsidiary_id: str, due: Decimal) -> None:
        """Add a document on Solvimon's side."""
        self._of(subsidiary_id, billed).solvimon.add(billed.kind, billed.net, billed.tax, billed.gross, due)

    def add_rillet(
        self, booked: RilletDocument, billed: SolvimonDocument | None = None, subsidiary_id: str = ""
    ) -> None:
        """Add a document on Rillet's side; its month is that of its partner, if it has one.

        Args:
            booked: the document.
            billed: its partner.
            subsidiary_id: its partner's, which stands for it where Rillet names none.
        """
        due = Decimal(booked.open) if booked.kind != CREDIT_MEMO else Decimal()
        month = (billed or booked).day[:7]
        bucket = TotalsKey(booked.subsidiary_id or subsidiary_id, booked.currency, month)
        line = self._lines.setdefault(bucket, TotalsLine())
        line.rillet.add(booked.kind, booked.net, booked.tax, booked.gross, due)

    def lines(self) -> dict[TotalsKey, TotalsLine]:
        """The sums in their order."""
        return dict(sorted(self._lines.items()))

    def by_currency(self) -> dict[str, TotalsLine]:
        """The sums of all subsidiaries and months together."""
        found: dict[str, TotalsLine] = {}
        for bucket, line in self.lines().items():
            whole = found.setdefault(bucket.currency, TotalsLine())
            whole.solvimon = whole.solvimon.plus(line.solvimon)
            whole.rillet = whole.rillet.plus(line.rillet)
        return dict(sorted(found.items()))

    def agree(self) -> bool:
        """Whether all sums are the same on both sides."""
        return all(line.difference.is_nothing for line in self._lines.values())

    def _of(self, subsidiary_id: str, billed: SolvimonDocument) -> TotalsLine:
        return self._lines.setdefault(TotalsKey(subsidiary_id, billed.currency, billed.day[:7]), TotalsLine())


def total(lines: Iterable[TotalsLine]) -> TotalsLine:
    """Several lines of one currency together."""
    whole = TotalsLine()
    for line in lines:
        whole.solvimon = whole.solvimon.plus(line.solvimon)
        whole.rillet = whole.rillet.plus(line.rillet)
    return whole


def called(subsidiary_id: str, names: Mapping[str, str]) -> str:
    """What a subsidiary is called: its name, else its id."""
    return names.get(subsidiary_id) or subsidiary_id or "(not linked)"


def as_rows(figures: PeriodTotals, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The sums as JSON, line by line.

    Args:
        figures: the sums.
        names: of the subsidiaries, by id.
    """
    return [
        {
            "subsidiary_id": bucket.subsidiary_id,
            "subsidiary": called(bucket.subsidiary_id, names),
            "currency": bucket.currency,
            "month": bucket.month,
            "solvimon": line.solvimon.as_row(),
            "rillet": line.rillet.as_row(),
            "difference": line.difference.as_row(),
        }
        for bucket, line in figures.lines().items()
    ]


def _two(amount: Decimal) -> Decimal:
    """An amount with two decimals at least."""
    exponent = amount.as_tuple().exponent
    return amount.quantize(Decimal("0.01")) if isinstance(exponent, int) and exponent > -2 else amount
