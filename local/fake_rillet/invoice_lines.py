"""Invoice lines in the two shapes that Rillet takes, and the amounts that follow from them."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

from local.fake_rillet.money import Money, rounded
from local.fake_rillet.references import read_references
from local.fake_rillet.store import Json
from local.fake_rillet.validation import Fields

REVENUE_PATTERNS = ("DAILY", "EVEN_PERIOD")
TAX_TYPES = ("VAT", "SALES_TAX")
_SMALLEST_QUANTITY = Decimal("0.00001")
_HUNDRED = Decimal(100)
_NOTHING = Money(Decimal(0), "USD")


class Line(Protocol):
    """What an invoice needs to know of a line; amounts are rounded, net of tax, in the line's currency."""

    @property
    def common(self) -> "Common":
        """The fields that both shapes have."""

    @property
    def currency(self) -> str:
        """The ISO 4217 currency of the line."""

    @property
    def gross_rate(self) -> Decimal:
        """The price of one unit before discount."""

    @property
    def gross(self) -> Decimal:
        """The line before discount."""

    @property
    def discount(self) -> Decimal:
        """What is taken off."""

    @property
    def tax(self) -> Decimal | None:
        """The line's own tax; None when it says nothing about tax."""


@dataclass(frozen=True)
class Common:
    """The fields that both shapes have."""

    product_id: str
    description: str
    quantity: Decimal
    revenue: Json
    fields: list[Json] | None
    external_references: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class TaxRate:
    """A free-form tax rate; its amount, when sent, wins over the percentage."""

    percentage: Decimal
    tax_amount: Money | None


@dataclass(frozen=True)
class FullLine:
    """A line of a FULL invoice: unit price times quantity, minus a discount, plus a rate of tax."""

    common: Common
    amount_per_unit: Money
    amount_off: Money | None
    percentage_off: Decimal | None
    tax_rate: TaxRate | None

    @property
    def currency(self) -> str:
        """The currency of the unit price."""
        return self.amount_per_unit.currency

    @property
    def gross_rate(self) -> Decimal:
        """The unit price, which may be sent unrounded, rounded."""
        return rounded(self.amount_per_unit.amount, self.currency)

    @property
    def gross(self) -> Decimal:
        """Unrounded unit price times quantity, rounded once."""
        return rounded(self.amount_per_unit.amount * self.common.quantity, self.currency)

    @property
    def discount(self) -> Decimal:
        """The amount off the line, or the percentage of it."""
        if self.amount_off is not None:
            return self.amount_off.amount
        return rounded(self.gross * (self.percentage_off or 0) / _HUNDRED, self.currency)

    @property
    def tax(self) -> Decimal | None:
        """The tax amount as sent, else the percentage of the discounted line."""
        if self.tax_rate is None:
            return None
        if self.tax_rate.tax_amount is not None:
            return self.tax_rate.tax_amount.amount
        return rounded((self.gross - self.discount) * self.tax_rate.percentage / _HUNDRED, self.currency)


@dataclass(frozen=True)
class RecordedLine:
    """A line of an invoice that another system issued: its net total and tax are given."""

    common: Common
    total: Money
    tax_amount: Money | None

    @property
    def currency(self) -> str:
        """The currency of the line's total."""
        return self.total.currency

    @property
    def gross_rate(self) -> Decimal:
        """The total divided by the quantity."""
        return rounded(self.total.amount / (self.common.quantity or 1), self.currency)

    @property
    def gross(self) -> Decimal:
        """The total as given, net of tax."""
        return self.total.amount

    @property
    def discount(self) -> Decimal:
        """Nothing: this shape has no discount."""
        return Decimal(0)

    @property
    def tax(self) -> Decimal | None:
        """The tax as given."""
        return None if self.tax_amount is None else self.tax_amount.amount


def read_full_line(line: Fields) -> FullLine:
    """Read a `CreateFullInvoiceItemRequest`; it has no references of its own."""
    price = line.required_object("price")
    return _priced_line(line, price, discount=_discount(price))


