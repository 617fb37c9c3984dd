"""The Solvimon fake's webhooks: envelope, signature, order, penalty box."""

import hashlib
import hmac
import itertools
import json

import pytest

from local.fake_solvimon import Delivery
from local.sample_data import invoice_id
from tests.fakes.solvimon.support import Json, Solvimon
from tests.fakes.support import Receiver

SECRET = "whsec-one"
MINUTE, HOUR = 60, 3600


def expected_signature(secret: str, timestamp: str, body: bytes) -> str:
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={signed.hexdigest().upper()}"


def types(receiver: Receiver) -> list[str]:
    return [json.loads(body)["type"] for _, body in receiver.received]


def statuses(deliveries: list[Delivery]) -> list[int | None]:
    return [delivery.status for delivery in deliveries]


def test_finalising_sends_a_signed_envelope(solvimon: Solvimon, receiver: Receiver) -> None:
    solvimon.platform.add_webhook(receiver.url, SECRET)
    final = solvimon.platform.finalise(invoice_id("first"))

    deliveries = solvimon.platform.deliver_webhooks()

    headers, body = receiver.received[0]
    envelope = json.loads(body)
    data = envelope.pop("data")
    assert envelope == {
        "created_at": "2026-11-03T12:00:00Z",
        "type": "INVOICE.STATUS_TO_FINAL",
        "environment": "TEST",
    }
    assert (data["id"], data["invoice_number"]) == (final["id"], final["invoice_number"])
    assert "periods" not in data
    assert headers["X-PAYLOAD-SIGNATURE-TIMESTAMP"] == "2026-11-03T12:00:00Z"
    assert headers["X-PAYLOAD-SIGNATURE"] == expected_signature(SECRET, "2026-11-03T12:00:00Z", body)
    assert (statuses(deliveries), deliveries[0].delivered) == ([200], True)
    assert solvimon.platform.deliver_webhooks() == []


def test_calls_announce_what_they_did_with_their_request_id(solvimon: Solvimon, receiver: Receiver) -> None:
    solvimon.platform.add_webhook(receiver.url, SECRET)

    created = solvimon.post("/customers", {"type": "ORGANIZATION", "reference": "kaap"})
    solvimon.patch("/customers/kaap", {"locale": "nl-NL"})
    solvimon.call("PUT", "/customers", {"type": "ORGANIZATION", "reference": "kaap"})
    solvimon.post("/customers/kaap/activate")
    solvimon.patch(f"/invoices/{invoice_id('yen')}", {"paid": True})
    solvimon.post("/custom-fields", {"reference": "quiet", "resource_type": "CUSTOMER"})
    solvimon.platform.deliver_webhooks()

    assert types(receiver) == [
        "CUSTOMER.CREATED",
        *["CUSTOMER.UPDATED"] * 3,
        "INVOICE.UPDATED",
        "INVOICE.PAID",
    ]
    assert json.loads(receiver.received[0][1])["original_request_id"] == created.headers["X-REQUEST-ID"]


def test_a_webhook_gets_only_the_actions_it_is_subscribed_to(solvimon: Solvimon, receiver: Receiver) -> None:
    solvimon.platform.add_webhook(receiver.url, SECRET, ["INVOICE.STATUS_TO_FINAL"])
    body: Json = {"url": receiver.url, "name": "Others", "reference": "others"}
    solvimon.post("/webhooks", body | {"excluded_actions": ["INVOICE.STATUS_TO_FINAL"]})
    solvimon.post("/webhooks", body | {"reference": "off", "active": False})

    solvimon.patch(f"/invoices/{invoice_id('yen')}", {"status": "FINAL"})
    solvimon.platform.deliver_webhooks()

    assert types(receiver) == ["INVOICE.STATUS_TO_FINAL", "INVOICE.UPDATED"]


def test_a_failed_event_holds_up_later_ones_until_its_retry(solvimon: Solvimon, receiver: Receiver) -> None:
    webhook = solvimon.platform.add_webhook(receiver.url, SECRET)
    receiver.answers = [500]
    solvimon.platform.finalise(invoice_id("first"))
    solvimon.platform.finalise(invoice_id("yen"))

    assert statuses(solvimon.platform.deliver_webhooks()) == [500]
    box = solvimon.get(f"/webhooks/{webhook.record['id']}").json()["penalty_box_data"]
    assert (box["retry_count"], box["retry_at"]) == (1, "2026-11-03T12:02:00Z")
    solvimon.clock.advance(2 * MINUTE - 1)
    assert solvimon.platform.deliver_webhooks() == []
    solvimon.clock.advance(1)
    deliveries = solvimon.platform.deliver_webhooks()

    assert [(d.status, d.attempt, d.event.resource_id) for d in deliveries] == [
        (200, 2, invoice_id("first")),
        (200, 1, invoice_id("yen")),
    ]
    first, retried = (received[0] for received in receiver.received[:2])
    assert retried["X-PAYLOAD-SIGNATURE-TIMESTAMP"] > first["X-PAYLOAD-SIGNATURE-TIMESTAMP"]


