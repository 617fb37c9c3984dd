"""The guide's tables "Export Invoices to Rillet" and "For invoice_lines", one test per row, in its order."""

from decimal import Decimal

import pytest

from solvimon_rillet.mapping.invoices import HEADER_ROWS, LINE_ROWS
from tests.support.builders import (
    CUSTOMER,
    GROUP,
    PLATFORM_FEE,
    SUBSIDIARY,
    Json,
    Mapped,
    group,
    invoice,
    mapped,
    tax,
)


@pytest.fixture(scope="module")
def exported() -> Mapped:
    """An invoice with something in every field of the guide's tables, in the scope that has them all."""
    vat = tax("575.00", "120.75", "21", "BTW", category="STANDARD")
    fee = group("575.00", vat, start_at="2026-01-12T12:17:21Z", end_at="2026-01-31T23:00:00Z")
    document = invoice(
        fee,
        id="invo_swDeeD0u13yu2JAhel1H",
        invoice_number="INV-2026-01-000042",
        invoice_date="2026-01-31T23:30:00Z",
        due_date="2026-02-15T10:00:00Z",
        purchase_order_number="PO-4711",
        notes=["Thank you for your business.", "Usage of January."],
    )
    return mapped(document, invoice_scope="FULL")


@pytest.fixture(scope="module")
def item(exported: Mapped) -> Json:
    items = exported.payload["items"]
    assert isinstance(items, list)
    found: Json = items[0]
    return found


# Export Invoices to Rillet


def test_row_invoice_number_becomes_invoice_number(exported: Mapped) -> None:
    assert exported.payload["invoice_number"] == "INV-2026-01-000042"
    assert exported.origins["invoice_number"] == "invoice_number"


def test_row_invoice_id_becomes_external_references(exported: Mapped) -> None:
    assert exported.payload["external_references"] == [
        {
            "type": "solvimon_invoice_id",
            "id": "invo_swDeeD0u13yu2JAhel1H",
            "url": "https://desk.solvimon.com/invoices/invo_swDeeD0u13yu2JAhel1H",
        }
    ]
    assert exported.origins["external_references"] == "id"


def test_row_invoice_date_becomes_invoice_date(exported: Mapped) -> None:
    assert exported.payload["invoice_date"] == "2026-02-01"
    assert exported.origins["invoice_date"] == "invoice_date"


def test_row_due_date_becomes_due_date(exported: Mapped) -> None:
    assert exported.payload["due_date"] == "2026-02-15"
    assert exported.origins["due_date"] == "due_date"


def test_row_purchase_order_number_becomes_purchase_order_number(exported: Mapped) -> None:
    assert exported.payload["purchase_order_number"] == "PO-4711"
    assert exported.origins["purchase_order_number"] == "purchase_order_number"


def test_row_notes_becomes_memo(exported: Mapped) -> None:
    assert exported.payload["memo"] == "Thank you for your business.\nUsage of January."
    assert exported.origins["memo"] == "notes"


def test_row_customer_becomes_customer_id(exported: Mapped) -> None:
    assert exported.payload["customer_id"] == CUSTOMER
    assert exported.origins["customer_id"] == "customer"


def test_row_billing_entity_becomes_subsidiary_id(exported: Mapped) -> None:
    assert exported.payload["subsidiary_id"] == SUBSIDIARY
    assert exported.origins["subsidiary_id"] == "billing_entity"


def test_row_invoice_lines_becomes_items() -> None:
    one, other = group("10.00", tax("10.00", "2.10")), group("5.00", tax("5.00", "1.05"))
    document = invoice(one) | {"periods": [{"groups": [one]}, {"groups": [other]}]}
    document |= {"tax_summary": {"country_code": "NL"}, "invoice_amount_including_tax": None}

    exported = mapped(document)

    items = exported.payload["items"]
    assert isinstance(items, list)
    assert [item["price"]["amount_per_unit"]["amount"] for item in items] == ["10.00", "5.00"]
    assert exported.origins["items[0].description"] == "periods[0].groups[0].products.name"
    assert exported.origins["items[1].description"] == "periods[1].groups[0].products.name"


# For invoice_lines


def test_row_group_amount_excluding_tax_becomes_price_amount_per_unit(exported: Mapped, item: Json) -> None:
    assert item["price"]["amount_per_unit"] == {"amount": "575.00", "currency": "EUR"}
    assert exported.origins["items[0].price.amount_per_unit"] == f"{GROUP}.amount_excluding_tax"


