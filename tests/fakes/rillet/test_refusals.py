"""What the Rillet fake refuses: wrong fields, all named at once, and broken rules of the organisation."""

import pytest
import requests

from tests.fakes.rillet.support import (
    ADDRESS,
    CASH,
    KEY,
    ONE_TIME_PRODUCT,
    RECORDED,
    UNKNOWN_ID,
    UNKNOWN_PRODUCT,
    Json,
    Rillet,
    credit_memo,
    fields_of,
    full_invoice,
    full_item,
    kind_of,
    money,
    payment,
    recorded_invoice,
    recorded_item,
    reference,
    tax_rate,
)

RATE = {"base": "EUR", "target": "USD", "rate": "1.25", "date": "2026-03-01"}
USAGE = {"type": "USAGE", "interval_months": 1}
MONTHLY = {"type": "FIXED_RECURRING", "amount": money("1"), "interval_months": 13}
UNREGISTERED = [reference("1", "unheard_of")]
RESTRICTED = [reference("1", "restricted_id")]

CUSTOMER_CHANGES: list[tuple[Json, str]] = [
    ({"name": None}, "name"),
    ({"name": "  "}, "name"),
    ({"name": 5}, "name"),
    ({"address": {**ADDRESS, "state": None}}, "address.state"),
    ({"address": {**ADDRESS, "country": "NLD"}}, "address.country"),
    ({"shipping_address": {**ADDRESS, "city": None}}, "shipping_address.city"),
    ({"emails": [{"email": "b@example.com", "type": "TO"}]}, "emails[0].type"),
    ({"emails": [{"email": "b@example.com", "type": "CC"}] * 2}, "emails"),
    ({"payment_terms": -1}, "payment_terms"),
    ({"send_payment_reminders": "no"}, "send_payment_reminders"),
    ({"external_references": [{"type": "solvimon_customer_id"}]}, "external_references[0].id"),
    ({"fields": [{"field_id": "x", "field_value_id": UNKNOWN_ID}]}, "fields[0].field_id"),
]
PRODUCT_CHANGES: list[tuple[Json, str]] = [
    ({"name": "x" * 251}, "name"),
    ({"name": ""}, "name"),
    ({"description": None}, "description"),
    ({"account_code": None}, "account_code"),
    ({"revenue_pattern": "MONTHLY"}, "revenue_pattern"),
    ({"include_in_arr_mrr": None}, "include_in_arr_mrr"),
    ({"price": None}, "price"),
    ({"price": {"type": "ONE_TIME"}}, "price.amount"),
    ({"price": MONTHLY}, "price.interval_months"),
    ({"price": USAGE}, "price.billing_scheme"),
]
INVOICE_CHANGES: list[tuple[Json, str]] = [
    *[({field: None}, field) for field in ("customer_id", "invoice_date", "items")],
    ({"customer_id": "cust_1"}, "customer_id"),
    ({"subsidiary_id": "bile_1"}, "subsidiary_id"),
    ({"invoice_date": "2026-03-01T00:00:00Z"}, "invoice_date"),
    ({"due_date": "2026-02-30"}, "due_date"),
    ({"items": []}, "items"),
    ({"items": {}}, "items"),
    ({"items": ["Seats"]}, "items[0]"),
    ({"items": [full_item(), full_item(currency="USD")]}, "items"),
    ({"items": [full_item(tax_rate=tax_rate(tax_amount=money("21.00", "USD")))]}, "items"),
    ({"scope": "REVENUE"}, "scope"),
    ({"exchange_rate": RATE | {"date": None}}, "exchange_rate.date"),
    ({"exchange_rate": RATE | {"rate": "0"}}, "exchange_rate.rate"),
    ({"external_references": [reference("1")] * 2}, "external_references"),
    ({"external_references": [reference("1") | {"url": "desk"}]}, "external_references[0].url"),
]
FULL_ITEMS: list[tuple[Json, str]] = [
    (full_item() | {"price": None}, "price"),
    (full_item() | {"description": None}, "description"),
    *[(full_item(tax_rate=tax_rate() | {field: None}), f"tax_rate.{field}") for field in tax_rate()],
    (full_item(tax_rate=tax_rate(country="Netherlands")), "tax_rate.country"),
    (full_item(tax_rate=tax_rate(country="XX")), "tax_rate.country"),
    (full_item(tax_rate=tax_rate(type="STANDARD")), "tax_rate.type"),
    (full_item(tax_rate=tax_rate(101)), "tax_rate.percentage"),
    (full_item(tax_rate=tax_rate() | {"percentage": "21"}), "tax_rate.percentage"),
    (full_item(tax_rate=tax_rate(tax_amount=money("21"))), "tax_rate.tax_amount"),
    (full_item("ten"), "price.amount_per_unit.amount"),
    (full_item(currency="EURO"), "price.amount_per_unit.currency"),
    (full_item(revenue={"period": {"start": "2026-03-01"}}), "revenue.period.end"),
    (full_item(revenue={"period": {"start": "2026-03-02", "end": "2026-03-01"}}), "revenue.period.end"),
    (full_item(revenue={"pattern": "MONTHLY"}), "revenue.pattern"),
]
RECORDED_FIELDS = ("customer_id", "invoice_date", "items", "invoice_number", "external_references")
RECORDED_ITEM_FIELDS = ("product_id", "description", "quantity", "total_amount", "external_references")
WRONG_SCALE = {
    "EUR": ("10", "10.0", "10.000", "10.005"),
    "JPY": ("10.0", "10.00", "10.5"),
    "BHD": ("10", "10.00", "10.0005"),
}
RECORDED_ITEMS: list[tuple[Json, str]] = [
    *[(recorded_item() | {field: None}, field) for field in RECORDED_ITEM_FIELDS],
    *[
        (recorded_item(amount, currency), "total_amount")
        for currency, amounts in WRONG_SCALE.items()
        for amount in amounts
    ],
    *[(recorded_item(quantity=quantity), "quantity") for quantity in (0, -1, 0.000009)],
]
MEMO_CHANGES: list[tuple[Json, str]] = [
    ({"customer_id": None}, "customer_id"),
    ({"credit_memo_date": None}, "credit_memo_date"),
    ({"items": []}, "items"),
    ({"items": None}, "items"),
    ({"credit_memo_number": "CM 1"}, "credit_memo_number"),
    ({"credit_memo_number": ""}, "credit_memo_number"),
    ({"items": [full_item(quantity=-1)]}, "items[0].price.quantity"),
    ({"items": [full_item(tax_rate=tax_rate() | {"country": None})]}, "items[0].tax_rate.country"),
    ({"items": [full_item(tax_rate=tax_rate(tax_amount=money("1")))]}, "items[0].tax_rate.tax_amount"),
    ({"items": [full_item(), full_item(currency="USD")]}, "items"),
    ({"external_references": [reference("1")] * 2}, "external_references"),
    ({"exchange_rate": RATE | {"rate": None}}, "exchange_rate.rate"),
]
WRONG_FIELDS: list[tuple[str, Json, str]] = [
    *[("/customers", {"name": "Bob"} | change, field) for change, field in CUSTOMER_CHANGES],
    *[("/products", ONE_TIME_PRODUCT | change, field) for change, field in PRODUCT_CHANGES],
    *[("/invoices", full_invoice() | change, field) for change, field in INVOICE_CHANGES],
    *[("/invoices", full_invoice(item), f"items[0].{field}") for item, field in FULL_ITEMS],
    *[
        ("/invoices", recorded_invoice(scope=scope) | {field: None}, field)
        for scope in RECORDED
        for field in RECORDED_FIELDS
    ],
    *[
        ("/invoices", recorded_invoice(item, scope=scope), f"items[0].{field}")
        for scope in RECORDED
        for item, field in RECORDED_ITEMS
    ],
    *[("/credit-memos", credit_memo() | change, field) for change, field in MEMO_CHANGES],
]


