"""What both fakes do alike: idempotency keys, faults, delivery of webhooks, stop and start."""

import threading
import time

import pytest
import requests

from local.fake_vendor.faults import Kind
from tests.fakes.rillet.support import Rillet
from tests.fakes.solvimon.support import Solvimon
from tests.fakes.support import Receiver, wait_until

pytestmark = pytest.mark.slow

Fake = Rillet | Solvimon
HOUR = 3600


def post(fake: Fake, key: str | None = None) -> requests.Response:
    return fake.post("/customers", fake.new_customer, key)


def test_a_reused_idempotency_key_replays_the_first_answer(fake: Fake) -> None:
    before = fake.customers()

    first = post(fake, "k1")
    first_replayed = fake.was_replayed(first)
    again = post(fake, "k1")

    assert again.json() == first.json()
    assert first.status_code == again.status_code == fake.created
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert (first_replayed, fake.was_replayed(again)) == (False, True)
    assert fake.customers() == before + 1


def test_an_idempotency_key_is_kept_for_the_vendors_hours(fake: Fake) -> None:
    first = post(fake, "k1").json()
    fake.clock.advance(fake.hours_kept * HOUR - 1)
    within = post(fake, "k1")
    within_replayed = fake.was_replayed(within)
    fake.clock.advance(1)

    after = post(fake, "k1")

    assert (within_replayed, fake.was_replayed(after)) == (True, False)
    assert within.json()["id"] == first["id"]
    assert after.json()["id"] != first["id"]


def test_an_idempotency_key_belongs_to_one_organisation(fake: Fake) -> None:
    fake.add_other("other")
    first = post(fake, "k1")

    elsewhere = fake.call("POST", "/customers", fake.new_customer, key="k1", api_key="other")

    assert not fake.was_replayed(elsewhere)
    assert elsewhere.json()["id"] != first.json()["id"]


def test_a_refused_request_can_be_corrected_under_its_key(fake: Fake) -> None:
    refused = fake.post("/customers", {}, key="k1")

    corrected = post(fake, "k1")

    assert (refused.status_code, corrected.status_code) == (400, fake.created)


@pytest.mark.parametrize(("kind", "made"), [("drop", 0), ("commit_then_drop", 1)])
def test_a_dropped_connection_is_a_connection_error(fake: Fake, kind: Kind, made: int) -> None:
    before = fake.customers()
    fake.state.misbehave(kind, "POST", "/customers", times=2)

    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            post(fake)

    assert fake.customers() == before + 2 * made
    assert fake.state.calls[-1].status is None
    assert post(fake).status_code == fake.created


@pytest.mark.parametrize("kind", ["commit_then_drop", "status_after"])
def test_a_retry_after_a_lost_answer_replays_it(fake: Fake, kind: Kind) -> None:
    before = fake.customers()
    fake.state.misbehave(kind, "POST", "/customers", times=1, status=504)
    if kind == "status_after":
        assert post(fake, "k1").status_code == 504
    else:
        with pytest.raises(requests.ConnectionError):
            post(fake, "k1")

    again = post(fake, "k1")

    assert (again.status_code, fake.was_replayed(again)) == (fake.created, True)
    assert fake.customers() == before + 1


@pytest.mark.parametrize(("kind", "made"), [("status", 0), ("status_after", 1)])
def test_an_error_can_come_with_or_without_the_effect(fake: Fake, kind: Kind, made: int) -> None:
    before = fake.customers()
    fake.state.misbehave(kind, "POST", "/customers", times=1, status=503)

    assert post(fake).status_code == 503
    assert fake.customers() == before + made


def test_faults_that_execute_first_wait_for_a_request_that_succeeds(fake: Fake) -> None:
    before = fake.customers()
    fake.state.misbehave("commit_then_drop", "POST", "/customers", times=1)

    refused = fake.post("/customers", {})
    with pytest.raises(requests.ConnectionError):
        post(fake)

    assert refused.status_code == 400
    assert fake.customers() == before + 1


