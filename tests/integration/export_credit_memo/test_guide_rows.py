"""The guide's table "Export Credit Memos to Rillet", one test per row in its order, then the lines'."""

from decimal import Decimal

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.mapping.credit_memos import HEADER_ROWS, LINE_ROWS, to_rillet_credit_memo
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice
from tests.contract.documents import MISSING, MISSING_REASON
from tests.contract.report import checked_traffic
from tests.integration.export_credit_memo.support import (
    NOTE,
    Json,
    application_calls,
    credit,
    credit_note,
    load,
    memo_calls,
    memos,
    original,
    rillet_invoice,
)
from tests.integration.export_invoice.support import export
from tests.support.builders import (
    CUSTOMER,
    GROUP,
    LINKS,
    PLATFORM_FEE,
    SUBSIDIARY,
    Mapped,
    group,
    invoice,
    tax,
)


@pytest.fixture(scope="module")
def exported() -> Mapped:
    """A credit note with something in every field of the guide's tables."""
    vat = tax("-575.00", "-120.75", "21", "BTW", category="STANDARD")
    fee = group("-575.00", vat, start_at="2026-01-12T12:17:21Z", end_at="2026-01-31T23:00:00Z")
    document = invoice(
        fee,
        id="invo_swDeeD0u13yu2JAhel1H",
        type="CREDIT",
        invoice_number="CRE-2026-01-000042",
        invoice_date="2026-01-31T23:30:00Z",
        credit={"original_invoice_id": "invo_original"},
    )
    return to_rillet_credit_memo(Invoice.model_validate(document), LINKS, Settings())


@pytest.fixture(scope="module")
def item(exported: Mapped) -> Json:
    [found] = exported.payload["items"]
    assert isinstance(found, dict)
    return found


# Export Credit Memos to Rillet


def test_row_invoice_number_becomes_credit_memo_number(exported: Mapped) -> None:
    assert exported.payload["credit_memo_number"] == "CRE-2026-01-000042"
    assert exported.origins["credit_memo_number"] == "invoice_number"


def test_row_invoice_date_becomes_credit_memo_date(exported: Mapped) -> None:
    assert exported.payload["credit_memo_date"] == "2026-02-01"
    assert exported.origins["credit_memo_date"] == "invoice_date"


def test_row_original_invoice_id_becomes_the_applications_invoice_id(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(), credit_note())
    export(system, "invo_original")

    credit(system)

    [call] = application_calls(system)
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
    assert "invoice_id" not in memo_calls(system)[0].request_body


def test_row_invoice_id_becomes_external_references(exported: Mapped) -> None:
    assert exported.payload["external_references"] == [
        {
            "type": "solvimon_invoice_id",
            "id": "invo_swDeeD0u13yu2JAhel1H",
            "url": "https://desk.solvimon.com/invoices/invo_swDeeD0u13yu2JAhel1H",
        }
    ]
    assert exported.origins["external_references"] == "id"


def test_row_customer_becomes_customer_id(exported: Mapped) -> None:
    assert exported.payload["customer_id"] == CUSTOMER
    assert exported.origins["customer_id"] == "customer"


def test_row_billing_entity_becomes_subsidiary_id(exported: Mapped) -> None:
    assert exported.payload["subsidiary_id"] == SUBSIDIARY
    assert exported.origins["subsidiary_id"] == "billing_entity"


def test_row_invoice_lines_becomes_items() -> None:
    one, other = group("-10.00", tax("-10.00", "-2.10")), group("-5.00", tax("-5.00", "-1.05"))
    document = invoice(one, other, type="CREDIT")

    exported = to_rillet_credit_memo(Invoice.model_validate(document), LINKS, Settings())

    items = exported.payload["items"]
    assert isinstance(items, list)
    assert [item["price"]["amount_per_unit"]["amount"] for item in items] == ["10.00", "5.00"]
    assert exported.origins["items[1].description"] == "periods[0].groups[1].products.name"


# "The line item mapping is the same as for invoices."


def test_row_group_amount_excluding_tax_becomes_price_amount_per_unit(exported: Mapped, item: Json) -> None:
    assert item["price"]["amount_per_unit"] == {"amount": "575.00", "currency": "EUR"}
    assert item["price"]["quantity"] == 1
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


# All of them together


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
    links = type(LINKS)(CUSTOMER, SUBSIDIARY, "USD", LINKS.products)
    document = invoice(group("-8.00"), type="CREDIT", used_exchange_rates=rates)

    exported = to_rillet_credit_memo(Invoice.model_validate(document), links, Settings())

    assert exported.payload["exchange_rate"] == {
        "base": "EUR",
        "target": "USD",
        "rate": "1.25",
        "date": "2026-01-31",
    }


@pytest.mark.skipif(MISSING, reason=MISSING_REASON)
def test_every_request_to_rillet_is_one_that_its_document_allows(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(), credit_note(), credit_note("invo_other", "30.00", "6.30", ""))

    with checked_traffic(system) as report:
        credit(system, NOTE, "invo_other")

    writes = [call for call in system.rillet.state.calls if call.path.startswith("/credit-memos")]
    assert [call.path.count("/") for call in writes] == [1, 2 + 1, 1]
    assert report.violations == []
