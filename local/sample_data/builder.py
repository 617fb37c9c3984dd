"""Invoices from their lines: every level's amounts are sums of the level below, so that they agree.

Tax is rounded half up to the currency's decimals for each line and tax category; the levels above add up
what was rounded. Net amounts may have more decimals than the currency (Solvimon's UNROUNDED setting): then
lines, groups and periods keep them and the header, which is what the customer pays, is rounded.
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from local.sample_data import world
from local.sample_data.drafts import Group, Invoice, Line, Period, Tax
from local.sample_data.identity import Json, solvimon_id

_DECIMALS = {"JPY": 0}


@dataclass
class _Part:
    base: Decimal
    tax: Decimal
    rates: list[Decimal]


@dataclass
class _Sums:
    """Net, and the parts of each tax in order of appearance."""

    net: Decimal = Decimal(0)
    parts: dict[Tax, _Part] = field(default_factory=dict)

    @property
    def tax(self) -> Decimal:
        return sum((part.tax for part in self.parts.values()), Decimal(0))

    def add(self, other: "_Sums") -> None:
        self.net += other.net
        for tax, part in other.parts.items():
            mine = self.parts.setdefault(tax, _Part(Decimal(0), Decimal(0), [Decimal(0)] * len(part.rates)))
            mine.base += part.base
            mine.tax += part.tax
            mine.rates = [a + b for a, b in zip(mine.rates, part.rates, strict=True)]


class _Builder:
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

    def sums_of(self, line: Line) -> _Sums:
        net = Decimal(line.net)
        sums = _Sums(net)
        for tax in line.taxes:
            rates = [self.rounded(net * Decimal(percentage) / 100) for _, percentage in tax.rates]
            whole = self.rounded(net * Decimal(tax.percentage) / 100)
            sums.parts[tax] = _Part(net, sum(rates, Decimal(0)) if rates else whole, rates)
        return sums

    def taxes(self, sums: _Sums, *, header: bool = False) -> list[Json]:
        categories = []
        for tax, part in sums.parts.items():
            base = self.rounded(part.base) if header else part.base
            category: Json = {
                "base_amount": self.amount(base),
                "tax_amount": self.amount(part.tax),
                "total_amount": self.amount(base + part.tax),
                "percentage": tax.percentage,
                "name": tax.name,
                "category": tax.category,
            }
            if tax.notes:
                category["notes"] = list(tax.notes)
            if tax.rates:
                category["rates"] = [
                    {"name": name, "percentage": percentage, "tax_amount": self.amount(amount)}
                    for (name, percentage), amount in zip(tax.rates, part.rates, strict=True)
                ]
            categories.append(category)
        return categories

    def totals(self, sums: _Sums) -> Json:
        return {
            "amount_excluding_tax": self.amount(sums.net),
            "amount_including_tax": self.amount(sums.net + sums.tax),
        }

    def line(self, line: Line, order: int, path: str, product: str | None) -> tuple[Json, _Sums]:
        sums = self.sums_of(line)
        key = f"{path}/{order}"
        built: Json = {
            "id": solvimon_id("inli", key),
            "line_order": order,
            "description": line.text,
            "pricing_item_config_id": solvimon_id("pico", key),
            "product_items": [_item(line, product)] if product else [],
            "type": line.type,
            "tax_categories": self.taxes(sums),
            **self.totals(sums),
            "details": self.details(line),
        }
        if line.type == "REVENUE":
            built["pricing_type"] = line.pricing
        elif line.type in ("DISCOUNT", "COMMITMENT"):
            built[f"{line.type.lower()}_type"] = line.pricing
        if line.usage:
            built["meter_value"] = {
                "reference": line.usage.meter,
                "type": "NUMBER",
                "number": line.usage.number,
            }
        return built, sums

    def details(self, line: Line) -> Json:
        unit_price = Decimal(line.usage.unit_price if line.usage else line.net)
        band: Json = {"amount": {"quantity": f"{unit_price.normalize():f}", "currency": self.currency}}
        details: Json = {
            "amount": self.amount(line.net),
            "pricing_currency": self.currency,
            "pricing_amount": self.amount(line.net),
            "band": band,
        }
        if line.usage:
            for name, bound in (("lower", line.usage.tier_from), ("top", line.usage.tier_to)):
                if bound is not None:
                    band[f"tier_{name}_bound"] = {"number": bound}
            details["meter_value"] = {
                "reference": line.usage.meter,
                "type": "NUMBER",
                "number": line.usage.number,
            }
        return details

    def group(self, group: Group, order: int, period: Period, path: str) -> tuple[Json, _Sums]:
        sums, lines = _Sums(), []
        for number, line in enumerate(group.lines, 1):
            built, line_sums = self.line(line, number, f"{path}/{order}", group.product)
            lines.append(built)
            sums.add(line_sums)
        product = world.PRODUCTS[group.product] if group.product else None
        kind = group.lines[0].type
        built_group: Json = {
            "group_order": order,
            **self.totals(sums),
            "billing_period": {"type": "MONTH", "value": -1},
            "start_at": period.start,
            "end_at": period.end,
            "type": "PRICING" if kind == "REVENUE" else kind,
            "products": [product.solvimon(with_link=group.linked)] if product else [],
            "pricing_plan_subscription_id": solvimon_id("ppsu", self.invoice.customer),
            "tax_categories": self.taxes(sums) if group.own_taxes else [],
            "lines": lines,
        }
        if product:
            built_group["product_category"] = world.CATEGORIES[product.category]
        if group.description:
            built_group["description"] = group.description
        return built_group, sums

    def period(self, period: Period, order: int) -> tuple[Json, _Sums]:
        sums, groups = _Sums(), []
        for number, group in enumerate(period.groups, 1):
            built, group_sums = self.group(group, number, period, f"{self.invoice.name}/{order}")
            groups.append(built)
            sums.add(group_sums)
        dates = {name: at for name, at in (("start_at", period.start), ("end_at", period.end)) if at}
        own_taxes = all(group.own_taxes for group in period.groups)
        return {
            "period_order": order,
            **self.totals(sums),
            "billing_period": {"type": "MONTH", "value": -1},
            **dates,
            "tax_categories": self.taxes(sums) if own_taxes else [],
            "groups": groups,
        }, sums

    def build(self) -> Json:
        sums, periods = _Sums(), []
        for order, period in enumerate(self.invoice.periods, 1):
            built, period_sums = self.period(period, order)
            periods.append(built)
            sums.add(period_sums)
        return self.header(sums) | {"periods": periods} | self.invoice.extra

    def header(self, sums: _Sums) -> Json:
        invoice = self.invoice
        customer, entity = world.CUSTOMERS[invoice.customer], world.ENTITIES[invoice.entity]
        net, nothing = self.rounded(sums.net), self.amount("0")
        gross = self.amount(net + sums.tax)
        summary: Json = {
            "base_amount": self.amount(net),
            "tax_amount": self.amount(sums.tax),
            "total_amount": gross,
        }
        if invoice.country:
            summary["country_code"] = invoice.country
        return {
            "object_type": "INVOICE",
            "id": solvimon_id("invo", invoice.name),
            "customer_id": solvimon_id("cust", invoice.customer),
            "customer": customer.solvimon(with_link=invoice.embedded_links),
            "billing_entity_id": solvimon_id("bile", invoice.entity),
            "billing_entity": _without_link(entity.solvimon(), keep=invoice.embedded_links),
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
            "tax_categories": self.taxes(sums, header=True),
            "tax_summary": summary,
            "notes": list(invoice.notes),
            "custom_fields": [],
            "other_custom_fields": [],
            "linked_invoices": [],
            "closed_periods": [],
        }


def _item(line: Line, product: str) -> Json:
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


def _without_link(record: Json, *, keep: bool) -> Json:
    return record if keep else {name: value for name, value in record.items() if name != "custom_fields"}


def build(invoice: Invoice) -> Json:
    """Return the invoice as Solvimon answers it: DRAFT, without a number, with periods and lines."""
    return _Builder(invoice).build()
