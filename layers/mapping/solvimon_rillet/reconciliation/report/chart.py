"""The chart of a reconciliation: gross per month, Solvimon beside Rillet, a small one per currency. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from math import ceil, floor

from solvimon_rillet.money import format_number
from solvimon_rillet.reconciliation.report.wording import amount
from solvimon_rillet.reconciliation.totals import PeriodTotals, TotalsKey, TotalsLine, total

LEFT, RIGHT, TOP, BOTTOM = 64, 8, 14, 24
HEIGHT = 170
WIDEST = 940
MONTH = 54
NARROWEST = 200
LETTERS = 46
"""Room for the name of a month."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar; all lengths are in pixels."""

    side: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Label:
    """A text and where it is; ``zero`` where the bars begin."""

    text: str
    x: float
    y: float
    zero: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of a currency.

    Attributes:
        currency: ISO 4217 code.
        title: what it shows.
        description: the same in words, for who cannot see it.
        width: of the whole.
        bars: two per month.
        months: the names below.
        levels: the amounts on the left, each at its line.
    """

    currency: str
    title: str
    description: str
    width: int
    bars: Sequence[Bar]
    months: Sequence[Label]
    levels: Sequence[Label]
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT


def charts(figures: PeriodTotals) -> list[Chart]:
    """A chart per currency."""
    known = ((bucket, line) for bucket, line in figures.lines().items() if bucket.currency and bucket.month)
    ordered = sorted(known, key=lambda item: (item[0].currency, item[0].month))
    by_currency = groupby(ordered, key=lambda item: item[0].currency)
    return [_chart(currency, _by_month(rows)) for currency, rows in by_currency]


def _by_month(rows: Iterator[tuple[TotalsKey, TotalsLine]]) -> dict[str, TotalsLine]:
    by_month = groupby(rows, key=lambda item: item[0].month)
    return {month: total(line for _, line in these) for month, these in by_month}


def _chart(currency: str, months: Mapping[str, TotalsLine]) -> Chart:
    room = min(max(NARROWEST, MONTH * len(months)), WIDEST - LEFT - RIGHT)
    values = [side.gross for line in months.values() for side in (line.solvimon, line.rillet)]
    step = _step(max(abs(value) for value in values))
    top = step * ceil(max(Decimal(), *values) / step)
    low = step * floor(min(Decimal(), *values) / step)
    scale = (HEIGHT - TOP - BOTTOM) / float((top - low) or 1)

    def y(value: Decimal) -> float:
        return round(TOP + float(top - value) * scale, 1)

    slot = room / len(months)
    wide = round(min(slot * 0.36, 30), 1)
    bars, names, every = [], [], max(1, -(-LETTERS // int(slot or 1)))
    for place, (month, line) in enumerate(months.items()):
        middle = LEFT + slot * (place + 0.5)
        for side, gross, x in (
            ("solvimon", line.solvimon.gross, middle - wide - 1),
            ("rillet", line.rillet.gross, middle + 1),
        ):
            upper, lower = y(max(gross, Decimal())), y(min(gross, Decimal()))
            bars.append(Bar(side, round(x, 1), upper, wide, round(lower - upper, 1)))
        if place % every == 0:
            names.append(Label(month, round(middle, 1), HEIGHT - 8))
    levels = [Label(_shortly(value), LEFT - 6, y(value), zero=not value) for value in _levels(low, top, step)]
    return Chart(
        currency,
        f"Gross per month in {currency}, Solvimon beside Rillet",
        _in_words(currency, months),
        round(LEFT + room + RIGHT),
        bars,
        names,
        levels,
    )


def _step(largest: Decimal) -> Decimal:
    """A round distance between two lines, of which about two fit below the largest amount."""
    if not largest:
        return Decimal(1)
    unit = Decimal(1).scaleb(largest.adjusted() - 1)
    return next(unit * n for n in (5, 10, 20, 25, 50, 100) if unit * n * 2 >= largest)


def _levels(low: Decimal, top: Decimal, step: Decimal) -> Iterator[Decimal]:
    value = low
    while value <= top:
        yield value
        value += step


def _shortly(value: Decimal) -> str:
    """An amount at a line, such as ``20,000`` or ``1.5 M``."""
    for unit, name in ((12, " tn"), (9, " bn"), (6, " M")):
        if abs(value) >= Decimal(1).scaleb(unit):
            return f"{format_number(value.scaleb(-unit))}{name}"
    return (
        format_number(value) if abs(value) < 1 else f"{value:,.0f}" if value == int(value) else f"{value:,f}"
    )


def _in_words(currency: str, months: Mapping[str, TotalsLine]) -> str:
    return "; ".join(
        f"{month}: Solvimon {amount(line.solvimon.gross, currency)}, "
        f"Rillet {amount(line.rillet.gross, currency)}"
        for month, line in months.items()
    )