UNREGISTERED_TYPE = (
    "external_reference_type_not_found",
    "External reference type does not exist: unheard_of",
)
INVOICE_RULES: list[tuple[Json, str, str]] = [
    (full_invoice(customer_id=UNKNOWN_ID), "customer_not_found", UNKNOWN_ID),
    (full_invoice(subsidiary_id=UNKNOWN_ID), "subsidiary_not_found", UNKNOWN_ID),
    (full_invoice(bank_account_id=UNKNOWN_ID), "bank_account_not_found", UNKNOWN_ID),
    (recorded_invoice(recorded_item(product_id=UNKNOWN_ID)), "product_not_found", UNKNOWN_ID),
    (full_invoice(external_references=UNREGISTERED), *UNREGISTERED_TYPE),
    (recorded_invoice(recorded_item(external_references=UNREGISTERED)), *UNREGISTERED_TYPE),
    (
        recorded_invoice(recorded_item(external_references=RESTRICTED), external_references=RESTRICTED),
        "external_reference_restricted",
        "multiple references of a restricted type",
    ),
    (
        full_invoice(external_references=[reference("1", "CUSTOMER_CUSTOM")]),
        "external_reference_url_required",
        "The URL is required for external reference for Customer_Custom",
    ),
    *[
        (full_invoice(invoice_date=day), "period_closed", f"The accounting period of {day} is closed")
        for day in ("2026-01-31", "2025-11-30")
    ],
]
MEMO_RULES: list[tuple[Json, str, str]] = [
    (credit_memo(customer_id=UNKNOWN_ID), "customer_not_found", UNKNOWN_ID),
    (credit_memo(subsidiary_id=UNKNOWN_ID), "subsidiary_not_found", UNKNOWN_ID),
    (credit_memo(UNKNOWN_PRODUCT), "product_not_found", UNKNOWN_ID),
    (credit_memo(external_references=UNREGISTERED), *UNREGISTERED_TYPE),
    (credit_memo(credit_memo_date="2026-01-31"), "period_closed", "2026-01-31"),
    (credit_memo(full_item("0.00")), "credit_memo_total_not_positive", ""),
    (credit_memo(full_item("5.00"), full_item("-6.00")), "credit_memo_total_not_positive", ""),
]
PAYMENT_RULES: list[tuple[Json, str, str]] = [
    (payment(account_code="11000"), "not_a_cash_account", "11000"),
    (payment(currency="USD"), "currency_mismatch", "EUR, not USD"),
    (payment("100.01"), "overpayment", "exceeds the amount due of 100.00 EUR"),
    (payment(date="2026-01-31"), "period_closed", "2026-01-31"),
]
BROKEN_RULES = [
    *[("/invoices", *rule) for rule in INVOICE_RULES],
    *[("/credit-memos", *rule) for rule in MEMO_RULES],
    *[("/payments", *rule) for rule in PAYMENT_RULES],
]