def test_one_webhook_in_the_penalty_box_does_not_hold_up_another(
    solvimon: Solvimon, receiver: Receiver
) -> None:
    solvimon.platform.add_webhook("http://127.0.0.1:9/unreachable", SECRET)
    solvimon.platform.add_webhook(receiver.url, "whsec-two")
    solvimon.platform.finalise(invoice_id("first"))

    deliveries = solvimon.platform.deliver_webhooks()

    assert statuses(deliveries) == [None, 200]
    assert deliveries[0].error
    assert solvimon.platform.webhooks.pending() == 1


def test_retries_follow_the_schedule_and_end_after_seven_days(solvimon: Solvimon, receiver: Receiver) -> None:
    webhook = solvimon.platform.add_webhook(receiver.url, SECRET)
    receiver.answers = [500] * 100
    solvimon.platform.finalise(invoice_id("first"))
    attempts = []

    for _ in range(100):
        if not solvimon.platform.deliver_webhooks():
            break
        attempts.append(solvimon.clock.time)
        solvimon.clock.time = max(webhook.retry_at, solvimon.clock.time)

    waits = [int(after - before) for before, after in itertools.pairwise(attempts)]
    minutes = [2, 4, 8, 16, 32, 60, 120, 240, 480]
    assert waits[:9] == [minute * MINUTE for minute in minutes]
    assert set(waits[9:]) == {8 * HOUR}
    assert 6.5 * 24 * HOUR < attempts[-1] - attempts[0] <= 7 * 24 * HOUR
    view = solvimon.get(f"/webhooks/{webhook.record['id']}").json()
    assert (view["active"], view["disabled_reason"]) == (False, "answered 500")


def test_a_rolled_secret_signs_along_with_the_old_one_for_a_day(solvimon: Solvimon) -> None:
    webhook = solvimon.platform.add_webhook("http://127.0.0.1:9/", SECRET)
    new = solvimon.patch(f"/webhooks/{webhook.record['id']}/secret-key", {}).json()["secret_key"]

    during = solvimon.platform.sign(b"{}")
    solvimon.clock.advance(24 * HOUR)
    after = solvimon.platform.sign(b"{}", at=0)

    now, then = "2026-11-03T12:00:00Z", "1970-01-01T00:00:00Z"
    both = f"{expected_signature(new, now, b'{}')},{expected_signature(SECRET, now, b'{}')}"
    assert during["X-PAYLOAD-SIGNATURE"] == both
    assert after["X-PAYLOAD-SIGNATURE"] == expected_signature(new, then, b"{}")
    assert after["X-PAYLOAD-SIGNATURE-TIMESTAMP"] == then


def test_a_webhook_made_by_call_has_no_secret_until_it_is_rolled(
    solvimon: Solvimon, receiver: Receiver
) -> None:
    body = {"url": receiver.url, "name": "Final", "reference": "final"}
    made = solvimon.post("/webhooks", body)
    webhook_id = made.json()["id"]

    unsigned = solvimon.platform.sign(b"{}")
    rolled = solvimon.patch(f"/webhooks/{webhook_id}/secret-key", {}).json()
    shown = solvimon.get("/webhooks").json()["data"]

    assert made.status_code == 201
    assert "X-PAYLOAD-SIGNATURE" not in unsigned
    assert rolled["secret_key"]
    assert [("secret_key" in webhook, webhook["reference"]) for webhook in shown] == [(False, "final")]
    assert solvimon.post("/webhooks", body).status_code == 409
    assert solvimon.patch("/webhooks/whk_none/secret-key", {}).status_code == 404
    with pytest.raises(LookupError):
        solvimon.platform.sign(b"{}", webhook_id="whk_none")


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"authentication_type": "API_KEY", "api_key": "abc"}, "X-API-KEY", "abc"),
        ({"authentication_type": "API_KEY", "api_header_field": "X-Ours", "api_key": "a"}, "X-OURS", "a"),
        (
            {"authentication_type": "PASSWORD", "username": "u", "password": "p"},
            "AUTHORIZATION",
            "Basic dTpw",
        ),
    ],
)
def test_deliveries_carry_the_endpoints_own_authentication(
    solvimon: Solvimon, receiver: Receiver, settings: Json, header: str, value: str
) -> None:
    solvimon.post("/webhooks", {"url": receiver.url, "name": "x", "reference": "x", **settings})
    solvimon.platform.finalise(invoice_id("first"))

    solvimon.platform.deliver_webhooks()

    assert receiver.received[0][0][header] == value


def test_the_list_of_actions_names_the_ones_the_product_needs(solvimon: Solvimon) -> None:
    data = solvimon.get("/webhooks/actions").json()["data"]

    actions = {action for entry in data for action in entry["actions"]}
    assert {"INVOICE.STATUS_TO_FINAL", "INVOICE.PAID", "CUSTOMER.UPDATED"} <= actions
