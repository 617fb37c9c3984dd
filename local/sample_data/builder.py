"""Invoices from their lines: every level's amounts are sums over its lines, so that the levels agree.

Tax is rounded half up to the currency's decimals for each line and tax category; the levels above add up
what was rounded. Net amounts may have more decimals than the currency (Solvimon's UNROUNDED setting): then
lines, groups and periods keep them and the header, which is what the customer pays, is rounded.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from local.sample_data import world
from local.sample_data.drafts import DraftLine, Group, Invoice, Period, Tax, Usage
from local.sample_data.identity import Json, solvimon_id

_DECIMALS = {"JPY": 0}


def _net_of_lines(lines: Sequence[DraftLine]) -> Decimal:
    return sum((Decimal(line.net) for line in lines), Decimal(0))


class _InvoiceBuilder:
    def __init__(self, invoice: Invoice) -> None:
        self.invoice = invoice
        self.currency = invoice.currency
        self.cent = Decimal(1).scaleb(-_DECIMALS.get(invoice.currency, 2))

    def rounded(self, value: Decimal) -> Decimal:
        return value.quantize(self.cent, ROUND_HALF_UP)

    def amount(self, value: Decimal | str) -> Json:
        """Return money with at least the currency's decimals and with more where the value has more."""
        value = Decimal(value)
        padded = self.rounded(value)
        return {"quantity": str(padded if padded == value else value), "currency": self.currency}

    def share(self, lines: Sequence[DraftLine], percentage: str) -> Decimal:
        """Return a percentage of the lines, rounded for each."""
        parts = (self.rounded(Decimal(line.net) * Decimal(percentage) / 100) for line in lines)
        return sum(parts, Decimal(0))

    def paid(self, tax: Tax, lines: Sequence[DraftLine]) -> Decimal:
        """Return a tax on the lines; of a stack it is the sum of the parts, each rounded."""
        percentages = [percentage for _, percentage in tax.rates] or [tax.percentage]
        return sum((self.share(lines, percentage) for percentage in percentages), Decimal(0))

    def tax(self, lines: Sequence[DraftLine]) -> Decimal:
        return sum((self.paid(tax, [line]) for line in lines for tax in line.taxes), Decimal(0))

    def taxes(self, lines: Sequence[DraftLine], *, header: bool = False) -> list[Json]:
        """Return the tax categories in the order in which the lines name them."""
        return [
            self.category(tax, [line for line in lines if tax in line.taxes], header=header)
            for tax in dict.fromkeys(tax for line in lines for tax in line.taxes)
        ]

    def category(self, tax: Tax, lines: Sequence[DraftLine], *, header: bool) -> Json:
        base, paid = _net_of_lines(lines), self.paid(tax, lines)
        base = self.rounded(base) if header else base
        category: Json = {
            "base_amount": self.amount(base),
            "tax_amount": self.amount(paid),
            "total_amount": self.amount(base + paid),
            "percentage": tax.percentage,
            "name": tax.name,
            "category": tax.category,
        }
        if tax.notes:
            category["notes"] = list(tax.notes)
        if tax.rates:
            category["rates"] = [
                {"name": name, "percentage": share, "tax_amount": self.amount(self.share(lines, share))}
                for name, share in tax.rates
            ]
        return category

    def totals(self, lines: Sequence[DraftLine]) -> Json:
        net = _net_of_lines(lines)
        return {
            "amount_excluding_tax": self.amount(net),
            "amount_including_tax": self.amount(net + self.tax(lines)),
        }

    def line(self, line: DraftLine, order: int, path: str, product: str | None) -> Json:
        key = f"{path}/{order}"
        built: Json = {
            "id": solvimon_id("inli", key),
            "line_order": order,
            "description": line.text,
            "pricing_item_config_id": solvimon_id("pico", key),
            "product_items": [_line_item(line, product)] if product else [],
            "type": line.type,
            "tax_categories": self.taxes([line]),
            **self.totals([line]),
            "details": self.details(line),
        }
        if line.type == "REVENUE":
            built["pricing_type"] = line.pricing
        elif line.type in ("DISCOUNT", "COMMITMENT"):
            built[f"{line.type.lower()}_type"] = line.pricing
        if line.usage:
            built["meter_value"] = _metered(line.usage)
        return built

    def details(self, line: DraftLine) -> Json:
        usage = line.usage
        unit_price = Decimal(usage.unit_price if usage else line.net)
        band: Json = {"amount": {"quantity": f"{unit_price.normalize():f}", "currency": self.currency}}
        if usage and usage.tier_from is not None:
            band["tier_lower_bound"] = {"number": usage.tier_from}
        if usage and usage.tier_to is not None:
            band["tier_top_bound"] = {"number": usage.tier_to}
        details: Json = {
            "amount": self.amount(line.net),
            "pricing_currency": self.currency,
            "pricing_amount": self.amount(line.net),
            "band": band,
        }
        return details | ({"meter_value": _metered(usage)} if usage else {})

    def group(self, group: Group, order: int, period: Period, path: str) -> Json:
        product = world.DEMO_PRODUCTS[group.product] if group.product else None
        kind = group.lines[0].type
        built: Json = {
            "group_order": order,
            **self.totals(group.lines),
            "billing_period": {"type": "MONTH", "value": -1},
            "start_at": period.start,
            "end_at": period.end,
            "type": "PRICING" if kind == "REVENUE" else kind,
            "products": [product.solvimon(with_link=group.linked)] if product else [],
            "pricing_plan_subscription_id": solvimon_id("ppsu", self.invoice.customer),
            "tax_categories": self.taxes(group.lines) if group.own_taxes else [],
            "lines": [
                self.line(line, number, f"{path}/{order}", group.product)
                for number, line in enumerate(group.lines, 1)
            ],
        }
        if product:
            built["product_category"] = world.CATEGORIES[product.category]
        if group.description:
            built["description"] = group.description
        return built

    def period(self, period: Period, order: int) -> Json:
        dates = {name: at for name, at in (("start_at", period.start), ("end_at", period.end)) if at}
        own_taxes = all(group.own_taxes for group in period.groups)
        return {
            "period_order": order,
            **self.totals(period.lines),
            "billing_period": {"type": "MONTH", "value": -1},
            **dates,
            "tax_categories": self.taxes(period.lines) if own_taxes else [],
            "groups": [
                self.group(group, number, period, f"{self.invoice.name}/{order}")
                for number, group in enumerate(period.groups, 1)
            ],
        }

    def build(self) -> Json:
        invoice = self.invoice
        customer, entity = world.DEMO_CUSTOMERS[invoice.customer], world.ENTITIES[invoice.entity]
        net, tax, nothing = (
            self.rounded(_net_of_lines(invoice.lines)),
            self.tax(invoice.lines),
            self.amount("0"),
        )
        gross = self.amount(net + tax)
        return {
            "object_type": "INVOICE",
            "id": solvimon_id("invo", invoice.name),
            "customer_id": solvimon_id("cust", invoice.customer),
            "customer": customer.solvimon(with_link=invoice.embedded_links),
            "billing_entity_id": solvimon_id("bile", invoice.entity),
            "billing_entity": entity.solvimon(with_link=invoice.embedded_links),
            "status": "DRAFT",
            "type": invoice.type,
            "billing_type": "DEFAULT",
            "on_hold": False,
            "paid": False,
            "payment_status": "UNPAID",
            "created_at": invoice.date,
            "updated_at": invoice.date,
            "invoice_date": invoice.date,
            "due_date": invoice.due,
            "timezone": invoice.timezone,
            "billing_currency": invoice.currency,
            "invoice_amount_including_tax": gross,
            "open_invoice_amount": gross,
            "closed_invoice_amount": nothing,
            "paid_invoice_amount": nothing,
            "pricing_amount_type": "EXCLUDING_TAX",
            "billing_period": {"type": "MONTH", "value": 1},
            "pricing_plan_subscription_ids": [solvimon_id("ppsu", invoice.customer)],
            "payment_acceptor_ids": [solvimon_id("paya", invoice.entity)],
            "tax_categories": self.taxes(invoice.lines, header=True),
            "tax_summary": {
                "base_amount": self.amount(net),
                "tax_amount": self.amount(tax),
                "total_amount": gross,
                **({"country_code": invoice.country} if invoice.country else {}),
            },
            "notes": list(invoice.notes),
            "custom_fields": [],
            "other_custom_fields": [],
            "linked_invoices": [],
            "closed_periods": [],
            "periods": [self.period(period, order) for order, period in enumerate(invoice.periods, 1)],
            **invoice.extra,
        }


def _metered(usage: Usage) -> Json:
    return {"reference": usage.meter, "type": "NUMBER", "number": usage.number}


def _line_item(line: DraftLine, product: str) -> Json:
    reference = "-".join(line.text.lower().replace(",", "").split())
    item: Json = {
        "object_type": "PRODUCT_ITEM",
        "id": solvimon_id("proi", f"{product}/{reference}"),
        "product_id": solvimon_id("prod", product),
        "name": line.text,
        "reference": reference,
        "status": "ACTIVE",
        "type": "REVENUE",
        "model_type": line.model,
    }
    if line.usage:
        singular = line.usage.meter.removesuffix("s").replace("-", " ")
        item["unit_name"] = {"singular": singular, "plural": f"{singular}s"}
    return item


def build(invoice: Invoice) -> Json:
    """Return the invoice as Solvimon answers it: DRAFT, without a number, with periods and lines."""
    return _InvoiceBuilder(invoice).build()