def test_a_delayed_call_is_executed_although_the_caller_gave_up(fake: Fake) -> None:
    before, started = fake.customers(), time.monotonic()
    fake.state.misbehave("delay", "POST", "/customers", seconds=30)

    with pytest.raises(requests.ReadTimeout):
        fake.call("POST", "/customers", fake.new_customer, timeout=0.05)
    meanwhile = fake.customers()
    fake.state.behave()
    wait_until(lambda: fake.state.calls[0].status is not None)

    assert (meanwhile, fake.customers()) == (before, before + 1)
    assert fake.get("/customers").status_code == 200
    assert time.monotonic() - started < 5


def test_a_late_call_is_carried_out_when_its_time_has_come(fake: Fake) -> None:
    before = fake.customers()
    fake.state.misbehave("late", "POST", "/customers", times=1, seconds=70)
    with pytest.raises(requests.ConnectionError):
        post(fake, "k1")

    fake.clock.advance(69)
    fake.state.deliver_webhooks()
    early = fake.customers()
    fake.clock.advance(1)
    fake.state.deliver_webhooks()
    after = fake.customers()
    again = post(fake, "k1")

    assert (early, after, fake.customers()) == (before, before + 1, before + 1)
    assert fake.was_replayed(again)
    assert fake.state.calls[0].status is None


def test_a_list_that_lags_shows_a_new_record_later(fake: Fake) -> None:
    before = fake.listed_customers()
    fake.clock.advance(10)
    fake.state.misbehave("lag", "GET", "/customers", times=2, seconds=5)
    made = post(fake).json()["id"]

    at_once = fake.listed_customers()
    read = fake.get(f"/customers/{made}").status_code
    fake.clock.advance(5)
    later = fake.listed_customers()

    assert (at_once, later, read) == (before, before + 1, 200)


def test_down_is_503_for_everything_until_the_fault_is_removed(fake: Fake) -> None:
    fake.state.misbehave("down")

    down = {fake.get(path).status_code for path in ("/invoices", "/customers", "/products", "/health")}
    refused = post(fake).status_code
    fake.state.behave()

    assert (down, refused) == ({503}, 503)
    assert fake.get("/invoices").status_code == 200
    assert post(fake).status_code == fake.created


def test_a_fault_has_a_method_a_path_and_a_number_of_calls(fake: Fake) -> None:
    fake.state.misbehave("status", "GET", "/customers", times=2, status=500)

    created = post(fake).status_code
    paths = ("/products", "/customers", "/customers/x", "/customers")

    assert created == fake.created
    assert [fake.get(path).status_code for path in paths] == [200, 500, 500, 200]


def test_a_fault_that_does_not_exist_is_refused(fake: Fake) -> None:
    with pytest.raises(ValueError, match=r"explode.*not one of"):
        fake.state.misbehave("explode")  # type: ignore[arg-type, unused-ignore]


def test_with_webhooks_off_events_are_lost(fake: Fake, receiver: Receiver) -> None:
    webhooks = fake.add_webhook(receiver.url)
    fake.state.webhooks_on = False
    post(fake)

    fake.state.webhooks_on = True

    assert fake.state.deliver_webhooks() == []
    assert webhooks.events == []


def test_no_answer_in_time_is_a_failed_delivery(fake: Fake, receiver: Receiver) -> None:
    fake.add_webhook(receiver.url).answer_seconds = 0.05
    receiver.waits = threading.Event()
    post(fake)

    [delivery] = fake.state.deliver_webhooks()

    assert (delivery.status, delivery.delivered) == (None, False)
    assert "timed out" in (delivery.error or "")


@pytest.mark.parametrize("harness", [Rillet, Solvimon])
def test_webhooks_are_delivered_in_the_background(harness: type[Fake], receiver: Receiver) -> None:
    with harness() as fake:
        fake.reset().fake.start_delivery(interval=0.01)
        fake.add_webhook(receiver.url)
        post(fake)

        assert receiver.arrived.wait(10)
        with pytest.raises(RuntimeError):
            fake.fake.start_delivery()

    assert len(receiver.received) == 1


def test_a_fake_serves_again_on_its_port_with_its_state(fake: Fake) -> None:
    customer = post(fake).json()["id"]
    url, port = fake.fake.url, int(fake.fake.origin.rsplit(":", 1)[1])
    fake.fake.stop()

    with pytest.raises(RuntimeError, match="not started"):
        _ = fake.fake.url
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    fake.fake.start(port)

    assert fake.get(f"/customers/{customer}").status_code == 200
    with pytest.raises(RuntimeError, match="already"):
        fake.fake.start()