def test_row_group_product_becomes_price_product_id(exported: Mapped, item: Json) -> None:
    assert item["price"]["product_id"] == PLATFORM_FEE
    assert exported.origins["items[0].price.product_id"] == f"{GROUP}.products (Rillet Product ID)"


def test_row_group_start_at_becomes_revenue_period_start(exported: Mapped, item: Json) -> None:
    assert item["revenue"]["period"]["start"] == "2026-01-12"
    assert exported.origins["items[0].revenue.period.start"] == f"{GROUP}.start_at"


def test_row_group_end_at_becomes_revenue_period_end(exported: Mapped, item: Json) -> None:
    assert item["revenue"]["period"]["end"] == "2026-01-31"
    assert exported.origins["items[0].revenue.period.end"] == f"{GROUP}.end_at"


def test_row_group_tax_categories_category_becomes_tax_rate_type(exported: Mapped, item: Json) -> None:
    assert item["tax_rate"]["type"] == "VAT"
    assert exported.origins["items[0].tax_rate.type"] == f"{GROUP}.tax_categories[0].category"


def test_row_group_tax_categories_percentage_becomes_tax_rate_percentage(
    exported: Mapped, item: Json
) -> None:
    assert item["tax_rate"]["percentage"] == Decimal(21)
    assert exported.origins["items[0].tax_rate.percentage"] == f"{GROUP}.tax_categories[0].percentage"


def test_row_group_tax_categories_name_becomes_tax_rate_description(exported: Mapped, item: Json) -> None:
    assert item["tax_rate"]["description"] == "BTW"
    assert exported.origins["items[0].tax_rate.description"] == f"{GROUP}.tax_categories[0].name"


def test_row_group_products_name_becomes_description(exported: Mapped, item: Json) -> None:
    assert item["description"] == "Platform fee"
    assert exported.origins["items[0].description"] == f"{GROUP}.products.name"


# Beyond the guide


def test_beyond_the_guide_the_tax_amount_travels_so_that_rillet_does_not_round(
    exported: Mapped, item: Json
) -> None:
    assert item["tax_rate"]["tax_amount"] == {"amount": "120.75", "currency": "EUR"}
    assert exported.origins["items[0].tax_rate.tax_amount"] == f"{GROUP}.tax_categories[0].tax_amount"


def test_beyond_the_guide_the_tax_has_the_country_that_rillet_demands(exported: Mapped, item: Json) -> None:
    assert item["tax_rate"]["country"] == "NL"
    assert exported.origins["items[0].tax_rate.country"] == "tax_summary.country_code"


def test_beyond_the_guide_the_quantity_is_one(exported: Mapped, item: Json) -> None:
    assert item["price"]["quantity"] == 1
    assert exported.origins["items[0].price.quantity"] == "(always 1)"


def test_beyond_the_guide_the_scope_is_named(exported: Mapped) -> None:
    assert exported.payload["scope"] == "FULL"
    assert exported.origins["scope"] == "(setting invoice_scope)"


def test_the_code_has_the_guides_rows_in_the_guides_order() -> None:
    header = [(row.source, row.target) for row in HEADER_ROWS[:8]]
    lines = [(row.source, row.target) for row in LINE_ROWS[:8]]

    assert header == [
        ("invoice_number", "invoice_number"),
        ("id", "external_references"),
        ("invoice_date", "invoice_date"),
        ("due_date", "due_date"),
        ("purchase_order_number", "purchase_order_number"),
        ("notes", "memo"),
        ("customer", "customer_id"),
        ("billing_entity", "subsidiary_id"),
    ]
    assert lines == [
        ("group.amount_excluding_tax", "price.amount_per_unit"),
        ("group.products (Rillet Product ID)", "price.product_id"),
        ("group.start_at", "revenue.period.start"),
        ("group.end_at", "revenue.period.end"),
        ("tax.category", "tax_rate.type"),
        ("tax.percentage", "tax_rate.percentage"),
        ("tax.name", "tax_rate.description"),
        ("group.products.name", "description"),
    ]


def test_every_field_that_is_sent_has_an_origin(exported: Mapped) -> None:
    fields = set(_paths(exported.payload))

    assert fields == set(exported.origins)


def _paths(value: object, path: str = "") -> list[str]:
    """The paths of a payload's fields, with money and lists of references as one field."""
    if isinstance(value, dict) and not {"amount", "currency"} <= set(value):
        return [
            found for name, inner in value.items() for found in _paths(inner, f"{path}.{name}".strip("."))
        ]
    if path == "items" and isinstance(value, list):
        return [found for index, inner in enumerate(value) for found in _paths(inner, f"items[{index}]")]
    return [path]