def objects(rillet: Rillet) -> list[int]:
    books = rillet.organisation
    return [len(kind) for kind in (books.customers, books.products, books.invoices, books.credit_memos)]


@pytest.mark.parametrize(("path", "body", "field"), WRONG_FIELDS)
def test_a_wrong_field_is_refused_and_named(rillet: Rillet, path: str, body: Json, field: str) -> None:
    before = objects(rillet)

    response = rillet.post(path, body)

    problem = response.json()
    assert response.status_code == problem["status"] == 400
    assert fields_of(response) == [field]
    assert field in problem["detail"]
    assert objects(rillet) == before


def test_all_that_is_wrong_is_named_at_once(rillet: Rillet) -> None:
    fields = fields_of(rillet.post("/invoices", {"scope": "AR_ONLY", "items": [{}]}))

    assert {"customer_id", "invoice_date", "invoice_number", "items[0].total_amount"} <= set(fields)


def test_a_malformed_uuid_is_a_parse_error(rillet: Rillet) -> None:
    response = rillet.post("/invoices", full_invoice(customer_id="cust_1"))

    assert response.json()["detail"].endswith(": JSON parse error")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["amount", "date", "account_code"]),
        (payment("1"), ["amount"]),
        (payment("0.00"), ["amount"]),
        ({"amount": money("1.00"), "payment_date": "2026-03-09", "account_code": CASH}, ["date"]),
    ],
)
def test_a_wrong_payment_is_refused_and_its_fields_are_named(
    rillet: Rillet, body: Json, fields: list[str]
) -> None:
    response = rillet.post(f"/invoices/{rillet.invoice()['id']}/payments", body)

    assert fields_of(response) == fields
    assert response.json()["violations"][0]["message"].startswith("must ")


@pytest.mark.parametrize(("path", "body", "kind", "detail"), BROKEN_RULES)
def test_a_broken_rule_of_the_organisation_is_refused(
    rillet: Rillet, path: str, body: Json, kind: str, detail: str
) -> None:
    invoice = rillet.invoice()
    rillet.organisation.close_period("2026-01-01", "2026-01-31")
    before = objects(rillet)

    response = rillet.post(f"/invoices/{invoice['id']}/payments" if path == "/payments" else path, body)

    assert kind_of(response) == kind
    assert response.json()["type"].endswith(f"/exception/{kind}")
    assert detail in response.json()["detail"]
    assert objects(rillet) == before
    assert rillet.read(f"/invoices/{invoice['id']}") == invoice


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"name": NaN}'])
def test_a_body_that_is_not_a_json_object_is_a_parse_error(rillet: Rillet, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "X-Rillet-API-Version": "4"}
    headers["Content-Type"] = "application/json"

    response = requests.post(f"{rillet.fake.url}/customers", body, headers=headers, timeout=10)

    assert response.status_code == 400
    assert "JSON parse error" in response.json()["detail"]


def test_a_body_without_json_content_type_is_refused(rillet: Rillet) -> None:
    response = rillet.call("POST", "/customers", headers={"Content-Type": "text/plain"})

    assert response.status_code == 415
