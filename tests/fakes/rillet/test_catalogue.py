"""Customers and products of the Rillet fake."""

import pytest
import requests

from tests.fakes.rillet.support import (
    ADDRESS,
    CUSTOMER,
    KEY,
    PRODUCT,
    UNKNOWN_ID,
    Json,
    Rillet,
    fields_of,
    full_invoice,
    money,
    names,
    reference,
)

ONE_TIME_PRODUCT = {
    "name": "Set-up",
    "description": "Once",
    "price": {"type": "ONE_TIME", "amount": money("12.3456", "USD")},
    "include_in_arr_mrr": False,
    "revenue_pattern": "EVEN_PERIOD",
    "account_code": "40000",
}


def test_a_customer_is_created_read_and_deleted(rillet: Rillet) -> None:
    wanted: Json = {
        "name": "Carol",
        "address": ADDRESS,
        "emails": [{"email": "carol@example.com", "type": "MAIN_SENDER"}],
        "external_references": [reference("cust_1", "solvimon_customer_id")],
        "payment_terms": 30,
    }

    created = rillet.create("/customers", wanted)
    read = rillet.get(f"/customers/{created['id']}").json()
    deleted = rillet.call("DELETE", f"/customers/{created['id']}")

    assert read == created
    assert wanted.items() <= created.items()
    assert created["send_invoices_automatically"] is False
    assert created["updated_at"] == "2026-03-10T12:00:00.000000Z"
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert rillet.get(f"/customers/{created['id']}").status_code == 404


def test_a_customer_put_wipes_what_it_leaves_out(rillet: Rillet) -> None:
    rillet.clock.advance(5)

    replaced = rillet.call("PUT", f"/customers/{CUSTOMER}", {"name": "Bob"}).json()

    assert replaced["name"] == "Bob"
    assert "address" not in replaced
    assert replaced["updated_at"] == "2026-03-10T12:00:05.000000Z"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "  "}, "name"),
        ({"name": 5}, "name"),
        ({"name": "Bob", "address": {**ADDRESS, "state": None}}, "address.state"),
        ({"name": "Bob", "address": {**ADDRESS, "country": "NLD"}}, "address.country"),
        ({"name": "Bob", "shipping_address": {"line1": "x"}}, "shipping_address.city"),
        ({"name": "Bob", "emails": [{"email": "b@example.com", "type": "TO"}]}, "emails[0].type"),
        ({"name": "Bob", "emails": [{"email": "b@example.com", "type": "CC"}] * 2}, "emails"),
        ({"name": "Bob", "payment_terms": -1}, "payment_terms"),
        ({"name": "Bob", "send_payment_reminders": "no"}, "send_payment_reminders"),
        (
            {"name": "Bob", "external_references": [{"type": "solvimon_customer_id"}]},
            "external_references[0].id",
        ),
        ({"name": "Bob", "fields": [{"field_id": "x", "field_value_id": UNKNOWN_ID}]}, "fields[0].field_id"),
    ],
)
def test_a_wrong_customer_is_refused_and_the_field_is_named(rillet: Rillet, body: Json, field: str) -> None:
    response = rillet.post("/customers", body)

    problem = response.json()
    assert response.status_code == problem["status"] == 400
    assert field in [violation["field"] for violation in problem["violations"]]
    assert field in problem["detail"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"name": NaN}'])
def test_a_body_that_is_not_a_json_object_is_a_parse_error(rillet: Rillet, body: bytes) -> None:
    headers = {
        "Authorization": f"Bearer {KEY}",
        "X-Rillet-API-Version": "4",
        "Content-Type": "application/json",
    }

    response = requests.post(f"{rillet.fake.url}/customers", body, headers=headers, timeout=10)

    assert response.status_code == 400
    assert "JSON parse error" in response.json()["detail"]


def test_a_body_without_json_content_type_is_refused(rillet: Rillet) -> None:
    response = rillet.call("POST", "/customers", headers={"Content-Type": "text/plain"})

    assert response.status_code == 415


def test_unknown_fields_are_dropped_without_a_word(rillet: Rillet) -> None:
    created = rillet.create("/customers", {"name": "Bob", "vat_number": "NL123"})

    assert "vat_number" not in created


def test_a_customer_with_open_invoices_is_not_deleted(rillet: Rillet) -> None:
    rillet.create("/invoices", full_invoice())

    assert rillet.call("DELETE", f"/customers/{CUSTOMER}").status_code == 400


def test_products_are_created_replaced_and_filtered(rillet: Rillet) -> None:
    created = rillet.create("/products", ONE_TIME_PRODUCT)
    inactive = ONE_TIME_PRODUCT | {"status": "INACTIVE", "name": "Old"}

    replaced = rillet.call("PUT", f"/products/{created['id']}", inactive).json()

    assert created["price"]["amount"] == money("12.3456", "USD")
    assert created["status"] == "ACTIVE"
    assert "updated_at" not in created
    assert rillet.get(f"/products/{created['id']}").json() == replaced
    assert names(rillet.get("/products", status="INACTIVE"), "products") == ["Old"]
    assert names(rillet.get("/products", currency="EUR"), "products") == ["Seats"]


@pytest.mark.parametrize(
    "price",
    [
        {"type": "FIXED_RECURRING", "amount": money("1"), "interval_months": 12},
        {
            "type": "USAGE",
            "interval_months": 1,
            "billing_scheme": {"type": "PER_UNIT", "amount": money("0.001"), "units": 1},
        },
        {
            "type": "USAGE",
            "interval_months": 1,
            "billing_scheme": {
                "type": "TIERED",
                "mode": "GRADUATED",
                "tiers": [
                    {"up_to": 10, "flat_price": money("5")},
                    {"up_to": 99, "per_unit_price": money("1")},
                ],
            },
        },
    ],
)
def test_every_kind_of_price_is_kept_as_sent(rillet: Rillet, price: Json) -> None:
    assert rillet.create("/products", ONE_TIME_PRODUCT | {"price": price})["price"] == price


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "x" * 251}, "name"),
        ({"name": ""}, "name"),
        ({"description": None}, "description"),
        ({"account_code": None}, "account_code"),
        ({"revenue_pattern": "MONTHLY"}, "revenue_pattern"),
        ({"include_in_arr_mrr": None}, "include_in_arr_mrr"),
        ({"price": None}, "price"),
        ({"price": {"type": "ONE_TIME"}}, "price.amount"),
        (
            {"price": {"type": "FIXED_RECURRING", "amount": money("1"), "interval_months": 13}},
            "price.interval_months",
        ),
        ({"price": {"type": "USAGE", "interval_months": 1}}, "price.billing_scheme"),
    ],
)
def test_a_wrong_product_is_refused_and_the_field_is_named(rillet: Rillet, change: Json, field: str) -> None:
    response = rillet.post("/products", ONE_TIME_PRODUCT | change)

    assert response.status_code == 400
    assert field in fields_of(response)


def test_a_product_that_does_not_exist_is_not_found(rillet: Rillet) -> None:
    assert rillet.get(f"/products/{UNKNOWN_ID}").status_code == 404
    assert rillet.call("PUT", f"/products/{UNKNOWN_ID}", ONE_TIME_PRODUCT).status_code == 404
    assert rillet.get(f"/products/{PRODUCT}").status_code == 200
