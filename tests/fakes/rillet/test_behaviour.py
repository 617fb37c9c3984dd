"""Rate limit, idempotency, faults and call log of the Rillet fake; more of them in `test_both_fakes`."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local.fake_rillet import FakeRillet
from tests.fakes.rillet.support import (
    KEY,
    Rillet,
    credit_memo,
    full_invoice,
    full_item,
    payment,
)
from tests.fakes.support import wait_until

pytestmark = pytest.mark.slow


def test_the_rate_limit_is_a_rolling_window_with_a_bare_429(rillet: Rillet) -> None:
    rillet.state.rate_limit, rillet.state.rate_window = 3, 60
    first = rillet.get("/api-key").status_code
    rillet.clock.advance(30)
    others = [rillet.get("/api-key").status_code for _ in range(2)]
    refused = rillet.get("/api-key")
    rillet.clock.advance(30)

    again = [rillet.get("/api-key").status_code for _ in range(2)]

    assert [first, *others] == [200, 200, 200]
    assert (refused.status_code, refused.content) == (429, b"")
    assert not [name for name in refused.headers if name.lower().startswith(("retry", "x-rate", "ratelimit"))]
    assert again == [200, 429]
    assert (rillet.organisation.counts.calls, rillet.organisation.counts.refused) == (6, 2)


def test_each_organisation_has_its_own_rate_limit(rillet: Rillet) -> None:
    rillet.state.add_organisation(api_key="other")
    rillet.state.rate_limit = 1

    statuses = [rillet.call("GET", "/api-key", api_key=key).status_code for key in (KEY, KEY, "other")]

    assert statuses == [200, 429, 200]


def test_a_replay_ignores_the_body_and_is_counted(rillet: Rillet) -> None:
    first = rillet.post("/invoices", full_invoice(), key="k1")

    replay = rillet.post("/invoices", full_invoice(memo="changed"), key="k1")
    other_path = rillet.post("/customers", {"name": "A"}, key="k1")

    assert replay.json() == first.json()
    assert rillet.invoices() == 1
    assert rillet.state.replays == rillet.organisation.counts.replays == 1
    assert [call.replayed for call in rillet.state.calls] == [False, True, False]
    assert other_path.json()["name"] == "A"


@pytest.mark.parametrize(
    ("path", "bodies", "objects"),
    [
        ("/credit-memos", (credit_memo(), credit_memo(full_item("7.00"))), "credit_memos"),
        ("/invoices/{}/payments", (payment("40.00"), payment("40.00")), "payments"),
    ],
)
def test_every_post_is_executed_once_under_its_key_even_if_its_answer_is_lost(
    rillet: Rillet, path: str, bodies: tuple[object, object], objects: str
) -> None:
    invoice = rillet.invoice()
    path = path.format(invoice["id"])
    rillet.state.misbehave("commit_then_drop", "POST", path)

    with pytest.raises(requests.ConnectionError):
        rillet.post(path, bodies[0], key="k")
    second, third = (rillet.post(path, body, key="k") for body in bodies)

    assert second.json() == third.json()
    assert len(getattr(rillet.organisation, objects)) == 1
    paid = objects == "payments"
    assert rillet.balance(invoice) == (("PARTIALLY_PAID", "60.00") if paid else ("UNBILLED", "100.00"))


def test_an_idempotency_key_is_ignored_on_other_methods(rillet: Rillet) -> None:
    customer = rillet.create("/customers", {"name": "A"})["id"]

    updated = [
        rillet.call("PUT", f"/customers/{customer}", {"name": name}, key="k1").json()["name"] for name in "BC"
    ]

    assert updated == ["B", "C"]


def test_a_deleted_invoice_is_still_replayed_under_its_key(rillet: Rillet) -> None:
    first = rillet.post("/invoices", full_invoice(), key="k1").json()
    rillet.delete(f"/invoices/{first['id']}")

    replay = rillet.post("/invoices", full_invoice(), key="k1").json()

    assert replay["id"] == first["id"]
    assert rillet.invoices() == 0


def test_the_same_key_in_flight_waits_for_the_first_call(rillet: Rillet) -> None:
    rillet.state.misbehave("delay", seconds=30)

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(rillet.post, "/invoices", full_invoice(), "k1") for _ in range(8)]
        wait_until(lambda: len(rillet.state.calls) == 8)
        while_waiting = rillet.invoices()
        rillet.state.behave()
        ids = {answer.result().json()["id"] for answer in answers}

    assert while_waiting == 0
    assert len(ids) == rillet.invoices() == 1
    assert rillet.state.replays == 7


def test_the_call_log_has_what_was_sent_and_answered(rillet: Rillet) -> None:
    rillet.call("POST", "/customers", {"name": "A"}, query={"x": "1"}, key="k1")
    rillet.call("GET", "/customers", api_key="wrong")

    created, refused = rillet.state.calls
    assert (created.method, created.path, created.query) == ("POST", "/customers", {"x": "1"})
    assert (created.status, created.idempotency_key, created.time) == (200, "k1", rillet.clock.now())
    assert created.headers["X-Rillet-API-Version"] == "4"
    assert created.request_body == {"name": "A"}
    assert created.response_body["name"] == "A"
    assert created.organisation_id == rillet.organisation.id
    assert (refused.status, refused.organisation_id) == (401, None)
    assert KEY not in repr(rillet.state.calls)


def test_the_call_log_keeps_an_answer_that_was_lost(rillet: Rillet) -> None:
    rillet.state.misbehave("commit_then_drop")

    with pytest.raises(requests.ConnectionError):
        rillet.post("/invoices", full_invoice(), key="k1")
    replay = rillet.post("/invoices", full_invoice(), key="k1")

    dropped, answered = rillet.state.calls
    assert (dropped.status, dropped.fault) == (None, "commit_then_drop")
    assert dropped.response_body["id"] == replay.json()["id"]
    assert answered.replayed


def test_a_fault_answers_a_text_data_a_problem_document_or_a_bare_429(rillet: Rillet) -> None:
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
    assert rillet.invoices() == 0


def test_a_malformed_answer_is_broken_json_with_code_200(rillet: Rillet) -> None:
    rillet.state.misbehave("malformed")

    response = rillet.post("/invoices", full_invoice())

    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert rillet.invoices() == 1


def test_a_fault_with_zero_times_stays_until_it_is_removed(rillet: Rillet) -> None:
    rillet.state.misbehave("status", method="get", path="/customers", times=0)

    assert [rillet.get("/customers").status_code for _ in range(3)] == [500, 500, 500]


def test_many_callers_at_once_lose_nothing(rillet: Rillet) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: rillet.post("/invoices", full_invoice()), range(40)))

    numbers = {answer.json()["invoice_number"] for answer in answers}
    assert numbers == {f"INV-{number:04d}" for number in range(1, 41)}


def test_a_fake_starts_with_rillets_own_rate_limit_and_writes_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with FakeRillet() as fake:
        requests.get(f"{fake.url}/health", timeout=10)

    assert (fake.state.rate_limit, fake.state.rate_window) == (60, 60.0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("asks_on", "made"), [("arrival", 2), ("execution", 1)])
def test_a_late_post_and_a_repetition_of_its_key_make_as_many_invoices_as_the_switch_says(
    rillet: Rillet, asks_on: str, made: int
) -> None:
    rillet.switch(late_keys=asks_on)
    rillet.state.misbehave("late", "POST", "/invoices", seconds=70)
    with pytest.raises(requests.ConnectionError):
        rillet.post("/invoices", full_invoice(), key="k1")

    repeated = rillet.post("/invoices", full_invoice(), key="k1").json()["id"]
    rillet.clock.advance(70)
    rillet.state.deliver_webhooks()

    assert rillet.invoices() == made
    assert rillet.post("/invoices", full_invoice(), key="k1").json()["id"] == repeated


def test_a_late_call_needs_a_valid_key_when_it_arrives(rillet: Rillet) -> None:
    rillet.state.misbehave("late", "POST", "/invoices", seconds=70)

    refused = rillet.call("POST", "/invoices", full_invoice(), api_key="wrong")

    assert refused.status_code == 401
    assert len(rillet.state.late_calls) == 0
