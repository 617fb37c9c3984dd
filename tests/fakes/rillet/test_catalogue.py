"""Customers and products of the Rillet fake."""

import pytest

from tests.fakes.rillet.every_operation import PRICES
from tests.fakes.rillet.support import (
    ADDRESS,
    CUSTOMER,
    ONE_TIME_PRODUCT,
    PRODUCT,
    UNKNOWN_ID,
    Json,
    Rillet,
    money,
    names,
    reference,
)


def test_a_customer_is_created_read_and_deleted(rillet: Rillet) -> None:
    sent: Json = {
        "name": "Carol",
        "address": ADDRESS,
        "emails": [{"email": "carol@example.com", "type": "MAIN_SENDER"}],
        "external_references": [reference("cust_1", "solvimon_customer_id")],
        "payment_terms": 30,
    }

    created = rillet.create("/customers", sent | {"vat_number": "NL123"})
    path = f"/customers/{created['id']}"
    read, deleted = rillet.read(path), rillet.delete(path)

    assert read == created
    assert sent.items() <= created.items()
    assert "vat_number" not in created
    assert created["send_invoices_automatically"] is False
    assert created["updated_at"] == "2026-03-10T12:00:00.000000Z"
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert rillet.get(path).status_code == 404


def test_replacing_a_customer_clears_everything_the_body_leaves_out(rillet: Rillet) -> None:
    whole = {
        "name": "Carol",
        "name_on_invoice": "Carol Ltd",
        "address": ADDRESS,
        "shipping_address": ADDRESS,
        "emails": [{"email": "c@example.com", "type": "CC"}],
        "external_references": [reference("7", "solvimon_customer_id")],
        "payment_terms": 30,
        "send_payment_reminders": True,
        "fields": [{"field_id": UNKNOWN_ID, "field_value_id": UNKNOWN_ID}],
    }
    customer = rillet.create("/customers", whole)
    rillet.clock.advance(5)

    replaced = rillet.put(f"/customers/{customer['id']}", {"name": "Carol"}).json()

    assert customer.items() >= whole.items()
    assert replaced == {
        "id": customer["id"],
        "name": "Carol",
        "emails": [],
        "external_references": [],
        "send_invoices_automatically": False,
        "send_payment_reminders": False,
        "updated_at": "2026-03-10T12:00:05.000000Z",
    }


def test_users_change_one_field_of_a_customer(rillet: Rillet) -> None:
    edited = rillet.organisation.edit_customer(CUSTOMER, payment_terms=60, address=None)

    assert (edited["name"], edited["payment_terms"], "address" in edited) == ("Bob Industries", 60, False)
    assert [event.name for event in rillet.organisation.announced()] == ["customer-updated"]


def test_a_customer_with_open_invoices_is_not_deleted(rillet: Rillet) -> None:
    rillet.invoice()

    assert rillet.delete(f"/customers/{CUSTOMER}").status_code == 400


def test_products_are_created_replaced_and_filtered(rillet: Rillet) -> None:
    created = rillet.create("/products", ONE_TIME_PRODUCT)
    inactive = ONE_TIME_PRODUCT | {"status": "INACTIVE", "name": "Old"}

    replaced = rillet.put(f"/products/{created['id']}", inactive).json()

    assert created["price"]["amount"] == money("12.3456", "USD")
    assert created["status"] == "ACTIVE"
    assert "updated_at" not in created
    assert rillet.read(f"/products/{created['id']}") == replaced
    assert names(rillet.get("/products", status="INACTIVE"), "products") == ["Old"]
    assert names(rillet.get("/products", currency="EUR"), "products") == ["Seats"]


@pytest.mark.parametrize("price", PRICES)
def test_every_kind_of_price_is_kept_as_sent(rillet: Rillet, price: Json) -> None:
    assert rillet.create("/products", ONE_TIME_PRODUCT | {"price": price})["price"] == price


def test_a_product_that_does_not_exist_is_not_found(rillet: Rillet) -> None:
    assert rillet.get(f"/products/{UNKNOWN_ID}").status_code == 404
    assert rillet.put(f"/products/{UNKNOWN_ID}", ONE_TIME_PRODUCT).status_code == 404
    assert rillet.get(f"/products/{PRODUCT}").status_code == 200
