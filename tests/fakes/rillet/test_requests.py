"""Access to the Rillet fake, its own controls, and its master data: customers and products among them."""

import pytest
import requests

from local.clock import Clock
from tests.fakes.rillet.every_operation import PRICES
from tests.fakes.rillet.support import (
    ADDRESS,
    CUSTOMER,
    KEY,
    ONE_TIME_PRODUCT,
    PRODUCT,
    SECOND_SUBSIDIARY,
    SUBSIDIARY,
    UNKNOWN_ID,
    Json,
    Rillet,
    full_invoice,
    money,
    names,
    reference,
)


def test_a_clock_moves_with_real_time_and_can_be_advanced_but_not_turned_back() -> None:
    clock = Clock()
    before = clock.now()

    clock.advance(3600)

    assert 3600 <= clock.now() - before < 3660
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


@pytest.mark.parametrize("authorization", [None, "Bearer unknown", f"Basic {KEY}", "Bearer ", "Bearer"])
def test_a_call_without_a_known_bearer_key_is_unauthorised(rillet: Rillet, authorization: str | None) -> None:
    headers = {"X-Rillet-API-Version": "4"} | ({"Authorization": authorization} if authorization else {})

    response = requests.get(f"{rillet.fake.url}/api-key", headers=headers, timeout=10)

    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["title"] == "Unauthorized"


def test_a_revoked_key_is_unauthorised(rillet: Rillet) -> None:
    rillet.state.revoke(KEY)

    assert rillet.get("/api-key").status_code == 401


def test_a_read_only_key_reads_but_does_not_write(rillet: Rillet) -> None:
    read = rillet.call("GET", "/customers", api_key="read-only-key")
    written = rillet.call("POST", "/customers", {"name": "New"}, api_key="read-only-key")

    assert read.status_code == 200
    assert written.status_code == 403
    assert written.json()["detail"] == "User does not have rights to perform this operation."
    assert len(rillet.organisation.customers) == 1


@pytest.mark.parametrize("version", [None, "3", "v4"])
def test_a_missing_or_other_api_version_is_refused(rillet: Rillet, version: str | None) -> None:
    headers = {"Authorization": f"Bearer {KEY}"} | ({"X-Rillet-API-Version": version} if version else {})

    response = requests.get(f"{rillet.fake.url}/customers", headers=headers, timeout=10)

    assert response.status_code == 400
    assert "X-Rillet-API-Version" in response.json()["detail"]


def test_the_health_probe_needs_no_key_and_no_place_in_the_rate_limit(rillet: Rillet) -> None:
    rillet.state.rate_limit = 0

    assert requests.get(f"{rillet.fake.url}/health", timeout=10).status_code == 200


def test_an_unknown_path_and_a_wrong_method_are_problem_documents(rillet: Rillet) -> None:
    assert rillet.get("/no-such-thing").json()["title"] == "Not Found"
    assert rillet.call("PATCH", "/customers").status_code == 405


def test_the_organisation_and_its_subsidiaries_can_be_read(rillet: Rillet) -> None:
    organisation = rillet.read("/organizations/self")
    subsidiaries = rillet.read("/subsidiaries")["subsidiaries"]

    assert organisation["trade_name"] == "Acme"
    assert rillet.read("/api-key")["organization_id"] == organisation["id"]
    assert [subsidiary["id"] for subsidiary in subsidiaries] == [SUBSIDIARY, SECOND_SUBSIDIARY]
    assert rillet.read(f"/subsidiaries/{SUBSIDIARY}") == subsidiaries[0]
    assert rillet.get(f"/subsidiaries/{UNKNOWN_ID}").status_code == 404


def test_two_organisations_share_nothing(rillet: Rillet) -> None:
    other = rillet.state.add_organisation(api_key="other", trade_name="Other", currency="JPY")

    seen = rillet.call("GET", "/customers", api_key="other").json()["customers"]
    refused = rillet.call("POST", "/invoices", full_invoice(), api_key="other")

    assert rillet.state.organisation("other") is other
    assert seen == []
    assert rillet.call("GET", f"/customers/{CUSTOMER}", api_key="other").status_code == 404
    assert "Customer does not exist" in refused.json()["detail"]
    assert [subsidiary.document["currency"] for subsidiary in other.subsidiaries] == ["JPY"]


def test_the_last_closed_period_is_a_404_until_one_was_closed(rillet: Rillet) -> None:
    before = rillet.get("/books/periods/last-closed")
    rillet.organisation.close_period("2026-01-01", "2026-01-31", closed_on="2026-02-05")
    rillet.organisation.close_period("2025-12-01", "2025-12-31")

    after = rillet.read("/books/periods/last-closed")

    assert before.status_code == 404
    assert (after["start"], after["end"], after["closed_on"]) == ("2026-01-01", "2026-01-31", "2026-02-05")


def test_tax_rates_are_filtered_by_country_and_accounts_and_fields_are_listed(rillet: Rillet) -> None:
    rates = rillet.read("/tax-rates", country="DE")["tax_rates"]

    assert [rate["code"] for rate in rates] == ["DE_STANDARD"]
    assert rillet.read("/accounts")["accounts"][0]["type"] == "ASSET"
    assert rillet.read("/fields") == {"fields": []}


def test_faults_are_put_in_force_and_removed(rillet: Rillet) -> None:
    rillet.state.misbehave("status", "GET", "/customers", times=2, status=500)

    shown = rillet.state.faults.describe()
    status = rillet.get("/customers").status_code
    rillet.state.behave()

    assert shown == [{"kind": "status", "method": "GET", "path": "/customers", "remaining": 2}]
    assert status == 500
    assert rillet.get("/customers").status_code == 200


def test_the_rate_limit_can_be_changed_and_refusals_are_counted(rillet: Rillet) -> None:
    rillet.state.rate_limit, rillet.state.rate_window = 1, 10

    statuses = [rillet.get("/api-key").status_code for _ in range(2)]

    counts = rillet.organisation.counts
    assert statuses == [200, 429]
    assert (counts.calls, counts.refused, counts.replays) == (2, 1, 0)


def test_a_reset_removes_everything(rillet: Rillet) -> None:
    rillet.state.misbehave("down")

    rillet.state.reset()

    assert rillet.get("/customers").status_code == 401


def test_a_load_for_a_known_organisation_adds_to_it(rillet: Rillet) -> None:
    seed = {
        "organization": {"id": rillet.organisation.id, "switches": {"full_scope_number": "kept"}},
        "customers": [{"name": "Carol"}],
    }

    rillet.state.load(seed)

    assert len(rillet.organisation.customers) == 2
    assert len(rillet.organisation.subsidiaries) == 2
    assert rillet.organisation.switches.full_scope_number == "kept"


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
    assert rillet.announced() == ["customer-updated"]


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
