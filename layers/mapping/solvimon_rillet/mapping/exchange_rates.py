"""The rate from a document's currency to its subsidiary's books, as Solvimon states and proves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from solvimon_rillet import money
from solvimon_rillet.solvimon.invoice_groups import Amount
from solvimon_rillet.solvimon.models import Invoice, UsedExchangeRate


@dataclass(frozen=True, slots=True)
class FoundRate:
    """The rate of a document, or why it has none.

    Attributes:
        rate: units of the subsidiary's currency for one unit of the document's; ``None``: send none.
        problem: the reason for none, in words that continue "… and".
    """

    rate: Decimal | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _RateReading:
    """A stated rate, read in one direction.

    Attributes:
        rate: target units for one base unit.
        error: half of the last digit that Solvimon states, in the same units.
    """

    rate: Decimal
    error: Decimal


def exchange_rate(invoice: Invoice, base: str, target: str) -> FoundRate:
    """The rate from ``base`` to ``target`` among the invoice's own rates; never a made-up one.

    Solvimon does not document the direction of its rates, and may state several for one pair (that of a price
    list beside that of the tax). The invoice's local amounts prove which one counts, and its direction. Where
    there are no local amounts in ``target``, ``base_currency`` is taken as the currency that is priced, and
    rates that differ prove nothing.
    """
    stated = [
        each
        for each in invoice.used_exchange_rates
        if each.rate and {each.currency, each.base_currency} == {base, target}
    ]
    positive = [each for each in stated if each.rate and each.rate > 0]
    values = ", ".join(money.format_number(each.rate) for each in stated if each.rate)
    if not positive:
        problem = f"Solvimon states a rate that is not positive ({values})" if stated else ""
        return FoundRate(None, problem or "Solvimon names no exchange rate")
    pairs = _local_pairs(invoice, target)
    if pairs:
        readings = [_proven(each, base, target, pairs) for each in positive]
        rates = {reading.rate for reading in readings if reading}
        problem = (
            f"the document's local amounts do not prove one of the rates that Solvimon states ({values})"
        )
    else:
        rates = {_as_stated(each, base).rate for each in positive}
        problem = f"Solvimon states several rates ({values}) without local amounts that prove one"
    return FoundRate(rates.pop()) if len(rates) == 1 else FoundRate(None, problem)


def _as_stated(stated: UsedExchangeRate, base: str) -> _RateReading:
    """A rate read as ``rate`` units of ``currency`` for one of ``base_currency``."""
    direct, inverse = _readings(stated)
    return direct if stated.base_currency == base else inverse


def _readings(stated: UsedExchangeRate) -> tuple[_RateReading, _RateReading]:
    """A rate as it is, and turned round."""
    rate = stated.rate or Decimal()
    exponent = rate.as_tuple().exponent
    error = Decimal((0, (5,), (exponent if isinstance(exponent, int) else 0) - 1))
    return _RateReading(rate, error), _RateReading(_significant(1 / rate), error / rate / rate)


def _proven(
    stated: UsedExchangeRate, base: str, target: str, pairs: Sequence[tuple[Decimal, Decimal]]
) -> _RateReading | None:
    """The direction of a rate in which it turns each amount into its local one, but for rounding."""

    def distance(reading: _RateReading) -> Decimal:
        return sum((abs(amount * reading.rate - local) for amount, local in pairs), Decimal())

    def fits(reading: _RateReading) -> bool:
        slack = money.unit(target) + reading.rate * money.unit(base)
        return all(
            abs(amount * reading.rate - local) <= slack + abs(amount) * reading.error
            for amount, local in pairs
        )

    return min(filter(fits, _readings(stated)), key=distance, default=None)


def _local_pairs(invoice: Invoice, target: str) -> list[tuple[Decimal, Decimal]]:
    """The document's totals that it states in ``target`` too: each amount with its local one."""
    summary = invoice.tax_summary
    local = summary.local_amounts if summary else None
    if summary is None or local is None:
        return []
    amounts: list[tuple[Amount | None, Amount | None]] = [
        (summary.base_amount, local.base_amount),
        (summary.tax_amount, local.tax_amount),
        (summary.total_amount, local.total_amount),
    ]
    return [
        (amount.quantity, own.quantity)
        for amount, own in amounts
        if amount and own and amount.quantity and own.currency == target
    ]


def _significant(rate: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = 10
        return +rate
