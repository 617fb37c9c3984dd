"""Taxes as Solvimon states them: a category with a base and an amount."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.solvimon.invoice_groups import TaxCategory

ATTRIBUTION_REMEDY = (
    "Solvimon does not say which tax belongs to which group. Report the invoice to Solvimon's support, or "
    "book it by hand."
)


@dataclass(frozen=True, slots=True)
class StatedTax:
    """One tax as Solvimon states it, or the sum of what several lines state of it.

    Attributes:
        category: name, category and percentage.
        identity: what makes two categories the same tax.
        base: the net amount it is calculated on; ``None`` means the whole.
        amount: the tax; ``None`` where Solvimon does not state it.
        source: its path in the document.
        roundings: number of rounded amounts in ``amount``.
        surcharge: factor of the percentage for a tax on tax: stated base by net base.
    """

    category: TaxCategory
    identity: Hashable
    base: Decimal | None
    amount: Decimal | None
    source: str
    roundings: int = 1
    surcharge: Decimal | None = None

    def plus(self, other: "StatedTax") -> "StatedTax":
        """The sum of the two; an amount that one of them does not state is unknown in the sum."""
        return replace(
            self,
            base=_sum(self.base, other.base),
            amount=_sum(self.amount, other.amount),
            roundings=self.roundings + other.roundings,
        )


def stated_tax(category: TaxCategory, source: str) -> StatedTax:
    """A category of the document as a tax."""
    stacked = tuple((part.name, part.percentage) for part in category.rates)
    identity = (
        category.category,
        category.name,
        category.percentage if category.percentage is not None else stacked,
    )
    base, amount = category.base_amount, category.tax_amount
    return StatedTax(
        category, identity, base.quantity if base else None, amount.quantity if amount else None, source
    )


def tax_name(tax: StatedTax) -> str:
    """A tax's name for readers: its stacked rates, else its name, else its category."""
    parts = [part.name for part in tax.category.rates if part.name]
    return " + ".join(parts) or tax.category.name or tax.category.category or "Tax"


def calculated(taxes: Iterable[StatedTax]) -> Iterator[str]:
    """Notes on the taxes whose rate is not the one that they state, for readers."""
    for tax in taxes:
        base = tax.category.base_amount
        if tax.surcharge is not None and base:
            yield (
                f"{tax_name(tax)} is a tax on tax: its base of {money.format_number(base.quantity)} contains "
                "the taxes before it, so its rate is the effective one."
            )
        elif tax.category.percentage is None and not tax.category.rates and tax.amount:
            yield f"{tax_name(tax)} states no percentage, so its rate is the effective one of its amount."


def summed(taxes: Iterable[StatedTax]) -> tuple[StatedTax, ...]:
    """Taxes added up by their identity, in the order of their first."""
    result: dict[Hashable, StatedTax] = {}
    for tax in taxes:
        before = result.get(tax.identity)
        result[tax.identity] = tax if before is None else before.plus(tax)
    return tuple(result.values())


def _sum(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return None if first is None or second is None else first + second
