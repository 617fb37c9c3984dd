"""The Solvimon fake's idempotency, faults, call log and controls; more of them in `test_both_fakes`."""

import pytest
import requests

from local.sample_data import invoice_id
from tests.fakes.solvimon.support import KEY, Solvimon
from tests.support.arrange import at_once

pytestmark = pytest.mark.slow

CUSTOMER = {"type": "ORGANIZATION", "reference": "kaap"}


def test_a_key_with_another_body_is_refused_again_and_again(solvimon: Solvimon) -> None:
    solvimon.post("/customers", CUSTOMER, key="k1")

    for _ in range(2):
        response = solvimon.post("/customers", CUSTOMER | {"reference": "other"}, key="k1")
        assert (response.status_code, response.json()["code"]) == (409, "IDEMPOTENCY_CHECK_FAILED")


def test_a_key_whose_first_request_still_runs_answers_422(solvimon: Solvimon) -> None:
    body = requests.Request("POST", "http://x/", json=CUSTOMER).prepare().body
    assert isinstance(body, bytes)
    solvimon.platform.idempotency.begin("k1", "POST", "/v1/customers?", body)

    response = solvimon.post("/customers", CUSTOMER, key="k1")

    assert (response.status_code, response.json()["code"]) == (422, "IDEMPOTENCY_CHECK_FAILED")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_of_a_bad_length_is_refused(solvimon: Solvimon, key: str) -> None:
    assert solvimon.post("/customers", CUSTOMER, key=key).status_code == 400


def test_many_at_once_with_one_key_make_one_customer(solvimon: Solvimon) -> None:
    before, statuses = solvimon.customers(), []

    def post() -> None:
        headers = {"X-API-KEY": KEY, "Idempotency-Key": "k1"}
        response = requests.post(f"{solvimon.fake.url}/customers", json=CUSTOMER, headers=headers, timeout=10)
        statuses.append(response.status_code)

    at_once(20, post)

    assert solvimon.customers() == before + 1
    assert set(statuses) <= {201, 422}


def test_an_error_can_have_headers_of_its_own(solvimon: Solvimon) -> None:
    headers = {"Transient-error": "true"}
    solvimon.state.misbehave("status", "POST", "/v1/customers", times=1, status=503, headers=headers)

    response = solvimon.post("/customers", CUSTOMER)

    assert (response.status_code, response.headers["Transient-error"]) == (503, "true")
    assert response.json()["code"] == "INTERNAL_ERROR"


def test_a_malformed_answer_is_no_json(solvimon: Solvimon) -> None:
    solvimon.state.misbehave("malformed", "GET", "/invoices/*", times=1)

    response = solvimon.call("GET", f"/invoices/{invoice_id('first')}", checked=False)

    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()


def test_the_call_log_counts_and_keeps_what_was_sent(solvimon: Solvimon) -> None:
    solvimon.get("/invoices", limit=3)
    solvimon.get(f"/invoices/{invoice_id('first')}")
    solvimon.post("/customers", CUSTOMER, key="k1")

    calls = solvimon.state.calls
    assert len(calls) == 3
    assert calls.count("GET", "/v1/invoices*") == 2
    assert calls.by_collection() == {"GET /v1/invoices": 2, "POST /v1/customers": 1}
    last = calls.find("POST")[0]
    assert (last.status, last.idempotency_key, last.api_key) == (201, "k1", KEY)
    assert b"kaap" in last.body


def test_a_fault_of_the_fake_itself_is_a_500(solvimon: Solvimon, caplog: pytest.LogCaptureFixture) -> None:
    del solvimon.platform.records["invoices"][invoice_id("first")]["invoice_date"]

    response = solvimon.get("/invoices", invoice_date="[2026-10-01T00:00:00Z,2026-10-31T00:00:00Z]")

    assert (response.status_code, response.json()["type"]) == (500, "API_ERROR")
    assert response.headers["Idempotency-Retryable"] == "true"
    assert "the fake broke" in caplog.text


def test_a_method_the_api_does_not_have_is_refused(solvimon: Solvimon) -> None:
    assert solvimon.call("DELETE", "/invoices").json()["code"] == "INVALID_OPERATION"
