"""Invoices of Solvimon's own making, and the older layout with nested groups at the top."""

import json
import os
from pathlib import Path

import pytest

from solvimon_rillet.mapping.links import Links
from tests.support.builders import (
    CUSTOMER,
    PLATFORM_FEE,
    SCOPES,
    SUBSIDIARY,
    Json,
    amount,
    invoice,
    items,
    mapped,
    nets,
    product,
    sent,
    tax,
    taxed,
    taxes,
)

SAMPLES = Path(os.environ.get("SAMPLES_DIR", Path(__file__).parents[4] / "shared/samples"))
LEGACY = "real-invoice-standard-open-legacy-groups.json"
CURRENT = "constructed-invoice-standard-final-current-shape.json"
LINKS = Links(CUSTOMER, SUBSIDIARY, products={"prod_kwDeeN0tg038ejACeB1o": PLATFORM_FEE})


def sample(name: str) -> Json:
    """An invoice of the samples, finalised."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"{name} is not in SAMPLES_DIR ({SAMPLES})")
    document: Json = json.loads(path.read_text(encoding="utf-8"))
    return document | {"status": "FINAL", "invoice_number": "INV-2024-02-000001"}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("name", [LEGACY, CURRENT])
def test_the_samples_tie_out_to_the_totals_that_the_customer_saw(name: str, scope: str) -> None:
    mapping = mapped(sample(name), LINKS, invoice_scope=scope)

    payload = sent(sample(name), LINKS, invoice_scope=scope)
    net = [
        item["price"]["amount_per_unit"] if scope == "FULL" else item["total_amount"]
        for item in payload["items"]
    ]
    paid = [
        item["tax_rate"]["tax_amount"] if scope == "FULL" else item["tax_amount"] for item in payload["items"]
    ]
    assert [each["amount"] for each in net] == ["575.00", "5000.00"]
    assert [each["amount"] for each in paid] == ["120.75", "1050.00"]
    assert mapping.totals.as_text() == {
        "currency": "EUR",
        "net": "5575.00",
        "tax": "1170.75",
        "gross": "6745.75",
    }
    assert [warning for warning in mapping.warnings if "has no field for" not in warning] == []


@pytest.mark.parametrize("name", [LEGACY, CURRENT])
def test_the_samples_become_the_same_items(name: str) -> None:
    recurring, once = items(sample(name), LINKS)

    assert recurring["revenue"]["period"] == {"start": "2024-01-11", "end": "2024-01-31"}
    assert once["revenue"]["period"] == {"start": "2024-01-11", "end": "2024-01-11"}
    assert recurring["tax_rate"] == once["tax_rate"] | {"tax_amount": {"amount": "120.75", "currency": "EUR"}}
    assert once["tax_rate"] == {
        "type": "VAT",
        "percentage": 21,
        "description": "BTW",
        "country": "NL",
        "tax_amount": {"amount": "1050.00", "currency": "EUR"},
    }
    assert recurring["description"] == once["description"] == "ParkingProduct"


def test_the_older_layouts_origins_are_the_older_fields() -> None:
    origins = mapped(sample(LEGACY), LINKS).origins

    first = "groups[0].groups[0]"
    assert origins["items[0].price.amount_per_unit"] == f"{first}.total"
    assert origins["items[0].revenue.period.start"] == f"{first}.start_date"
    assert origins["items[0].revenue.period.end"] == f"{first}.end_date"
    assert origins["items[0].description"] == f"{first}.products.name"
    assert origins["items[0].tax_rate.percentage"] == f"{first}.lines[].tax_categories.percentage"
    assert origins["items[1].price.amount_per_unit"] == "groups[1].groups[0].total"


def legacy(*groups: Json, **more: object) -> Json:
    """An invoice of 121 euros in the older layout."""
    return invoice(net="100.00", paid="21.00", **more) | {"periods": None, "groups": list(groups)}


def old_group(total: str, *inner: Json, **more: object) -> Json:
    """A group in the older layout."""
    return {"total": amount(total), "groups": list(inner), "products": [product()], **more}


def test_only_the_innermost_groups_carry_money() -> None:
    lines = [{"tax_categories": [tax("60.00", "12.60")]}], [{"tax_categories": [tax("40.00", "8.40")]}]
    deep = old_group("60.00", old_group("60.00", old_group("60.00", lines=lines[0])))
    flat = old_group("40.00", lines=lines[1])

    mapping = mapped(legacy(deep, flat))

    assert nets(items(legacy(deep, flat))) == ["60.00", "40.00"]
    assert taxes(items(legacy(deep, flat))) == ["12.60", "8.40"]
    assert mapping.origins["items[0].price.amount_per_unit"] == "groups[0].groups[0].groups[0].total"
    assert mapping.origins["items[1].price.amount_per_unit"] == "groups[1].total"


def test_where_both_layouts_are_filled_the_current_one_counts() -> None:
    document = invoice(taxed()) | {"groups": [old_group("100.00"), old_group("100.00")]}

    assert nets(items(document)) == ["100.00"]


def test_the_header_bears_the_tax_of_older_groups_that_state_none() -> None:
    document = legacy(old_group("60.00"), old_group("40.00"), tax_categories=[tax("100.00", "21.00")])

    assert taxes(items(document)) == ["12.60", "8.40"]
