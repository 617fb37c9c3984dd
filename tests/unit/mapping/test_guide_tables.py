"""The guide's tables "Export Invoices to Rillet" and "For invoice_lines", row by row; how tables fill."""

from decimal import Decimal
from typing import Any

import pytest

from solvimon_rillet.mapping.field_table import ALL_SCOPES, FULL, TOTALS_ONLY, Row, fill
from solvimon_rillet.mapping.invoices import HEADER_ROWS, LINE_ROWS
from solvimon_rillet.settings import InvoiceScope
from tests.support.builders import (
    CUSTOMER,
    GROUP,
    PLATFORM_FEE,
    SUBSIDIARY,
    Mapped,
    group,
    invoice,
    items,
    mapped,
    nets,
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


# Export Invoices to Rillet


@pytest.mark.parametrize(
    ("field", "value", "origin"),
    [
        ("invoice_number", "INV-2026-01-000042", "invoice_number"),
        (
            "external_references",
            [
                {
                    "type": "solvimon_invoice_id",
                    "id": "invo_swDeeD0u13yu2JAhel1H",
                    "url": "https://desk.solvimon.com/invoices/invo_swDeeD0u13yu2JAhel1H",
                }
            ],
            "id",
        ),
        ("invoice_date", "2026-02-01", "invoice_date"),
        ("due_date", "2026-02-15", "due_date"),
        ("purchase_order_number", "PO-4711", "purchase_order_number"),
        ("memo", "Thank you for your business.\nUsage of January.", "notes"),
        ("customer_id", CUSTOMER, "customer"),
        ("subsidiary_id", SUBSIDIARY, "billing_entity"),
        pytest.param("scope", "FULL", "(setting invoice_scope)", id="beyond the guide: scope"),
    ],
)
def test_a_row_of_the_header_becomes_its_field(
    exported: Mapped, field: str, value: object, origin: str
) -> None:
    assert exported.payload[field] == value
    assert exported.origins[field] == origin


def test_row_invoice_lines_becomes_items() -> None:
    one, other = group("10.00", tax("10.00", "2.10")), group("5.00", tax("5.00", "1.05"))
    document = invoice(one) | {"periods": [{"groups": [one]}, {"groups": [other]}]}
    document |= {"tax_summary": {"country_code": "NL"}, "invoice_amount_including_tax": None}

    exported = mapped(document)

    assert nets(items(document)) == ["10.00", "5.00"]
    assert exported.origins["items[0].description"] == "periods[0].groups[0].products.name"
    assert exported.origins["items[1].description"] == "periods[1].groups[0].products.name"


# For invoice_lines


@pytest.mark.parametrize(
    ("field", "value", "origin"),
    [
        ("price.amount_per_unit", {"amount": "575.00", "currency": "EUR"}, f"{GROUP}.amount_excluding_tax"),
        ("price.product_id", PLATFORM_FEE, f"{GROUP}.products (Rillet Product ID)"),
        ("revenue.period.start", "2026-01-12", f"{GROUP}.start_at"),
        ("revenue.period.end", "2026-01-31", f"{GROUP}.end_at"),
        ("tax_rate.type", "VAT", f"{GROUP}.tax_categories[0].category"),
        ("tax_rate.percentage", Decimal(21), f"{GROUP}.tax_categories[0].percentage"),
        ("tax_rate.description", "BTW", f"{GROUP}.tax_categories[0].name"),
        ("description", "Platform fee", f"{GROUP}.products.name"),
        pytest.param(
            "tax_rate.tax_amount",
            {"amount": "120.75", "currency": "EUR"},
            f"{GROUP}.tax_categories[0].tax_amount",
            id="beyond the guide: the tax amount, so that Rillet does not round",
        ),
        pytest.param(
            "tax_rate.country",
            "NL",
            "tax_summary.country_code",
            id="beyond the guide: the country that Rillet demands",
        ),
        pytest.param("price.quantity", 1, "(always 1)", id="beyond the guide: the quantity is one"),
    ],
)
def test_a_row_of_the_lines_becomes_its_field(
    exported: Mapped, field: str, value: object, origin: str
) -> None:
    lines: Any = exported.payload["items"]
    found = lines[0]
    for step in field.split("."):
        found = found[step]

    assert found == value
    assert exported.origins[f"items[0].{field}"] == origin


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


# The tables' own mechanics


def test_a_row_fills_its_field_and_names_where_it_came_from() -> None:
    rows: list[Row[int]] = [
        Row("one", "price.amount", lambda n: n + 1),
        Row("two", "price.unit", lambda _: "EUR"),
    ]

    assert fill(rows, 1, InvoiceScope.FULL) == (
        {"price": {"amount": 2, "unit": "EUR"}},
        {"price.amount": "one", "price.unit": "two"},
    )


@pytest.mark.parametrize("value", [0, "", False, [], {}])
def test_only_none_leaves_a_field_out(value: object) -> None:
    rows: list[Row[object]] = [Row("a", "a", lambda it: it), Row("b", "b", lambda _: None)]

    filled, origins = fill(rows, value, InvoiceScope.FULL)

    assert filled == {"a": value}
    assert origins == {"a": "a"}


def test_a_row_of_other_scopes_is_not_even_worked_out() -> None:
    row: Row[int] = Row("a", "a", lambda n: 1 // n, FULL)

    assert fill([row], 0, InvoiceScope.AR_ONLY) == ({}, {})
    assert {InvoiceScope.FULL, *TOTALS_ONLY} == ALL_SCOPES


def test_a_table_cannot_put_a_field_inside_a_value() -> None:
    rows: list[Row[int]] = [Row("a", "price", lambda n: n), Row("b", "price.unit", lambda n: n)]

    with pytest.raises(TypeError, match="price is a value already"):
        fill(rows, 1, InvoiceScope.FULL)
