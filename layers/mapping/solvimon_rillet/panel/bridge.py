"""The bridge of a reconciliation: from Solvimon's total to Rillet's, step by step, by currency."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from solvimon_rillet import money
from solvimon_rillet.panel.reading import Json, rows, section, text

_LACKING = {"missing", "rejected", "on_its_way", "deleted", "entered_again"}
_MORE = {"not_in_solvimon"}
_STEPS = {
    "missing": "Not booked",
    "rejected": "Not booked, needs you",
    "on_its_way": "On the way to Rillet",
    "deleted": "Deleted in Rillet",
    "entered_again": "Entered by hand, to be confirmed",
    "not_in_solvimon": "In Rillet, not final in Solvimon",
}
_REST = "Other amounts, and what is booked more than once"


@dataclass(frozen=True, slots=True)
class BridgeStep:
    """A line of the bridge: its amounts in the order of the currencies, with the currencies' decimals."""

    title: str
    documents: str
    amounts: list[str]
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Bridge:
    """The bridge.

    Attributes:
        currencies: in the order of the columns.
        steps: the lines; the last one is Rillet's total.
        differences: Rillet minus Solvimon, by currency, without those that are zero.
    """

    currencies: list[str]
    steps: list[BridgeStep]
    differences: list[tuple[str, str]]


def bridge_of(report: Json) -> Bridge:
    """The bridge of a report."""
    sides = {name: _sums(report, name) for name in ("solvimon", "rillet")}
    counts = {name: _count(report, name) for name in sides}
    currencies = sorted({*sides["solvimon"], *sides["rillet"]})
    explained = _explained(report, set(currencies))
    rest = {
        each: sides["rillet"][each]
        - sides["solvimon"][each]
        - sum((amounts[each] for _, amounts in explained.values()), Decimal(0))
        for each in currencies
    }

    def shown(amounts: Mapping[str, Decimal]) -> list[str]:
        return [money.format_amount(amounts.get(each, Decimal(0)), each) for each in currencies]

    steps = [BridgeStep("Solvimon, final documents", str(counts["solvimon"]), shown(sides["solvimon"]))]
    counted = 0
    for kind, (number, amounts) in explained.items():
        counted += number
        steps.append(BridgeStep(_STEPS[kind], str(number), shown(amounts)))
    if any(rest.values()):
        left = counts["rillet"] - counts["solvimon"] - counted
        steps.append(BridgeStep(_REST, str(left), shown(rest)))
    steps.append(BridgeStep("Rillet", str(counts["rillet"]), shown(sides["rillet"]), is_total=True))
    differences = [
        (money.format_amount(difference, each), each)
        for each in currencies
        if (difference := sides["rillet"][each] - sides["solvimon"][each])
    ]
    return Bridge(currencies, steps, differences)


def _explained(report: Json, currencies: set[str]) -> dict[str, tuple[int, dict[str, Decimal]]]:
    """The effect of the findings whose document one side lacks: number and amounts by kind."""
    found: dict[str, tuple[int, defaultdict[str, Decimal]]] = {}
    for finding in rows(report, "findings"):
        kind, currency = text(finding, "kind"), text(finding, "currency")
        if kind not in _LACKING | _MORE or currency not in currencies:
            continue
        sign = (1 if kind in _MORE else -1) * (-1 if text(finding, "document") == "credit_memo" else 1)
        number, amounts = found.get(kind, (0, defaultdict[str, Decimal](Decimal)))
        amounts[currency] += sign * abs(_decimal(text(finding, "amount")))
        found[kind] = number + (1 if kind in _MORE else -1), amounts
    return {kind: (number, amounts) for kind, (number, amounts) in found.items()}


def _sums(report: Json, side: str) -> defaultdict[str, Decimal]:
    """Gross less credit notes, by currency."""
    sums = defaultdict[str, Decimal](Decimal)
    for row in rows(report, "figures"):
        sums[text(row, "currency")] += _decimal(text(section(row, side), "gross"))
    return sums


def _count(report: Json, side: str) -> int:
    found = [section(row, side).get("count") for row in rows(report, "figures")]
    return sum(number for number in found if isinstance(number, int))


def _decimal(value: str) -> Decimal:
    try:
        found = Decimal(value or "0")
    except InvalidOperation:
        return Decimal(0)
    return found if found.is_finite() else Decimal(0)
