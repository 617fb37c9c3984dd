"""Rate limit, idempotency and call log of the Rillet fake."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local.fake_rillet import FakeRillet
from tests.fakes.rillet.support import KEY, Rillet, full_invoice, invoices, wait_until

pytestmark = pytest.mark.slow

HOURS = 60 * 60


@pytest.fixture(scope="module")
def running() -> Iterator[Rillet]:
    with Rillet() as rillet:
        yield rillet


@pytest.fixture
def rillet(running: Rillet) -> Rillet:
    return running.renew()


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


def test_a_reused_idempotency_key_replays_the_first_answer(rillet: Rillet) -> None:
    first = rillet.post("/invoices", full_invoice(), key="k1")

    replay = rillet.post("/invoices", full_invoice(memo="changed"), key="k1")

    assert replay.json() == first.json()
    assert replay.headers["Content-Type"] == first.headers["Content-Type"]
    assert invoices(rillet) == 1
    assert rillet.state.replays == rillet.organisation.counts.replays == 1
    assert [call.replayed for call in rillet.state.calls] == [False, True]


def test_an_idempotency_key_is_kept_24_hours(rillet: Rillet) -> None:
    first = rillet.post("/invoices", full_invoice(), key="k1").json()
    rillet.clock.advance(24 * HOURS - 1)
    within = rillet.post("/invoices", full_invoice(), key="k1").json()
    rillet.clock.advance(1)

    after = rillet.post("/invoices", full_invoice(), key="k1").json()

    assert within["id"] == first["id"]
    assert after["id"] != first["id"]


def test_an_idempotency_key_belongs_to_one_organisation_and_one_path(rillet: Rillet) -> None:
    rillet.state.add_organisation(api_key="other")
    rillet.post("/customers", {"name": "A"}, key="k1")

    other_path = rillet.post("/invoices", full_invoice(), key="k1")
    other_organisation = rillet.call("POST", "/customers", {"name": "B"}, key="k1", api_key="other")

    assert other_path.json()["status"] == "UNPAID"
    assert other_organisation.json()["name"] == "B"
    assert rillet.state.replays == 0


def test_a_refused_request_is_not_kept_under_its_key(rillet: Rillet) -> None:
    refused = rillet.post("/customers", {}, key="k1")

    accepted = rillet.post("/customers", {"name": "A"}, key="k1")

    assert (refused.status_code, accepted.status_code) == (400, 200)


def test_an_idempotency_key_is_ignored_on_other_methods(rillet: Rillet) -> None:
    customer = rillet.create("/customers", {"name": "A"})["id"]

    updated = [
        rillet.call("PUT", f"/customers/{customer}", {"name": name}, key="k1").json()["name"] for name in "BC"
    ]

    assert updated == ["B", "C"]


def test_a_deleted_invoice_is_still_replayed_under_its_key(rillet: Rillet) -> None:
    first = rillet.post("/invoices", full_invoice(), key="k1").json()
    rillet.call("DELETE", f"/invoices/{first['id']}")

    replay = rillet.post("/invoices", full_invoice(), key="k1").json()

    assert replay["id"] == first["id"]
    assert invoices(rillet) == 0


def test_the_same_key_in_flight_waits_for_the_first_call(rillet: Rillet) -> None:
    rillet.state.misbehave("delay", seconds=30)

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(rillet.post, "/invoices", full_invoice(), "k1") for _ in range(8)]
        wait_until(lambda: len(rillet.state.calls) == 8)
        while_waiting = invoices(rillet)
        rillet.state.behave()
        ids = {answer.result().json()["id"] for answer in answers}

    assert while_waiting == 0
    assert len(ids) == invoices(rillet) == 1
    assert rillet.state.replays == 7


def test_the_call_log_tells_what_was_asked_and_answered(rillet: Rillet) -> None:
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


def test_many_callers_at_once_lose_nothing(rillet: Rillet) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: rillet.post("/invoices", full_invoice()), range(40)))

    numbers = {answer.json()["invoice_number"] for answer in answers}
    assert numbers == {f"INV-{number:04d}" for number in range(1, 41)}


def test_what_the_fake_remembers_survives_a_restart_of_the_server(rillet: Rillet) -> None:
    rillet.create("/invoices", full_invoice())
    rillet.fake.stop()

    with pytest.raises(RuntimeError, match="not started"):
        _ = rillet.fake.url
    rillet.fake.start()

    assert len(rillet.get("/invoices").json()["invoices"]) == 1
    with pytest.raises(RuntimeError, match="already"):
        rillet.fake.start()


def test_a_fake_starts_with_rillets_own_rate_limit_and_writes_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with FakeRillet() as fake:
        requests.get(f"{fake.url}/health", timeout=10)

    assert (fake.state.rate_limit, fake.state.rate_window) == (60, 60.0)
    assert capfd.readouterr() == ("", "")
