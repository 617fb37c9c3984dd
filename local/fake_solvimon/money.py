"""Amounts as Solvimon writes them, and how net and tax add up from lines to the header.

Amounts are decimal texts in major units, with at least the currency's decimals. Those of groups, periods and
the header are sums of what is below them.
"""

from collections.abc import Hashable, Iterable, Mapping
from copy import deepcopy
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from local.fake_solvimon.errors import Json
from local.fake_vendor.iso_codes import MINOR_UNITS

_PARTS = {"quantity", "currency"}

Part = TypeVar("Part", bound=Hashable)


def value(amount: Json) -> Decimal:
    """Return the value of an amount."""
    return Decimal(amount["quantity"])


def rounded(number: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's own decimals."""
    return number.quantize(Decimal(1).scaleb(-MINOR_UNITS.get(currency, 2)), ROUND_HALF_UP)


def amount(number: Decimal, currency: str) -> Json:
    """Write an amount with the currency's decimals, or with more where the number has more; never -0."""
    padded = rounded(number, currency)
    shown = padded if padded == number else number
    return {"quantity": f"{abs(shown) if shown == 0 else shown:f}", "currency": currency}


def negated(document: object) -> object:
    """Return a copy of a document with the sign of every amount in it turned round."""
    if isinstance(document, list):
        return [negated(part) for part in document]
    if not isinstance(document, dict):
        return document
    if document.keys() == _PARTS:
        return amount(-value(document), document["currency"])
    return {name: negated(part) for name, part in document.items()}


def spread(total: Decimal, over: Mapping[Part, Decimal], currency: str) -> dict[Part, Decimal]:
    """Spread a total in proportion; each share is rounded and the largest takes what is left over.

    A total that is the whole gives every part back as it is, with all its decimals.

    Raises:
        ZeroDivisionError: the parts add up to nothing.
    """
    whole = sum(over.values(), Decimal(0))
    if total == whole:
        return dict(over)
    shares = {key: rounded(part * total / whole, currency) for key, part in over.items()}
    largest = max(over, key=lambda key: abs(over[key]))
    shares[largest] += total - sum(shares.values(), Decimal(0))
    return shares


def group_totals(lines: Iterable[Json], currency: str) -> Json:
    """Return net, gross and tax categories of a group or period from its parts' own."""
    parts = list(lines)
    return {
        "amount_excluding_tax": _sum(parts, "amount_excluding_tax", currency),
        "amount_including_tax": _sum(parts, "amount_including_tax", currency),
        "tax_categories": _merged_taxes(parts, currency),
    }


def with_taxes(line: Json, net: Decimal, categories: Iterable[Json], currency: str) -> Json:
    """Return a line with a net amount and its taxes by percentage, rounded for each category."""
    taxes = [_category_tax(category, net, currency) for category in categories]
    tax = sum((value(one["tax_amount"]) for one in taxes), Decimal(0))
    return line | {
        "tax_categories": taxes,
        "amount_excluding_tax": amount(net, currency),
        "amount_including_tax": amount(net + tax, currency),
    }


def header_totals(periods: Iterable[Json], currency: str, country: str | None) -> Json:
    """Return the amounts of the header, which is what the customer pays and so is rounded."""
    lines = [line for period in periods for group in period["groups"] for line in group["lines"]]
    net = rounded(sum((value(line["amount_excluding_tax"]) for line in lines), Decimal(0)), currency)
    categories = [_rounded_base(category, currency) for category in _merged_taxes(lines, currency)]
    tax = sum((value(category["tax_amount"]) for category in categories), Decimal(0))
    gross, nothing = amount(net + tax, currency), amount(Decimal(0), currency)
    summary = {
        "base_amount": amount(net, currency),
        "tax_amount": amount(tax, currency),
        "total_amount": gross,
    }
    return {
        "billing_currency": currency,
        "invoice_amount_including_tax": gross,
        "open_invoice_amount": gross,
        "closed_invoice_amount": nothing,
        "paid_invoice_amount": nothing,
        "tax_categories": categories,
        "tax_summary": summary | ({"country_code": country} if country else {}),
    }


def _sum(parts: list[Json], name: str, currency: str) -> Json:
    return amount(sum((value(part[name]) for part in parts), Decimal(0)), currency)


def _merged_taxes(parts: Iterable[Json], currency: str) -> list[Json]:
    """Add up tax categories that are the same tax, in order of appearance."""
    merged: dict[tuple[str, str, str], Json] = {}
    for part in parts:
        for category in part["tax_categories"]:
            key = (category["name"], category["percentage"], category["category"])
            merged[key] = _added(merged[key], category, currency) if key in merged else deepcopy(category)
    return list(merged.values())


def _added(one: Json, other: Json, currency: str) -> Json:
    names = ("base_amount", "tax_amount", "total_amount")
    added = one | {name: amount(value(one[name]) + value(other[name]), currency) for name in names}
    if "rates" in one:
        pairs = zip(one["rates"], other["rates"], strict=True)
        added["rates"] = [
            mine | {"tax_amount": amount(value(mine["tax_amount"]) + value(theirs["tax_amount"]), currency)}
            for mine, theirs in pairs
        ]
    return added


def _rounded_base(category: Json, currency: str) -> Json:
    base, tax = rounded(value(category["base_amount"]), currency), value(category["tax_amount"])
    return category | {"base_amount": amount(base, currency), "total_amount": amount(base + tax, currency)}


def _category_tax(category: Json, net: Decimal, currency: str) -> Json:
    """Work a category's tax out of its percentage; one that stacks rates sums what they round to."""
    rates = [
        rate | {"tax_amount": amount(_tax_amount(net, rate["percentage"], currency), currency)}
        for rate in category.get("rates") or []
    ]
    tax = sum((value(rate["tax_amount"]) for rate in rates), Decimal(0))
    if not rates:
        tax = _tax_amount(net, category["percentage"], currency)
    known = {"percentage": category["percentage"], "name": category["name"], "category": category["category"]}
    optional = {name: category[name] for name in ("notes",) if category.get(name)}
    amounts = {
        "base_amount": amount(net, currency),
        "tax_amount": amount(tax, currency),
        "total_amount": amount(net + tax, currency),
    }
    return amounts | known | optional | ({"rates": rates} if rates else {})


def _tax_amount(net: Decimal, percentage: str, currency: str) -> Decimal:
    return rounded(net * Decimal(percentage) / 100, currency)
