"""The guide's table "Export Credit Memos to Rillet", one case per row in its order, then the lines'."""

from decimal import Decimal
from typing import Any

import pytest

from solvimon_rillet.mapping.credit_memos import HEADER_ROWS, LINE_ROWS, to_rillet_credit_memo
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice
from tests.contract.documents import MISSING, MISSING_REASON
from tests.contract.report import checked_traffic
from tests.support.arrange import load
from tests.support.assertions import application_posts, memo_posts, memos, rillet_invoice
from tests.support.builders import (
    CUSTOMER,
    GROUP,
    LINKS,
    NOTE,
    ORIGINAL,
    PLATFORM_FEE,
    SUBSIDIARY,
    Json,
    Mapped,
    credit_note,
    group,
    invoice,
    nets,
    original,
    tax,
)
from tests.support.connected import Connected


def memo_of(document: Json, links: Links = LINKS) -> Mapped:
    return to_rillet_credit_memo(Invoice.model_validate(document), links, Settings())


@pytest.fixture(scope="module")
def exported() -> Mapped:
    """A credit note with something in every field of the guide's tables."""
    vat = tax("-575.00", "-120.75", "21", "BTW", category="STANDARD")
    fee = group("-575.00", vat, start_at="2026-01-12T12:17:21Z", end_at="2026-01-31T23:00:00Z")
    return memo_of(
        invoice(
            fee,
            id="invo_swDeeD0u13yu2JAhel1H",
            type="CREDIT",
            invoice_number="CRE-2026-01-000042",
            invoice_date="2026-01-31T23:30:00Z",
            credit={"original_invoice_id": "invo_original"},
        )
    )


REFERENCE = {
    "type": "solvimon_invoice_id",
    "id": "invo_swDeeD0u13yu2JAhel1H",
    "url": "https://desk.solvimon.com/invoices/invo_swDeeD0u13yu2JAhel1H",
}
ROWS: dict[str, tuple[str, object, str]] = {
    "invoice_number becomes credit_memo_number": (
        "credit_memo_number",
        "CRE-2026-01-000042",
        "invoice_number",
    ),
    "invoice_date becomes credit_memo_date": ("credit_memo_date", "2026-02-01", "invoice_date"),
    "invoice_id becomes external_references": ("external_references", [REFERENCE], "id"),
    "customer becomes customer_id": ("customer_id", CUSTOMER, "customer"),
    "billing_entity becomes subsidiary_id": ("subsidiary_id", SUBSIDIARY, "billing_entity"),
    # "The line item mapping is the same as for invoices."
    "group.amount_excluding_tax becomes price.amount_per_unit": (
        "items[0].price.amount_per_unit",
        {"amount": "575.00", "currency": "EUR"},
        f"{GROUP}.amount_excluding_tax",
    ),
    "group.product becomes price.product_id": (
        "items[0].price.product_id",
        PLATFORM_FEE,
        f"{GROUP}.products (Rillet Product ID)",
    ),
    "group.start_at becomes revenue.period.start": (
        "items[0].revenue.period.start",
        "2026-01-12",
        f"{GROUP}.start_at",
    ),
    "group.end_at becomes revenue.period.end": (
        "items[0].revenue.period.end",
        "2026-01-31",
        f"{GROUP}.end_at",
    ),
    "group.tax_categories.category becomes tax_rate.type": (
        "items[0].tax_rate.type",
        "VAT",
        f"{GROUP}.tax_categories[0].category",
    ),
    "group.tax_categories.percentage becomes tax_rate.percentage": (
        "items[0].tax_rate.percentage",
        Decimal(21),
        f"{GROUP}.tax_categories[0].percentage",
    ),
    "group.tax_categories.name becomes tax_rate.description": (
        "items[0].tax_rate.description",
        "BTW",
        f"{GROUP}.tax_categories[0].name",
    ),
    "group.products.name becomes description": (
        "items[0].description",
        "Platform fee",
        f"{GROUP}.products.name",
    ),
}


def at(payload: Any, path: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """The value at a path like ``items[0].price.quantity``."""
    for step in path.replace("[0]", ".0").split("."):
        payload = payload[int(step) if step.isdigit() else step]
    return payload


@pytest.mark.parametrize("row", ROWS)
def test_row(exported: Mapped, row: str) -> None:
    target, value, source = ROWS[row]

    assert at(exported.payload, target) == value
    assert exported.origins[target] == source
    assert at(exported.payload, "items[0].price.quantity") == 1


def test_row_original_invoice_id_becomes_the_applications_invoice_id(default: Connected) -> None:
    load(default, original(), credit_note())
    default.export(ORIGINAL)

    default.credit()

    [call] = application_posts(default.system)
    assert call.path == f"/credit-memos/{memos(default)[0]['id']}/applications"
    assert call.request_body == {
        "applications": [
            {
                "invoice_id": rillet_invoice(default)["id"],
                "amount": {"amount": "121.00", "currency": "EUR"},
                "application_date": "2026-02-01",
            }
        ]
    }
    assert "invoice_id" not in memo_posts(default.system)[0].request_body


def test_row_invoice_lines_becomes_items() -> None:
    one, other = group("-10.00", tax("-10.00", "-2.10")), group("-5.00", tax("-5.00", "-1.05"))

    exported = memo_of(invoice(one, other, type="CREDIT"))

    items = exported.payload["items"]
    assert isinstance(items, list)
    assert nets(items) == ["10.00", "5.00"]
    assert exported.origins["items[1].description"] == "periods[0].groups[1].products.name"


def test_the_tables_hold_the_guides_rows_and_what_rillet_needs_besides() -> None:
    assert [(row.source, row.target) for row in HEADER_ROWS] == [
        ("invoice_number", "credit_memo_number"),
        ("invoice_date", "credit_memo_date"),
        ("id", "external_references"),
        ("customer", "customer_id"),
        ("billing_entity", "subsidiary_id"),
        ("used_exchange_rates", "exchange_rate"),
    ]
    assert [row.target for row in LINE_ROWS] == [
        "price.amount_per_unit",
        "price.product_id",
        "revenue.period.start",
        "revenue.period.end",
        "tax_rate.type",
        "tax_rate.percentage",
        "tax_rate.description",
        "description",
        "tax_rate.tax_amount",
        "tax_rate.country",
        "price.quantity",
    ]


def test_credit_notes_in_another_currency_carry_the_exchange_rate_that_solvimon_used() -> None:
    rates = [{"currency": "USD", "base_currency": "EUR", "rate": "1.25"}]
    links = Links(CUSTOMER, SUBSIDIARY, "USD", LINKS.products)

    exported = memo_of(invoice(group("-8.00"), type="CREDIT", used_exchange_rates=rates), links)

    rate = {"base": "EUR", "target": "USD", "rate": "1.25", "date": "2026-01-31"}
    assert exported.payload["exchange_rate"] == rate


@pytest.mark.skipif(MISSING, reason=MISSING_REASON)
def test_every_request_to_rillet_is_one_that_its_document_allows(default: Connected) -> None:
    load(default, original(), credit_note(), credit_note("invo_other", "30.00", "6.30", ""))

    with checked_traffic(default.system) as report:
        default.credit(NOTE, "invo_other")

    writes = [call for call in default.system.rillet.state.calls if call.path.startswith("/credit-memos")]
    assert [call.path.count("/") for call in writes] == [1, 2 + 1, 1]
    assert report.violations == []
