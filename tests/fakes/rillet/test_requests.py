"""Access and master data of the Rillet fake."""

import pytest
import requests

from local.clock import Clock
from tests.fakes.rillet.support import (
    CUSTOMER,
    KEY,
    SECOND_SUBSIDIARY,
    SUBSIDIARY,
    UNKNOWN_ID,
    Rillet,
    full_invoice,
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
