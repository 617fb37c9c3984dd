"""Misbehaviours and controls of the Rillet fake."""

from collections.abc import Iterator

import pytest
import requests

from tests.fakes.rillet.support import KEY, SEED, Json, Rillet, full_invoice, invoices, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running() -> Iterator[Rillet]:
    with Rillet() as rillet:
        yield rillet


@pytest.fixture
def rillet(running: Rillet) -> Rillet:
    return running.renew()


def test_commit_then_drop_keeps_the_invoice_and_hangs_up(rillet: Rillet) -> None:
    rillet.state.misbehave("commit_then_drop")

    with pytest.raises(requests.ConnectionError):
        rillet.post("/invoices", full_invoice(), key="k1")
    replay = rillet.post("/invoices", full_invoice(), key="k1")

    dropped, answered = rillet.state.calls
    assert invoices(rillet) == 1
    assert (dropped.status, dropped.fault) == (None, "commit_then_drop")
    assert dropped.response_body["id"] == replay.json()["id"]
    assert answered.replayed


def test_commit_then_drop_waits_for_a_call_that_succeeds(rillet: Rillet) -> None:
    rillet.state.misbehave("commit_then_drop")

    refused = rillet.post("/invoices", {})
    with pytest.raises(requests.ConnectionError):
        rillet.post("/invoices", full_invoice())

    assert refused.status_code == 400
    assert invoices(rillet) == 1


def test_drop_hangs_up_without_doing_anything(rillet: Rillet) -> None:
    rillet.state.misbehave("drop", times=2)

    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            rillet.post("/invoices", full_invoice())
    accepted = rillet.post("/invoices", full_invoice())

    assert accepted.status_code == 200
    assert invoices(rillet) == 1


