"""Invoice lines in the two shapes that Rillet takes, and the amounts that follow from them."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from local.fake_rillet.store import Json
from local.fake_rillet.validation import Fields, read_references
from local.fake_rillet.wire import Money, rounded

REVENUE_PATTERNS = ("DAILY", "EVEN_PERIOD")
TAX_TYPES = ("VAT", "SALES_TAX")
_SMALLEST_QUANTITY = Decimal("0.00001")
_HUNDRED = Decimal(100)
_ZERO_MONEY = Money(Decimal(0), "USD")

Discount = tuple[Money | None, Decimal | None]
"""An amount off the line, or a percentage of it."""


@dataclass(frozen=True)
class Line:
    """A line of an invoice or credit memo; its amounts are rounded, net of tax and in its currency.

    Attributes:
        currency: ISO 4217.
        gross_rate: the price of one unit before discount.
        gross: the line before discount.
        discount: the amount taken off.
        tax: None when the line has no tax of its own.
    """

    product_id: str
    description: str
    quantity: Decimal
    revenue: Json
    fields: list[Json] | None
    currency: str
    gross_rate: Decimal
    gross: Decimal
    discount: Decimal
    tax: Decimal | None
    external_references: list[Json] = field(default_factory=list)


def read_full_line(line: Fields) -> Line:
    """Read a `CreateFullInvoiceItemRequest`; it has no references of its own."""
    price = line.required_object("price")
    return _priced_line(line, price, discount=_discount(price))


def read_credit_line(line: Fields) -> Line:
    """Read a `CreateCreditMemoItemRequest`: no discount, and a quantity that is not negative."""
    return _priced_line(line, line.required_object("price"), least_quantity=Decimal(0))


def read_recorded_line(line: Fields) -> Line:
    """Read a `CreateRevenueRecognitionOnlyInvoiceItemRequest`, which AR_ONLY shares.

    Another system issued it: its net total and tax are given.
    """
    if "external_references" not in line:
        line.wrong("external_references", "must not be null")
    product_id = line.require("product_id", line.uuid, "")
    description = line.require("description", line.text, "")
    quantity = line.require("quantity", lambda name: line.number(name, _SMALLEST_QUANTITY), Decimal(1))
    revenue, fields, references = read_revenue(line), read_field_assignments(line), read_references(line)
    total = line.require("total_amount", line.rounded_money, _ZERO_MONEY)
    tax = line.rounded_money("tax_amount")
    return Line(
        product_id=product_id,
        description=description,
        quantity=quantity,
        revenue=revenue,
        fields=fields,
        currency=total.currency,
        gross_rate=rounded(total.amount / (quantity or 1), total.currency),
        gross=total.amount,
        discount=Decimal(0),
        tax=None if tax is None else tax.amount,
        external_references=references,
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
    line: Fields, price: Fields, *, least_quantity: Decimal | None = None, discount: Discount = (None, None)
) -> Line:
    """Read unit price times quantity, minus a discount, plus a rate of tax."""
    product_id = price.require("product_id", price.uuid, "")
    description = line.require("description", line.text, "")
    quantity = price.require("quantity", lambda name: price.number(name, least_quantity), Decimal(0))
    revenue, fields = read_revenue(line), read_field_assignments(line)
    unit = price.require("amount_per_unit", price.unrounded_money, _ZERO_MONEY)
    gross = rounded(unit.amount * quantity, unit.currency)
    amount_off, percentage_off = discount
    off = rounded(gross * (percentage_off or 0) / _HUNDRED, unit.currency)
    if amount_off is not None:
        off = amount_off.amount
    return Line(
        product_id=product_id,
        description=description,
        quantity=quantity,
        revenue=revenue,
        fields=fields,
        currency=unit.currency,
        gross_rate=rounded(unit.amount, unit.currency),
        gross=gross,
        discount=off,
        tax=_free_form_tax(line, gross - off, unit.currency),
    )


def _discount(price: Fields) -> Discount:
    discount = price.object("discount")
    if discount is None:
        return None, None
    if (discount.choice("type", ("AMOUNT", "PERCENTAGE")) or "AMOUNT") == "AMOUNT":
        return discount.require("amount_off", discount.rounded_money, _ZERO_MONEY), None
    percentage_off = discount.require(
        "percentage_off", lambda name: discount.number(name, Decimal(0), _HUNDRED), Decimal(0)
    )
    return None, percentage_off


def _free_form_tax(line: Fields, net: Decimal, currency: str) -> Decimal | None:
    """Read a free-form tax rate; its amount, when sent, wins over the percentage."""
    rate = line.object("tax_rate")
    if rate is None:
        return None
    rate.require("country", rate.country, "")
    rate.require("description", rate.text, "")
    rate.require("type", lambda name: rate.choice(name, TAX_TYPES), "")
    percentage = rate.require("percentage", lambda name: rate.number(name, Decimal(0), _HUNDRED), Decimal(0))
    given = rate.rounded_money("tax_amount")
    return rounded(net * percentage / _HUNDRED, currency) if given is None else given.amount


def read_revenue(line: Fields) -> Json:
    """Read the `ItemRevenue` of a line; what it leaves out is the product's or the document's."""
    revenue = line.object("revenue")
    if revenue is None:
        return {}
    read = {
        "pattern": revenue.choice("pattern", REVENUE_PATTERNS),
        "account_code": revenue.text("account_code"),
        "period": _revenue_period(revenue),
    }
    return {name: value for name, value in read.items() if value is not None}


def _revenue_period(revenue: Fields) -> Json | None:
    period = revenue.object("period")
    if period is None:
        return None
    start = period.require("start", period.date, date.min)
    end = period.require("end", period.date, date.max)
    if end < start:
        period.wrong("end", "must not be before start")
    return {"start": start.isoformat(), "end": end.isoformat()}
