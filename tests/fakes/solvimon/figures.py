"""Amounts of Solvimon invoices, and whether they add up."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Json = dict[str, Any]


def money(quantity: str, currency: str = "EUR") -> Json:
    return {"quantity": quantity, "currency": currency}


def figures(invoice: Json) -> tuple[str, str, str]:
    summary = invoice["tax_summary"]
    return tuple(summary[f"{name}_amount"]["quantity"] for name in ("base", "tax", "total"))


def total(parts: list[Json], name: str = "amount_excluding_tax") -> Decimal:
    return sum((Decimal(part[name]["quantity"]) for part in parts), Decimal(0))


def check_sums(note: Json) -> None:
    """Check that every level is the sum of the level below, up to the rounded header."""
    cent = Decimal(1) if note["billing_currency"] == "JPY" else Decimal("0.01")
    for name in ("amount_excluding_tax", "amount_including_tax"):
        for period in note["periods"]:
            for group in period["groups"]:
                assert total(group["lines"], name) == Decimal(group[name]["quantity"])
            assert total(period["groups"], name) == Decimal(period[name]["quantity"])
    net, tax, gross = (Decimal(text) for text in figures(note))
    assert total(note["periods"]).quantize(cent, ROUND_HALF_UP) == net
    assert net + tax == gross == Decimal(note["invoice_amount_including_tax"]["quantity"])
    assert sum(Decimal(c["tax_amount"]["quantity"]) for c in note["tax_categories"]) == tax