def read_credit_line(line: Fields) -> FullLine:
    """Read a `CreateCreditMemoItemRequest`: no discount, and a quantity that is not negative."""
    return _priced_line(line, line.required_object("price"), least_quantity=Decimal(0))


def read_recorded_line(line: Fields) -> RecordedLine:
    """Read a `CreateRevenueRecognitionOnlyInvoiceItemRequest`, which AR_ONLY shares."""
    if "external_references" not in line:
        line.wrong("external_references", "must not be null")
    return RecordedLine(
        common=Common(
            product_id=line.require("product_id", line.uuid, ""),
            description=line.require("description", line.text, ""),
            quantity=line.require("quantity", lambda name: line.number(name, _SMALLEST_QUANTITY), Decimal(1)),
            revenue=read_revenue(line),
            fields=read_field_assignments(line),
            external_references=read_references(line),
        ),
        total=line.require("total_amount", line.rounded_money, _NOTHING),
        tax_amount=line.rounded_money("tax_amount"),
    )


def read_field_assignments(fields: Fields) -> list[Json] | None:
    """Read the custom field values of an object."""
    assignments = fields.objects("fields")
    if assignments is None:
        return None
    return [
        {
            "field_id": assignment.require("field_id", assignment.uuid, ""),
            "field_value_id": assignment.require("field_value_id", assignment.uuid, ""),
        }
        for assignment in assignments
    ]


def _priced_line(
    line: Fields,
    price: Fields,
    *,
    least_quantity: Decimal | None = None,
    discount: tuple[Money | None, Decimal | None] = (None, None),
) -> FullLine:
    amount_off, percentage_off = discount
    return FullLine(
        common=Common(
            product_id=price.require("product_id", price.uuid, ""),
            description=line.require("description", line.text, ""),
            quantity=price.require("quantity", lambda name: price.number(name, least_quantity), Decimal(0)),
            revenue=read_revenue(line),
            fields=read_field_assignments(line),
        ),
        amount_per_unit=price.require("amount_per_unit", price.unrounded_money, _NOTHING),
        amount_off=amount_off,
        percentage_off=percentage_off,
        tax_rate=_tax_rate(line),
    )


def _discount(price: Fields) -> tuple[Money | None, Decimal | None]:
    discount = price.object("discount")
    if discount is None:
        return None, None
    if (discount.choice("type", ("AMOUNT", "PERCENTAGE")) or "AMOUNT") == "AMOUNT":
        return discount.require("amount_off", discount.rounded_money, _NOTHING), None
    percentage_off = discount.require(
        "percentage_off", lambda name: discount.number(name, Decimal(0), _HUNDRED), Decimal(0)
    )
    return None, percentage_off


def _tax_rate(line: Fields) -> TaxRate | None:
    rate = line.object("tax_rate")
    if rate is None:
        return None
    rate.require("country", rate.country, "")
    rate.require("description", rate.text, "")
    rate.require("type", lambda name: rate.choice(name, TAX_TYPES), "")
    percentage = rate.require("percentage", lambda name: rate.number(name, Decimal(0), _HUNDRED), Decimal(0))
    return TaxRate(percentage, rate.rounded_money("tax_amount"))


def read_revenue(line: Fields) -> Json:
    """Read the `ItemRevenue` of a line; what it leaves out is the product's or the document's."""
    revenue = line.object("revenue")
    if revenue is None:
        return {}
    read = {
        "pattern": revenue.choice("pattern", REVENUE_PATTERNS),
        "account_code": revenue.text("account_code"),
        "period": _period(revenue),
    }
    return {name: value for name, value in read.items() if value is not None}


def _period(revenue: Fields) -> Json | None:
    period = revenue.object("period")
    if period is None:
        return None
    start = period.require("start", period.date, date.min)
    end = period.require("end", period.date, date.max)
    if end < start:
        period.wrong("end", "must not be before start")
    return {"start": start.isoformat(), "end": end.isoformat()}
