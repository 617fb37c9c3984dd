"""The groups of a Solvimon invoice, with their lines, taxes and amounts (Solvimon API v1, Transaction)."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from pydantic import Field

from solvimon_rillet.solvimon.fields import Model, Moment, Number, Percentage, Several
from solvimon_rillet.solvimon.master_data import Product, ProductCategory, ProductItem


class Amount(Model):
    """Money in major units (``"6745.75"``), perhaps with more decimals than its currency has."""

    quantity: Number
    currency: str


class TaxPart(Model):
    """One rate of a tax category that stacks several."""

    name: str | None = None
    percentage: Percentage | None = None
    tax_amount: Amount | None = None


class LocalAmounts(Model):
    """Tax amounts in the currency in which the tax is due."""

    base_amount: Amount | None = None
    tax_amount: Amount | None = None
    total_amount: Amount | None = None


class TaxCategory(Model):
    """Tax of one category; ``percentage`` is whole percent ("21")."""

    base_amount: Amount | None = None
    tax_amount: Amount | None = None
    total_amount: Amount | None = None
    percentage: Percentage | None = None
    name: str | None = None
    category: str | None = None
    rates: Several[TaxPart] = Field(default_factory=list)


class TaxSummary(Model):
    """The invoice's totals: net (base), tax and gross."""

    base_amount: Amount | None = None
    tax_amount: Amount | None = None
    total_amount: Amount | None = None
    local_amounts: LocalAmounts | None = None
    country_code: str | None = None


class MeterValue(Model):
    """Usage on a line: a number, a count, or an amount of money."""

    reference: str | None = None
    type: str | None = None
    number: Number | None = None
    count: Number | None = None
    amount: Amount | None = None


class LineDetails(Model):
    """The calculation of a line's amount."""

    amount: Amount | None = None
    meter_value: MeterValue | None = None


class Line(Model):
    """A line inside a group."""

    id: str | None = None
    type: str | None = None
    description: str | None = None
    product_items: Several[ProductItem] = Field(default_factory=list)
    tax_categories: Several[TaxCategory] = Field(default_factory=list)
    amount_excluding_tax: Amount | None = None
    amount_including_tax: Amount | None = None
    meter_value: MeterValue | None = None
    details: LineDetails | None = None


class Group(Model):
    """A group of lines, which becomes an item in Rillet.

    ``total``, ``start_date``, ``end_date`` and nested ``groups`` are the layout of 2024, in which groups
    stood at the top of the invoice.
    """

    amount_excluding_tax: Amount | None = None
    amount_including_tax: Amount | None = None
    start_at: Moment | None = None
    end_at: Moment | None = None
    type: str | None = None
    description: str | None = None
    product_category: ProductCategory | None = None
    products: Several[Product] = Field(default_factory=list)
    tax_categories: Several[TaxCategory] = Field(default_factory=list)
    lines: Several[Line] = Field(default_factory=list)
    total: Amount | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    groups: Several["Group"] = Field(default_factory=list)

    @property
    def net(self) -> Decimal:
        """The net amount: its own, else the sum of its lines'; zero if neither is stated."""
        amount = self.amount_excluding_tax or self.total
        lines = [line.amount_excluding_tax for line in self.lines if line.amount_excluding_tax]
        return amount.quantity if amount else sum((each.quantity for each in lines), Decimal())

    @property
    def bills_something(self) -> bool:
        """Whether its net, the net of a line, or a tax is not zero."""
        amounts = [tax.tax_amount for tax in self.tax_categories]
        for line in self.lines:
            amounts += [line.amount_excluding_tax, *(tax.tax_amount for tax in line.tax_categories)]
        return bool(self.net) or any(amount and amount.quantity for amount in amounts)


class Period(Model):
    """A billing period with its groups."""

    amount_excluding_tax: Amount | None = None
    tax_categories: Several[TaxCategory] = Field(default_factory=list)
    groups: Several[Group] = Field(default_factory=list)


def innermost_groups(path: str, groups: Sequence[Group]) -> Iterator[tuple[str, Group]]:
    """The groups that nest no others, with their paths; only they carry money."""
    for index, group in enumerate(groups):
        group_path = f"{path}[{index}]"
        if group.groups:
            yield from innermost_groups(f"{group_path}.groups", group.groups)
        else:
            yield group_path, group
