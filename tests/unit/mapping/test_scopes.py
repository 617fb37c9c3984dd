"""What goes into a request in each invoice scope (Rillet API v4, Create an invoice)."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from solvimon_rillet.errors import Code
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.settings import Settings
from tests.contract.checker import check_payload
from tests.contract.documents import MISSING, MISSING_REASON
from tests.support.builders import (
    CUSTOMER,
    LINKS,
    PLATFORM_FEE,
    SCOPES,
    SUBSIDIARY,
    Json,
    amount,
    group,
    invoice,
    items,
    mapped,
    refusal,
    sent,
    tax,
    taxed,
)

TOTALS_ONLY = ("REVENUE_RECOGNITION_ONLY", "AR_ONLY")
LINE_REFERENCE = {"type": "solvimon_invoice_id", "url": "https://desk.solvimon.com/invoices/invo_1"}
ABROAD = Links(CUSTOMER, SUBSIDIARY, "USD", LINKS.products)
FULL_HEADER = {
    "scope",
    "invoice_number",
    "external_references",
    "invoice_date",
    "due_date",
    "purchase_order_number",
    "memo",
    "customer_id",
    "subsidiary_id",
    "exchange_rate",
    "items",
}
FULL_ITEM = {"description", "price", "revenue", "tax_rate"}
RECORDED_ITEM = {
    "description",
    "product_id",
    "quantity",
    "total_amount",
    "tax_amount",
    "revenue",
    "external_references",
}


def everything() -> Json:
    """An invoice in euros that fills every field there is."""
    dates = {"start_at": "2025-12-31T23:00:00Z", "end_at": "2026-01-31T23:00:00Z"}
    return invoice(
        taxed("100.00", "21.00", **dates),
        group("-20.00", tax("-20.00", "-4.20"), **dates),
        purchase_order_number="PO-4711",
        notes=["Thank you."],
        used_exchange_rates=[{"base_currency": "EUR", "currency": "USD", "rate": "1.25"}],
    )


def test_full_has_exactly_these_fields() -> None:
    payload = sent(everything(), ABROAD)

    first = payload["items"][0]
    assert set(payload) == FULL_HEADER
    assert set(first) == FULL_ITEM
    assert set(first["price"]) == {"product_id", "quantity", "amount_per_unit"}
    assert set(first["tax_rate"]) == {"type", "percentage", "description", "country", "tax_amount"}
    assert set(first["revenue"]) == {"period"}
    assert set(first["revenue"]["period"]) == {"start", "end"}


@pytest.mark.parametrize(
    ("scope", "lacking"),
    [
        ("REVENUE_RECOGNITION_ONLY", {"memo", "purchase_order_number"}),
        ("AR_ONLY", {"memo", "purchase_order_number", "exchange_rate"}),
    ],
)
def test_outside_full_there_is_no_memo_po_number_price_or_tax_rate(scope: str, lacking: set[str]) -> None:
    payload = sent(everything(), ABROAD, invoice_scope=scope)

    assert payload["scope"] == scope
    assert set(payload) == FULL_HEADER - lacking
    assert set(payload["items"][0]) == RECORDED_ITEM


@pytest.mark.parametrize("scope", TOTALS_ONLY)
def test_recorded_lines_carry_totals_taxes_and_their_own_references(scope: str) -> None:
    first, second = items(everything(), invoice_scope=scope)

    assert first["total_amount"] == {"amount": "100.00", "currency": "EUR"}
    assert first["tax_amount"] == {"amount": "21.00", "currency": "EUR"}
    assert first["product_id"] == PLATFORM_FEE
    assert first["quantity"] == 1
    assert first["revenue"]["period"] == {"start": "2026-01-01", "end": "2026-01-31"}
    assert first["external_references"] == [LINE_REFERENCE | {"id": "invo_1/1"}]
    assert second["total_amount"]["amount"] == "-20.00"
    assert second["tax_amount"]["amount"] == "-4.20"
    assert second["external_references"] == [LINE_REFERENCE | {"id": "invo_1/2"}]


@pytest.mark.parametrize("scope", TOTALS_ONLY)
@pytest.mark.parametrize("number", [None, ""])
def test_outside_full_an_invoice_without_number_is_rejected(scope: str, number: str | None) -> None:
    error = refusal(everything() | {"invoice_number": number}, invoice_scope=scope)

    assert error.code is Code.INVOICE_NUMBER_MISSING
    assert scope in error.message
    assert "Finalise the invoice" in error.remedy


@pytest.mark.parametrize("number", [None, ""])
def test_in_full_an_invoice_without_number_gets_one_from_rillet(number: str | None) -> None:
    payload = sent(everything() | {"invoice_number": number})

    assert "invoice_number" not in payload


def test_in_full_the_number_stays_at_home_when_the_setting_says_so() -> None:
    mapping = mapped(everything(), send_invoice_number_in_full_scope=False)

    assert "invoice_number" not in mapping.payload
    assert "invoice_number" not in mapping.origins


@pytest.mark.parametrize("scope", TOTALS_ONLY)
def test_outside_full_the_number_is_sent_whatever_that_setting_says(scope: str) -> None:
    payload = sent(everything(), invoice_scope=scope, send_invoice_number_in_full_scope=False)

    assert payload["invoice_number"] == "INV-2026-01-000001"


@pytest.mark.parametrize("scope", TOTALS_ONLY)
@pytest.mark.parametrize(
    ("setting", "header", "on_items"),
    [
        ("items", None, ["21.00", "-4.20"]),
        ("header", {"amount": "16.80", "currency": "EUR"}, [None, None]),
        ("both", {"amount": "16.80", "currency": "EUR"}, ["21.00", "-4.20"]),
    ],
)
def test_the_tax_amount_is_where_the_setting_wants_it(
    scope: str, setting: str, header: Json | None, on_items: list[str | None]
) -> None:
    payload = sent(everything(), invoice_scope=scope, tax_amount_on=setting)

    assert payload.get("tax_amount") == header
    assert [item.get("tax_amount", {}).get("amount") for item in payload["items"]] == on_items


@pytest.mark.parametrize("setting", ["items", "header", "both"])
def test_in_full_the_tax_amount_is_always_inside_the_tax_rate(setting: str) -> None:
    payload = sent(everything(), tax_amount_on=setting)

    assert "tax_amount" not in payload
    assert payload["items"][0]["tax_rate"]["tax_amount"]["amount"] == "21.00"


@pytest.mark.parametrize("scope", TOTALS_ONLY)
def test_an_untaxed_recorded_line_says_that_its_tax_is_nothing(scope: str) -> None:
    mapping = mapped(invoice(group("10.00")), invoice_scope=scope)

    assert mapping.payload["items"] == [
        {
            "description": "Platform fee",
            "product_id": PLATFORM_FEE,
            "quantity": 1,
            "total_amount": {"amount": "10.00", "currency": "EUR"},
            "tax_amount": {"amount": "0.00", "currency": "EUR"},
            "external_references": [LINE_REFERENCE | {"id": "invo_1/1"}],
        }
    ]
    assert mapping.origins["items[0].tax_amount"] == "(no tax)"


def test_reference_types_are_settings() -> None:
    types = {"invoice": "billing", "invoice_line": "billing_line"}

    payload = sent(everything(), invoice_scope="AR_ONLY", reference_types=types)

    assert payload["external_references"][0]["type"] == "billing"
    assert payload["items"][0]["external_references"] == [
        LINE_REFERENCE | {"type": "billing_line", "id": "invo_1/1"}
    ]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_document_may_have_references_of_several_types_with_a_link_on_each(scope: str) -> None:
    types = {"invoice": ["solvimon_invoice_id", "CUSTOMER_CUSTOM"], "invoice_line": "CUSTOMER_HISTORICAL"}

    payload = sent(everything(), invoice_scope=scope, reference_types=types)

    url = LINE_REFERENCE["url"]
    assert payload["external_references"] == [
        {"type": "solvimon_invoice_id", "id": "invo_1", "url": url},
        {"type": "CUSTOMER_CUSTOM", "id": "invo_1", "url": url},
    ]
    on_lines = [each for item in payload["items"] for each in item.get("external_references", [])]
    assert {(each["type"], each["url"]) for each in on_lines} == (
        set() if scope == "FULL" else {("CUSTOMER_HISTORICAL", url)}
    )


@pytest.mark.parametrize(
    ("given", "types"), [("one", ["one"]), (["one"], ["one"]), (["one", "two", "one"], ["one", "two"])]
)
def test_reference_types_are_one_or_several_each_once(given: object, types: list[str]) -> None:
    settings = Settings.model_validate({"reference_types": {"invoice": given}})

    assert settings.reference_types.invoice_types == types


def test_no_reference_type_at_all_is_no_setting() -> None:
    with pytest.raises(ValidationError, match=r"reference_types\.invoice"):
        Settings.model_validate({"reference_types": {"invoice": []}})


def test_lines_can_go_without_references_but_not_without_the_list_that_rillet_demands() -> None:
    found = items(everything(), invoice_scope="AR_ONLY", reference_types={"invoice_line": None})

    assert [item["external_references"] for item in found] == [[], []]


@pytest.mark.parametrize(
    ("solvimon", "url"),
    [
        ({}, "https://desk.solvimon.com/invoices/invo_1"),
        ({"base_url": "https://test.api.solvimon.com/v1"}, "https://test.desk.solvimon.com/invoices/invo_1"),
        ({"desk_invoice_url": "https://pay.example/i/{id}/view"}, "https://pay.example/i/invo_1/view"),
        ({"desk_invoice_url": None}, None),
    ],
)
def test_the_reference_links_back_to_the_desk(solvimon: Json, url: str | None) -> None:
    (reference,) = sent(everything(), solvimon=solvimon)["external_references"]

    assert reference == {"type": "solvimon_invoice_id", "id": "invo_1"} | ({"url": url} if url else {})


@pytest.mark.skipif(MISSING, reason=MISSING_REASON)
@pytest.mark.parametrize("setting", ["items", "header", "both"])
@pytest.mark.parametrize("scope", SCOPES)
def test_every_payload_fits_rillets_own_schema(scope: str, setting: str) -> None:
    documents = [
        everything(),
        invoice(group("10.00"), notes=None, due_date=None),
        invoice(taxed("1000", "100", "10", currency="JPY")),
        invoice(taxed("1.234", "0.123", "10", currency="BHD")),
        everything() | {"billing_entity": {"registered_address": {"country": "NL"}}},
        invoice(group("10.00", tax("10.00", "0.00", "0", "Reverse charge", category="REVERSE_CHARGE"))),
        invoice(taxed())
        | {"used_exchange_rates": [{"base_currency": "USD", "currency": "EUR", "rate": "3"}]},
    ]
    for document in documents:
        payload = sent(document, ABROAD, invoice_scope=scope, tax_amount_on=setting)

        # Rillet's schema for FULL has no invoice_number; the guide's table has (see docs/decisions.md).
        beyond = [("$.invoice_number", "unknown field")] if scope == "FULL" else []
        found = check_payload("rillet", "POST", "/invoices", payload)
        assert [(fault.field, fault.kind) for fault in found] == beyond


@pytest.mark.skipif(MISSING, reason=MISSING_REASON)
def test_the_judge_of_payloads_sees_what_is_wrong() -> None:
    payload = sent(everything(), ABROAD) | {"colour": "red", "customer_id": "cust_1", "invoice_date": "soon"}
    payload["items"][0]["tax_rate"] |= {"percentage": 101, "rounding": "up"}
    del payload["items"][1]["description"]

    found = check_payload("rillet", "POST", "/invoices", payload)

    assert {(fault.field, fault.kind) for fault in found} == {
        ("$.customer_id", "wrong value"),
        ("$.invoice_date", "wrong value"),
        ("$.items[0].tax_rate.percentage", "wrong value"),
        ("$.items[1].description", "missing field"),
        ("$.items[0].tax_rate.rounding", "unknown field"),
        ("$.invoice_number", "unknown field"),
        ("$.colour", "unknown field"),
    }


@pytest.mark.parametrize("scope", SCOPES)
def test_amounts_are_texts_with_the_currencys_decimals_in_every_scope(scope: str) -> None:
    document = invoice(taxed("100", "21")) | {"invoice_amount_including_tax": amount("121")}

    payload = sent(document, invoice_scope=scope, tax_amount_on="both")

    assert sorted(set(_amounts(payload))) == ["100.00", "21.00"]


def _amounts(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["amount"]] if "amount" in value else []
        return own + [found for inner in value.values() for found in _amounts(inner)]
    return [found for inner in value for found in _amounts(inner)] if isinstance(value, list) else []


# What a scope leaves out, and the true quantity


FULL_OF_TEXTS = invoice(taxed(), notes=["Thank you."], purchase_order_number="PO-7")


@pytest.mark.parametrize("scope", ["REVENUE_RECOGNITION_ONLY", "AR_ONLY"])
def test_a_scope_says_on_the_document_what_it_leaves_out(scope: str) -> None:
    warnings = mapped(FULL_OF_TEXTS, invoice_scope=scope).warnings

    assert warnings == (
        f"The scope {scope} has no field for the notes (Thank you.), the purchase order number (PO-7), the "
        "tax rates (21 % BTW): Rillet does not have what it says.",
    )


def test_the_full_scope_leaves_nothing_out() -> None:
    assert mapped(FULL_OF_TEXTS).warnings == ()


@pytest.mark.parametrize("scope", ["REVENUE_RECOGNITION_ONLY", "AR_ONLY"])
def test_what_the_document_does_not_say_is_not_left_out(scope: str) -> None:
    assert mapped(invoice(group("10.00")), invoice_scope=scope).warnings == ()


@pytest.mark.parametrize(
    ("lines", "quantity"),
    [
        ([{"meter_value": {"reference": "calls", "number": "1000"}}] * 2, 2000),
        ([{"meter_value": {"reference": "gb", "number": "1.50"}}], Decimal("1.5")),
        ([{"meter_value": {"reference": "seats", "count": "3"}}], 3),
        ([{"meter_value": {"reference": "gb", "number": "0"}}], 1),
        ([{"meter_value": {"reference": "gb", "number": "-4"}}], 1),
        ([{"meter_value": {"reference": unit, "number": "2"}} for unit in ("gb", "seats")], 1),
        ([{"meter_value": {"reference": "volume", "amount": {"quantity": "9", "currency": "USD"}}}], 1),
        ([], 1),
    ],
)
@pytest.mark.parametrize("scope", ["REVENUE_RECOGNITION_ONLY", "AR_ONLY"])
def test_the_true_quantity_travels_where_the_scope_has_a_field_for_it(
    lines: list[Json], quantity: Decimal | int, scope: str
) -> None:
    (item,) = items(invoice(taxed(lines=lines)), invoice_scope=scope)

    assert item["quantity"] == quantity
    assert item["total_amount"]["amount"] == "100.00"


def test_the_price_of_the_full_scope_is_the_groups_amount_once() -> None:
    (item,) = items(invoice(taxed(lines=[{"meter_value": {"reference": "gb", "number": "7"}}])))

    assert (item["price"]["quantity"], item["price"]["amount_per_unit"]["amount"]) == (1, "100.00")
