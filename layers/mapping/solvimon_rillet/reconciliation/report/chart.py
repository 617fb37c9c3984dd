"""The chart of a reconciliation: gross per month, Solvimon beside Rillet, one chart per currency. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from math import ceil, floor

from solvimon_rillet.money import format_number
from solvimon_rillet.reconciliation.report.wording import amount
from solvimon_rillet.reconciliation.totals import PeriodTotals, TotalsKey, TotalsLine, total

MARGIN_LEFT, MARGIN_RIGHT, MARGIN_TOP, MARGIN_BOTTOM = 64, 8, 14, 24
HEIGHT = 170
MAX_WIDTH = 940
MONTH_WIDTH = 54
MIN_PLOT_WIDTH = 200
MONTH_LABEL_WIDTH = 46
"""Width of a month's label."""


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
    """A text and its position; ``zero`` marks the line of the amount zero."""

    text: str
    x: float
    y: float
    zero: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart of a currency.

    Attributes:
        currency: ISO 4217 code.
        title: its title.
        description: its values as text, for screen readers.
        width: of the whole chart.
        bars: two per month.
        months: the labels below the bars.
        levels: the amounts on the left, each beside its line.
    """

    currency: str
    title: str
    description: str
    width: int
    bars: Sequence[Bar]
    months: Sequence[Label]
    levels: Sequence[Label]
    height: int = HEIGHT
    left: int = MARGIN_LEFT
    right: int = MARGIN_RIGHT


def charts(totals: PeriodTotals) -> list[Chart]:
    """The charts, one per currency."""
    dated = ((bucket, line) for bucket, line in totals.lines().items() if bucket.currency and bucket.month)
    ordered = sorted(dated, key=lambda item: (item[0].currency, item[0].month))
    by_currency = groupby(ordered, key=lambda item: item[0].currency)
    return [_chart(currency, _by_month(rows)) for currency, rows in by_currency]


def _by_month(rows: Iterator[tuple[TotalsKey, TotalsLine]]) -> dict[str, TotalsLine]:
    by_month = groupby(rows, key=lambda item: item[0].month)
    return {month: total(line for _, line in lines) for month, lines in by_month}


def _chart(currency: str, months: Mapping[str, TotalsLine]) -> Chart:
    plot_width = min(max(MIN_PLOT_WIDTH, MONTH_WIDTH * len(months)), MAX_WIDTH - MARGIN_LEFT - MARGIN_RIGHT)
    values = [side.gross for line in months.values() for side in (line.solvimon, line.rillet)]
    step = _step(max(abs(value) for value in values))
    top = step * ceil(max(Decimal(), *values) / step)
    low = step * floor(min(Decimal(), *values) / step)
    scale = (HEIGHT - MARGIN_TOP - MARGIN_BOTTOM) / float((top - low) or 1)

    def y(value: Decimal) -> float:
        return round(MARGIN_TOP + float(top - value) * scale, 1)

    slot = plot_width / len(months)
    bar_width = round(min(slot * 0.36, 30), 1)
    bars, names, label_step = [], [], max(1, -(-MONTH_LABEL_WIDTH // int(slot or 1)))
    for position, (month, line) in enumerate(months.items()):
        middle = MARGIN_LEFT + slot * (position + 0.5)
        for side, gross, x in (
            ("solvimon", line.solvimon.gross, middle - bar_width - 1),
            ("rillet", line.rillet.gross, middle + 1),
        ):
            upper, lower = y(max(gross, Decimal())), y(min(gross, Decimal()))
            bars.append(Bar(side, round(x, 1), upper, bar_width, round(lower - upper, 1)))
        if position % label_step == 0:
            names.append(Label(month, round(middle, 1), HEIGHT - 8))
    levels = [
        Label(_level_label(value), MARGIN_LEFT - 6, y(value), zero=not value)
        for value in _levels(low, top, step)
    ]
    return Chart(
        currency,
        f"Gross per month in {currency}, Solvimon beside Rillet",
        _chart_description(currency, months),
        round(MARGIN_LEFT + plot_width + MARGIN_RIGHT),
        bars,
        names,
        levels,
    )


def _step(largest: Decimal) -> Decimal:
    """A round distance between two lines, about half of the largest amount."""
    if not largest:
        return Decimal(1)
    unit = Decimal(1).scaleb(largest.adjusted() - 1)
    return next(unit * n for n in (5, 10, 20, 25, 50, 100) if unit * n * 2 >= largest)


def _levels(low: Decimal, top: Decimal, step: Decimal) -> Iterator[Decimal]:
    value = low
    while value <= top:
        yield value
        value += step


def _level_label(value: Decimal) -> str:
    """The label of a line, such as ``20,000`` or ``1.5 M``."""
    for unit, name in ((12, " tn"), (9, " bn"), (6, " M")):
        if abs(value) >= Decimal(1).scaleb(unit):
            return f"{format_number(value.scaleb(-unit))}{name}"
    return (
        format_number(value) if abs(value) < 1 else f"{value:,.0f}" if value == int(value) else f"{value:,f}"
    )


def _chart_description(currency: str, months: Mapping[str, TotalsLine]) -> str:
    return "; ".join(
        f"{month}: Solvimon {amount(line.solvimon.gross, currency)}, "
        f"Rillet {amount(line.rillet.gross, currency)}"
        for month, line in months.items()
    )
