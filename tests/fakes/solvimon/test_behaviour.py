"""The Solvimon fake's idempotency, misbehaviours, call log and controls."""

import threading
import time
from collections.abc import Iterator

import pytest
import requests

from local.fake_solvimon import FakeSolvimon
from local.sample_data import invoice_id, solvimon_seed
from tests.fakes.solvimon.support import KEY, OTHER_KEY, Json, Solvimon

pytestmark = pytest.mark.slow

CUSTOMER = {"type": "ORGANIZATION", "reference": "kaap"}
HOUR = 3600


@pytest.fixture(scope="module")
def running() -> Iterator[Solvimon]:
    solvimon = Solvimon()
    with solvimon.fake:
        yield solvimon


@pytest.fixture
def solvimon(running: Solvimon) -> Solvimon:
    return running.renew()


def customers(solvimon: Solvimon) -> int:
    return len(solvimon.platform.records["customers"])


def test_a_reused_idempotency_key_replays_the_first_answer(solvimon: Solvimon) -> None:
    before = customers(solvimon)

    first = solvimon.post("/customers", CUSTOMER, key="k1")
    again = solvimon.post("/customers", CUSTOMER, key="k1")

    assert again.json() == first.json()
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert customers(solvimon) == before + 1


def test_a_key_with_another_body_is_refused_again_and_again(solvimon: Solvimon) -> None:
    solvimon.post("/customers", CUSTOMER, key="k1")

    for _ in range(2):
        response = solvimon.post("/customers", CUSTOMER | {"reference": "other"}, key="k1")
        assert (response.status_code, response.json()["code"]) == (409, "IDEMPOTENCY_CHECK_FAILED")


def test_a_refused_request_can_be_corrected_under_its_key(solvimon: Solvimon) -> None:
    refused = solvimon.post("/customers", {"reference": "kaap"}, key="k1")
    corrected = solvimon.post("/customers", CUSTOMER, key="k1")

    assert (refused.status_code, corrected.status_code) == (400, 201)


def test_a_key_is_forgotten_after_48_hours(solvimon: Solvimon) -> None:
    solvimon.post("/customers", CUSTOMER, key="k1")

    solvimon.clock.advance(48 * HOUR - 1)
    kept = solvimon.post("/customers", CUSTOMER, key="k1")
    solvimon.clock.advance(1)
    forgotten = solvimon.post("/customers", CUSTOMER, key="k1")

    assert kept.headers["Idempotent-Replayed"] == "true"
    assert (forgotten.status_code, forgotten.json()["code"]) == (409, "RESOURCE_ALREADY_EXISTS")


def test_a_key_whose_first_request_still_runs_answers_422(solvimon: Solvimon) -> None:
    body = requests.Request("POST", "http://x/", json=CUSTOMER).prepare().body
    assert isinstance(body, bytes)
    solvimon.platform.idempotency.begin("k1", "POST", "/v1/customers?", body)

    response = solvimon.post("/customers", CUSTOMER, key="k1")

    assert (response.status_code, response.json()["code"]) == (422, "IDEMPOTENCY_CHECK_FAILED")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_of_a_bad_length_is_refused(solvimon: Solvimon, key: str) -> None:
    assert solvimon.post("/customers", CUSTOMER, key=key).status_code == 400


def test_keys_belong_to_one_platform(solvimon: Solvimon) -> None:
    solvimon.state.add_platform(OTHER_KEY)
    solvimon.post("/customers", CUSTOMER, key="k1")

    elsewhere = solvimon.call("POST", "/customers", CUSTOMER, key="k1", api_key=OTHER_KEY)

    assert "Idempotent-Replayed" not in elsewhere.headers


def test_many_at_once_with_one_key_make_one_customer(solvimon: Solvimon) -> None:
    before, statuses = customers(solvimon), []

    def post() -> None:
        headers = {"X-API-KEY": KEY, "Idempotency-Key": "k1"}
        response = requests.post(f"{solvimon.fake.url}/customers", json=CUSTOMER, headers=headers, timeout=10)
        statuses.append(response.status_code)

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert customers(solvimon) == before + 1
    assert set(statuses) <= {201, 422}


@pytest.mark.parametrize(("kind", "made"), [("drop", 0), ("commit_then_drop", 1)])
def test_a_dropped_connection_is_a_connection_error(solvimon: Solvimon, kind: str, made: int) -> None:
    before = customers(solvimon)
    solvimon.state.misbehave(kind, "POST", "/customers", times=1)  # type: ignore[arg-type]

    with pytest.raises(requests.ConnectionError):
        solvimon.post("/customers", CUSTOMER)

    assert customers(solvimon) == before + made
    assert solvimon.state.calls[-1].status is None
    assert solvimon.get("/customers/waddenveer").status_code == 200


def test_a_retry_after_a_dropped_answer_replays_it(solvimon: Solvimon) -> None:
    before = customers(solvimon)
    solvimon.state.misbehave("commit_then_drop", "POST", "/customers", times=1)
    with pytest.raises(requests.ConnectionError):
        solvimon.post("/customers", CUSTOMER, key="k1")

    again = solvimon.post("/customers", CUSTOMER, key="k1")

    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert customers(solvimon) == before + 1


