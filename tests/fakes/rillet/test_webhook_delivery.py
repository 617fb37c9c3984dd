"""How the Rillet fake delivers webhooks: retries, time-outs, disabling, in the background."""

import base64
import itertools
import json

import pytest
import requests

from local.fake_rillet.webhooks import Delivery
from tests.fakes.rillet.support import CUSTOMER, TOKEN, Rillet, signature
from tests.fakes.support import Receiver

MINUTE = 60


def statuses(deliveries: list[Delivery]) -> list[int | None]:
    return [delivery.status for delivery in deliveries]


@pytest.mark.parametrize(("of", "moves"), [("event", False), ("attempt", True)])
def test_the_timestamp_of_a_retry_is_a_switch(
    rillet: Rillet, receiver: Receiver, of: str, moves: bool
) -> None:
    rillet.switch(webhook_timestamp=of)
    rillet.organisation.add_webhook(receiver.url, TOKEN)
    receiver.answers = [500]
    rillet.invoice()
    rillet.clock.advance(2)

    rillet.organisation.deliver_webhooks()
    rillet.clock.advance(5)
    rillet.organisation.deliver_webhooks()

    (first, body), (second, again) = receiver.received
    assert body == again
    assert first["X-RILLET-ID"] == second["X-RILLET-ID"]
    assert (first["X-RILLET-TIMESTAMP"] == "2026-03-10T12:00:00.000000Z") is not moves
    assert (first["X-RILLET-TIMESTAMP"] != second["X-RILLET-TIMESTAMP"]) is moves
    assert second["X-RILLET-SIGNATURE"] == signature(base64.b64decode(TOKEN), second, body)


def test_a_failed_event_does_not_hold_up_the_next(rillet: Rillet, receiver: Receiver) -> None:
    rillet.organisation.add_webhook(receiver.url)
    receiver.answers = [503]
    rillet.create("/customers", {"name": "Carol"})
    rillet.create("/customers", {"name": "Dave"})

    first = rillet.organisation.deliver_webhooks()
    rillet.clock.advance(5)
    second = rillet.organisation.deliver_webhooks()

    assert (statuses(first), statuses(second)) == ([503, 200], [200])
    assert [json.loads(body)["name"] for _, body in receiver.received] == ["Carol", "Dave", "Carol"]


def test_retries_come_in_five_groups_of_three_and_then_the_webhook_is_disabled(
    rillet: Rillet, receiver: Receiver
) -> None:
    webhook = rillet.organisation.add_webhook(receiver.url)
    receiver.answers = [500] * 100
    rillet.create("/customers", {"name": "Carol"})
    deliveries: list[Delivery] = []

    while (due := rillet.organisation.webhooks.next_try()) is not None:
        rillet.clock.time = due
        deliveries += rillet.organisation.deliver_webhooks()

    waits = [round(after.at - before.at) for before, after in itertools.pairwise(deliveries)]
    assert [delivery.group for delivery in deliveries] == sorted([1, 2, 3, 4, 5] * 3)
    assert [delivery.attempt for delivery in deliveries] == list(range(1, 16))
    assert waits == [5, 10, 10 * MINUTE, 5, 10, 20 * MINUTE, 5, 10, 40 * MINUTE, 5, 10, 80 * MINUTE, 5, 10]
    assert (webhook.enabled, webhook.disabled_reason) == (False, "answered 500")


def test_a_disabled_webhook_misses_what_happens_until_it_is_enabled(
    rillet: Rillet, receiver: Receiver
) -> None:
    webhook = rillet.organisation.add_webhook(receiver.url)
    webhook.enabled = False
    rillet.create("/customers", {"name": "Carol"})

    rillet.organisation.webhooks.enable(webhook.id)
    rillet.create("/customers", {"name": "Dave"})
    rillet.organisation.deliver_webhooks()

    assert [json.loads(body)["name"] for _, body in receiver.received] == ["Dave"]


def test_disabling_drops_what_waits_for_that_webhook_only(rillet: Rillet, receiver: Receiver) -> None:
    rillet.organisation.add_webhook("http://127.0.0.1:9/unreachable")
    rillet.organisation.add_webhook(receiver.url)
    rillet.create("/customers", {"name": "Carol"})
    for _ in range(14):
        rillet.clock.time = rillet.organisation.webhooks.next_try() or 0
        rillet.organisation.deliver_webhooks()
    rillet.create("/customers", {"name": "Dave"})
    assert rillet.organisation.webhooks.pending() == 3

    rillet.clock.advance(10)
    deliveries = rillet.organisation.deliver_webhooks()

    assert None in statuses(deliveries)
    assert rillet.organisation.webhooks.pending() == 0
    assert [json.loads(body)["name"] for _, body in receiver.received] == ["Carol", "Dave"]


def test_a_receiver_may_call_rillet_during_a_delivery(rillet: Rillet) -> None:
    answers: list[requests.Response] = []

    class Curious(Receiver):
        def _take(self, request: object) -> object:  # type: ignore[override]
            answers.append(rillet.get(f"/customers/{CUSTOMER}"))
            return super()._take(request)  # type: ignore[arg-type]

    with Curious() as receiver:
        rillet.organisation.add_webhook(receiver.url)
        rillet.organisation.edit_customer(CUSTOMER, payment_terms=1)
        rillet.organisation.deliver_webhooks()

    assert answers[0].json()["payment_terms"] == 1
