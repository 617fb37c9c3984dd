"""Invoices from their lines: every level's amounts are sums over its lines, so that the levels agree.

They add up as the fake of Solvimon does it for invoices of its own: tax is rounded for each line and tax.
`figures.yaml` has results that were worked out by hand. Net amounts may have more decimals than the currency
(Solvimon's UNROUNDED setting): then lines, groups and periods keep them and the header, which is what the
customer pays, is rounded.
"""

from decimal import Decimal

from local.fake_solvimon.money import amount, group_totals, header_totals, with_taxes
from local.sample_data import world
from local.sample_data.drafts import DraftLine, Group, Invoice, Period, Tax, Usage
from local.sample_data.identity import Json, solvimon_id


class _InvoiceBuilder:
    def __init__(self, invoice: Invoice) -> None:
        self.invoice = invoice
        self.currency = invoice.currency

    def line(self, line: DraftLine, order: int, path: str, product: str | None) -> Json:
        key = f"{path}/{order}"
        built: Json = {
            "id": solvimon_id("inli", key),
            "line_order": order,
            "description": line.text,
            "pricing_item_config_id": solvimon_id("pico", key),
            "product_items": [_line_item(line, product)] if product else [],
            "type": line.type,
            "details": self.details(line),
        }
        built = with_taxes(built, Decimal(line.net), map(_category, line.taxes), self.currency)
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
            "amount": amount(Decimal(line.net), self.currency),
            "pricing_currency": self.currency,
            "pricing_amount": amount(Decimal(line.net), self.currency),
            "band": band,
        }
        return details | ({"meter_value": _metered(usage)} if usage else {})

    def group(self, group: Group, order: int, period: Period, path: str) -> Json:
        product = world.DEMO_PRODUCTS[group.product] if group.product else None
        kind = group.lines[0].type
        lines = [
            self.line(line, number, f"{path}/{order}", group.product)
            for number, line in enumerate(group.lines, 1)
        ]
        built: Json = {
            "group_order": order,
            **group_totals(lines, self.currency),
            "billing_period": {"type": "MONTH", "value": -1},
            "start_at": period.start,
            "end_at": period.end,
            "type": "PRICING" if kind == "REVENUE" else kind,
            "products": [product.solvimon(with_link=group.linked)] if product else [],
            "pricing_plan_subscription_id": solvimon_id("ppsu", self.invoice.customer),
            "lines": lines,
        }
        if not group.own_taxes:
            built["tax_categories"] = []
        if product:
            built["product_category"] = world.CATEGORIES[product.category]
        if group.description:
            built["description"] = group.description
        return built

    def period(self, period: Period, order: int) -> Json:
        dates = {name: at for name, at in (("start_at", period.start), ("end_at", period.end)) if at}
        groups = [
            self.group(group, number, period, f"{self.invoice.name}/{order}")
            for number, group in enumerate(period.groups, 1)
        ]
        built = {
            "period_order": order,
            **group_totals((line for group in groups for line in group["lines"]), self.currency),
            "billing_period": {"type": "MONTH", "value": -1},
            **dates,
            "groups": groups,
        }
        own_taxes = all(group.own_taxes for group in period.groups)
        return built if own_taxes else built | {"tax_categories": []}

    def build(self) -> Json:
        invoice = self.invoice
        customer, entity = world.DEMO_CUSTOMERS[invoice.customer], world.ENTITIES[invoice.entity]
        periods = [self.period(period, order) for order, period in enumerate(invoice.periods, 1)]
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
            "pricing_amount_type": "EXCLUDING_TAX",
            "billing_period": {"type": "MONTH", "value": 1},
            "pricing_plan_subscription_ids": [solvimon_id("ppsu", invoice.customer)],
            "payment_acceptor_ids": [solvimon_id("paya", invoice.entity)],
            **header_totals(periods, invoice.currency, invoice.country),
            "notes": list(invoice.notes),
            "custom_fields": [],
            "other_custom_fields": [],
            "linked_invoices": [],
            "closed_periods": [],
            "periods": periods,
            **invoice.extra,
        }


def _category(tax: Tax) -> Json:
    """Return a tax before it is on anything."""
    category: Json = {"name": tax.name, "percentage": tax.percentage, "category": tax.category}
    if tax.notes:
        category["notes"] = list(tax.notes)
    if tax.rates:
        category["rates"] = [{"name": name, "percentage": share} for name, share in tax.rates]
    return category


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