@pytest.mark.parametrize(("kind", "made"), [("status", 0), ("status_after", 1)])
def test_an_error_can_come_with_or_without_the_effect(solvimon: Solvimon, kind: str, made: int) -> None:
    before = customers(solvimon)
    solvimon.state.misbehave(
        kind,  # type: ignore[arg-type]
        "POST",
        "/v1/customers",
        times=1,
        status=503,
        headers={"Transient-error": "true"},
    )

    response = solvimon.post("/customers", CUSTOMER)

    assert (response.status_code, response.headers["Transient-error"]) == (503, "true")
    assert response.json()["code"] == "INTERNAL_ERROR"
    assert customers(solvimon) == before + made


def test_kinds_that_act_first_wait_for_a_request_that_succeeds(solvimon: Solvimon) -> None:
    solvimon.state.misbehave("status_after", "POST", "/customers", times=1, status=500)

    refused = solvimon.post("/customers", {"reference": "kaap"})
    spoiled = solvimon.post("/customers", CUSTOMER)

    assert (refused.status_code, spoiled.status_code) == (400, 500)


def test_a_malformed_answer_is_no_json(solvimon: Solvimon) -> None:
    solvimon.state.misbehave("malformed", "GET", "/invoices/*", times=1)

    response = solvimon.call("GET", f"/invoices/{invoice_id('first')}", checked=False)

    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()


def test_a_delay_outlasts_the_callers_patience_and_ends_when_told(solvimon: Solvimon) -> None:
    solvimon.state.misbehave("delay", "GET", "/invoices", seconds=30)

    started = time.monotonic()
    with pytest.raises(requests.Timeout):
        solvimon.call("GET", "/invoices", timeout=0.05)
    solvimon.state.behave()

    assert solvimon.get("/invoices").status_code == 200
    assert time.monotonic() - started < 5


def test_down_is_503_everywhere_until_told_to_behave(solvimon: Solvimon) -> None:
    solvimon.state.misbehave("down")

    assert {solvimon.get(path).status_code for path in ("/invoices", "/customers", "/products")} == {503}
    solvimon.state.behave()
    assert solvimon.get("/invoices").status_code == 200


def test_misbehaviour_meets_only_its_method_and_path_and_only_so_often(solvimon: Solvimon) -> None:
    solvimon.state.misbehave("status", "PATCH", "/invoices", times=1, status=500)
    path = f"/invoices/{invoice_id('first')}"

    statuses = [
        solvimon.get(path).status_code,
        solvimon.patch("/customers/waddenveer", {"locale": "nl-NL"}).status_code,
        solvimon.patch(path, {"notes": []}).status_code,
        solvimon.patch(path, {"notes": []}).status_code,
    ]

    assert statuses == [200, 200, 500, 200]
    with pytest.raises(ValueError, match="not one of"):
        solvimon.state.misbehave("explode")  # type: ignore[arg-type]


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


def test_the_controls_do_over_http_what_the_state_does(solvimon: Solvimon) -> None:
    seed: Json = {"invoices": solvimon_seed()["invoices"][:1]}
    assert solvimon.admin("reset").status_code == 200
    assert solvimon.admin("load", {"api_key": OTHER_KEY, "seed": seed}).status_code == 200
    assert solvimon.admin("load", {"api_key": OTHER_KEY}).status_code == 400
    assert solvimon.admin("load", {}).status_code == 400
    assert solvimon.admin("misbehave", {"kind": "drop", "method": "GET", "times": 1}).status_code == 200
    assert solvimon.admin("misbehave", {"kind": "explode"}).status_code == 400
    with pytest.raises(requests.ConnectionError):
        solvimon.call("GET", "/invoices", api_key=OTHER_KEY)
    assert solvimon.admin("misbehave", {"kind": "down"}).status_code == 200
    assert solvimon.admin("behave").status_code == 200

    final = solvimon.admin("finalise", {"invoice_id": invoice_id("first")}).json()

    assert final["invoice_number"] == "INV-2026-11-000001"
    assert solvimon.admin("finalise", {"invoice_id": "invo_none", "api_key": OTHER_KEY}).status_code == 404
    assert solvimon.admin("finalise", {"api_key": "wrong"}).json()["code"] == "PLATFORM_NOT_FOUND"
    state = solvimon.admin("state").json()
    assert state["calls"] == {"total": 1, "by_collection": {"GET /v1/invoices": 1}}
    assert state["platforms"][0]["records"]["invoices"] == 1


def test_a_fake_can_stop_and_serve_again_on_its_port_with_its_state() -> None:
    fake = FakeSolvimon()
    fake.state.add_platform(KEY, solvimon_seed())
    port = int(fake.start().origin.rsplit(":", 1)[1])
    fake.stop()

    with pytest.raises(RuntimeError, match="not started"):
        _ = fake.url
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/v1/invoices", timeout=5)
    fake.start(port)
    answer = requests.get(f"{fake.url}/invoices", headers={"X-API-KEY": KEY}, timeout=5)
    fake.stop()

    assert answer.status_code == 200