def test_an_ordered_status_is_answered_before_anything_is_done(rillet: Rillet) -> None:
    rillet.state.misbehave("status", status=502, body="<html>Bad gateway</html>")
    rillet.state.misbehave("status", status=400, body={"type": "about:blank", "title": "No"})
    rillet.state.misbehave("status", status=500)
    rillet.state.misbehave("status", status=429)

    answers = [rillet.post("/invoices", full_invoice()) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [502, 400, 500, 429]
    assert answers[0].text == "<html>Bad gateway</html>"
    assert answers[1].json()["title"] == "No"
    assert answers[2].json()["title"] == "Internal Server Error"
    assert answers[3].content == b""
    assert invoices(rillet) == 0


def test_status_after_keeps_the_invoice_and_the_replay_tells(rillet: Rillet) -> None:
    rillet.state.misbehave("status_after", status=504)

    failed = rillet.post("/invoices", full_invoice(), key="k1")
    replay = rillet.post("/invoices", full_invoice(), key="k1")

    assert (failed.status_code, replay.status_code) == (504, 200)
    assert invoices(rillet) == 1


def test_a_malformed_answer_is_broken_json_with_code_200(rillet: Rillet) -> None:
    rillet.state.misbehave("malformed")

    response = rillet.post("/invoices", full_invoice())

    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert invoices(rillet) == 1


def test_a_delayed_call_is_executed_although_the_caller_gave_up(rillet: Rillet) -> None:
    rillet.state.misbehave("delay", seconds=30)

    with pytest.raises(requests.ReadTimeout):
        rillet.call("POST", "/invoices", full_invoice(), timeout=0.05)
    before = invoices(rillet)
    rillet.state.behave()
    wait_until(lambda: rillet.state.calls[0].status is not None)

    assert before == 0
    assert invoices(rillet) == 1


def test_down_is_503_for_everything_until_cleared(rillet: Rillet) -> None:
    rillet.state.misbehave("down")

    down = [rillet.get("/health").status_code, rillet.post("/invoices", full_invoice()).status_code]
    rillet.state.behave()

    assert down == [503, 503]
    assert rillet.post("/invoices", full_invoice()).status_code == 200


def test_a_misbehaviour_concerns_only_its_method_and_path(rillet: Rillet) -> None:
    rillet.state.misbehave("status", method="get", path="/customers", times=0)

    statuses = [
        rillet.get(path).status_code for path in ("/customers", "/products", "/customers/x", "/customers")
    ]
    created = rillet.post("/customers", {"name": "A"}).status_code

    assert statuses == [500, 200, 500, 500]
    assert created == 200


def test_a_misbehaviour_that_does_not_exist_is_refused(rillet: Rillet) -> None:
    with pytest.raises(ValueError, match="not one of"):
        rillet.state.misbehave("explode")


def admin(rillet: Rillet, method: str, path: str, body: object = None) -> Json:
    """Use the fake's own controls, without key and version."""
    response = requests.request(method, f"{rillet.fake.url}/_fake/{path}", json=body, timeout=10)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def test_misbehaviours_can_be_ordered_and_taken_back_over_http(rillet: Rillet) -> None:
    order = {"kind": "status", "method": "GET", "path": "/customers", "times": 2, "status": 500}

    ordered = admin(rillet, "POST", "misbehave", order)
    status = rillet.get("/customers").status_code
    admin(rillet, "POST", "behave")

    assert ordered["faults"] == [{"kind": "status", "method": "GET", "path": "/customers", "remaining": 2}]
    assert status == 500
    assert rillet.get("/customers").status_code == 200


@pytest.mark.parametrize("order", [{"kind": "explode"}, {"kind": "drop", "path": "/", "loud": True}, [], {}])
def test_a_wrong_order_over_http_is_refused(rillet: Rillet, order: object) -> None:
    response = requests.post(f"{rillet.fake.url}/_fake/misbehave", json=order, timeout=10)

    assert response.status_code == 400


def test_the_rate_can_be_changed_over_http_and_the_controls_are_free_of_it(rillet: Rillet) -> None:
    answer = admin(rillet, "POST", "rate", {"limit": 1, "window": 10})

    statuses = [rillet.get("/api-key").status_code for _ in range(2)]

    assert answer == {"limit": 1, "window": 10.0}
    assert statuses == [200, 429]
    assert admin(rillet, "GET", "state")["organizations"][0]["counts"]["refused"] == 1


def test_a_reset_forgets_everything_and_a_load_fills_again(rillet: Rillet) -> None:
    rillet.post("/customers", {"name": "A"}, key="k1")
    admin(rillet, "POST", "misbehave", {"kind": "down"})
    admin(rillet, "POST", "reset")

    unknown = rillet.get("/customers").status_code
    loaded = admin(rillet, "POST", "load", SEED)
    customers = rillet.get("/customers").json()["customers"]

    assert unknown == 401
    assert loaded["organization_id"] == rillet.state.organisation(KEY).id
    assert [customer["name"] for customer in customers] == ["Bob Industries"]


def test_a_load_for_a_known_organisation_adds_to_it(rillet: Rillet) -> None:
    seed = {
        "organization": {"id": rillet.organisation.id, "switches": {"full_scope_number": "kept"}},
        "customers": [{"name": "Carol"}],
    }

    admin(rillet, "POST", "load", seed)

    assert len(rillet.organisation.customers) == 2
    assert len(rillet.organisation.subsidiaries) == 2
    assert rillet.organisation.switches.full_scope_number == "kept"


def test_a_seed_that_cannot_be_used_is_refused(rillet: Rillet) -> None:
    seed = {"organization": {"switches": {"colour": "blue"}}}

    response = requests.post(f"{rillet.fake.url}/_fake/load", json=seed, timeout=10)

    assert response.status_code == 400
    assert "colour" in response.json()["detail"]


def test_the_state_over_http_shows_counts_and_objects(rillet: Rillet) -> None:
    created = rillet.create("/invoices", full_invoice())

    shown = admin(rillet, "GET", "state")

    organisation = shown["organizations"][0]
    assert (shown["calls"], shown["replays"]) == (1, 0)
    assert organisation["invoices"] == [created]
    assert organisation["counts"] == {"calls": 1, "refused": 0, "replays": 0}
    assert KEY not in str(shown)
