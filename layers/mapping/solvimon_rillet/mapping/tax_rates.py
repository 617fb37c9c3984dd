"""The rate that a part of a group bears: Solvimon's percentages, names and amounts in Rillet's form."""

from dataclasses import dataclass
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.stated_taxes import ATTRIBUTION_REMEDY, StatedTax, tax_name
from solvimon_rillet.mapping.tax_parts import Part
from solvimon_rillet.solvimon.invoice_groups import Group

_PERCENTAGE_STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax rate in Rillet's form: whole percent, a description, Solvimon's category."""

    percentage: Decimal
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class TaxShare:
    """A part of a group under one tax rate (or none), with the exact amounts that Solvimon states.

    Attributes:
        source: path of the tax in the document, for a dry run's explanation.
        net: net amount in the document's currency.
        tax: tax amount in the document's currency.
        rate: ``None`` for a part without any tax category.
        reason: why this part bears this tax, for a dry run.
        roundings: number of rounded amounts in ``tax``.
    """

    source: str
    net: Decimal
    tax: Decimal
    rate: TaxRate | None
    reason: str = "No tax category covers it."
    roundings: int = 0


@dataclass(frozen=True, slots=True)
class TaxedGroup:
    """A group with its net amount and the taxes that it or its lines state for it."""

    path: str
    group: Group
    net: Decimal
    taxes: tuple[StatedTax, ...]


def share_of(path: str, part: Part, reason: str, currency: str) -> TaxShare:
    """A part as one rate: the percentages summed, all names, and the stated amounts.

    Raises:
        NeedsAttention: Rillet takes no such rate.
    """
    if not part.taxes:
        return TaxShare("", part.net, Decimal(), None, reason)
    total, percentage, names = Decimal(), Decimal(), list[str]()
    for tax in part.taxes:
        rate = _percentage(tax, part.net, path, currency)
        total += tax.amount if tax.amount is not None else money.rounded(part.net * rate / 100, currency)
        percentage += rate
        names.append(tax_name(tax))
    if percentage > 100:
        raise _rate_refused(path, percentage, " + ".join(names), total, part.net, currency)
    first = part.taxes[0]
    return TaxShare(
        first.source,
        part.net,
        total,
        TaxRate(percentage, " + ".join(names), first.category.category or ""),
        reason,
        sum(tax.roundings for tax in part.taxes),
    )


def _percentage(tax: StatedTax, net: Decimal, path: str, currency: str) -> Decimal:
    """A tax's percentage of a part: stated, else the effective one of its amount (a fixed fee)."""
    category = tax.category
    stacked = [part.percentage for part in category.rates if part.percentage is not None]
    stated = sum(stacked, Decimal()) if stacked else category.percentage
    if stated is not None:
        percentage = stated if tax.surcharge is None else (stated * tax.surcharge).quantize(_PERCENTAGE_STEP)
    elif not tax.amount:
        return Decimal()
    elif not net:
        raise NeedsAttention(
            Code.TAX_NOT_ATTRIBUTABLE,
            f"The group {path} has a tax of {money.format_number(tax.amount)} {currency} without a "
            "percentage, on an amount of 0.",
            ATTRIBUTION_REMEDY,
        )
    else:
        percentage = (tax.amount / net * 100).quantize(_PERCENTAGE_STEP)
    if percentage < 0:
        paid = tax.amount if tax.amount is not None else net * percentage / 100
        raise _rate_refused(path, percentage, tax_name(tax), paid, net, currency)
    return percentage.normalize() if tax.surcharge is not None or stated is None else percentage


def _rate_refused(
    path: str, percentage: Decimal, name: str, paid: Decimal, net: Decimal, currency: str
) -> NeedsAttention:
    return NeedsAttention(
        Code.TAX_RATE_NOT_ACCEPTED,
        f"The group {path} bears a tax at {money.format_number(percentage)} %, which is "
        f"{money.format_number(paid)} {currency} on {money.format_number(net)} {currency}; Rillet takes "
        "rates from 0 to 100 %.",
        "Nothing was sent. A deduction such as a withholding tax is no tax rate in Rillet: book the invoice "
        "by hand, with the deduction as the customer pays it.",
        quoted=name,
    )
