"""Whatever reaches the webhooks' address: an answer below 500, and nothing on the bus that was not signed."""

import base64
import hashlib
import hmac
import importlib.util
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.aws.runtime import LambdaContext
from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.webhook_settings import WebhookSettings
from solvimon_rillet.events import BusEvent, is_id

Json = dict[str, Any]
NOW = 1_800_000_000.0
KEY = "a-secret-of-the-webhook"
SOURCE = Path(__file__).parents[3] / "functions" / "receive_webhook" / "receive_webhook.py"


class Told:
    """A configuration with one connection, and a bus that remembers."""

    def __init__(self) -> None:
        self.events: list[BusEvent] = []
        self.configuration = self
        self.bus = self

    def webhook_settings(self, _connection: str) -> WebhookSettings:
        return WebhookSettings()

    def secret(self, _connection: str, _vendor: str) -> dict[str, str]:
        return {"webhook_secret": KEY, "webhook_token": KEY}

    def publish(self, *events: BusEvent) -> None:
        self.events += events


Handle = Callable[[Any], Json]


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def handle(told: Told) -> Handle:
    spec = importlib.util.spec_from_file_location("fuzzed_receive_webhook", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.Services = lambda *_: told  # type: ignore[attr-defined]
    handler = module.create_handler({"POWERTOOLS_METRICS_NAMESPACE": "x"}, clock=lambda: NOW)
    context = LambdaContext("receive-webhook", "arn:aws:lambda:x:1:function:f", 512, 10)
    return lambda event: dict(handler(event, context))


TEXTS = st.text(max_size=40) | st.sampled_from(["", "v1=", "v1=00", "2027-01-15T08:00:00Z", "9" * 400])
NAMES = st.sampled_from(
    [
        "x-payload-signature",
        "X-PAYLOAD-SIGNATURE-TIMESTAMP",
        "x-rillet-signature",
        "x-rillet-timestamp",
        "x-rillet-id",
        "x-rillet-entity",
        "x-rillet-event",
        "content-type",
    ]
)
BODIES = st.text(max_size=200) | st.binary(max_size=200).map(lambda b: base64.b64encode(b).decode())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=12), parts, max_size=5),
    max_leaves=12,
)
PATHS = st.sampled_from(["/webhooks/solvimon/default", "/webhooks/rillet/default", "", "/webhooks/rillet/"])


@settings(max_examples=400)
@given(
    headers=st.none() | st.dictionaries(NAMES | st.text(max_size=10), TEXTS, max_size=8),
    body=st.none() | BODIES | st.integers(),
    encoded=st.booleans() | st.none(),
    path=PATHS | st.text(max_size=20),
    connection=st.none() | st.sampled_from(["default", "..", "", "a" * 99]) | st.text(max_size=20),
)
def test_nothing_unsigned_is_accepted_and_nothing_is_a_failure_of_ours(
    handle: Handle,
    told: Told,
    headers: Json | None,
    body: object,
    encoded: object,
    path: str,
    connection: object,
) -> None:
    told.events.clear()
    event = {
        "rawPath": path,
        "headers": headers,
        "body": body,
        "isBase64Encoded": encoded,
        "pathParameters": {"connection": connection},
    }

    answer = handle(event)

    assert answer["statusCode"] == 401
    assert json.loads(answer["body"]) == {"message": "signature not accepted"}
    assert told.events == []


def _signed_by_solvimon(body: bytes) -> Json:
    stamp = datetime.fromtimestamp(NOW, UTC).isoformat()
    digest = hmac.new(KEY.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"x-payload-signature-timestamp": stamp, "x-payload-signature": f"v1={digest}"}


def _signed_by_rillet(body: bytes, entity: str, kind: str) -> Json:
    stamp = datetime.fromtimestamp(NOW, UTC).isoformat()
    signed = f"{stamp}.id-1.{entity}.{kind}.".encode() + body
    digest = base64.b64encode(hmac.new(KEY.encode(), signed, hashlib.sha256).digest()).decode()
    return {
        "x-rillet-timestamp": stamp,
        "x-rillet-id": "id-1",
        "x-rillet-entity": entity,
        "x-rillet-event": kind,
        "x-rillet-signature": digest,
    }


SHAPES = JSON | st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["INVOICE.STATUS_TO_FINAL", "CUSTOMER.UPDATED", "INVOICE.UPDATED"]) | JSON,
        "data": st.fixed_dictionaries({}, optional={"id": JSON | st.just("invo_1"), "status": JSON}) | JSON,
        "created_at": JSON,
        "id": JSON | st.just("0198c1d2-0000-4000-8000-000000000001"),
        "invoice_id": JSON,
        "total": JSON,
        "amount_due": JSON,
        "external_references": JSON,
        "updated_at": JSON,
        "status": JSON,
    },
)


@settings(max_examples=400)
@given(
    content=SHAPES,
    vendor=st.sampled_from(["solvimon", "rillet"]),
    entity=st.sampled_from(["INVOICE", "credit-memo", "CUSTOMER", "?"]),
    kind=st.sampled_from(["UPDATED", "payment-updated", "DELETED", "?"]),
    encoded=st.booleans(),
)
def test_whatever_a_vendor_signs_is_acknowledged_so_that_it_blocks_nothing_behind_it(
    handle: Handle, told: Told, content: object, vendor: str, entity: str, kind: str, encoded: bool
) -> None:
    told.events.clear()
    body = json.dumps(content).encode()
    headers = _signed_by_solvimon(body) if vendor == "solvimon" else _signed_by_rillet(body, entity, kind)

    answer = handle(
        {
            "rawPath": f"/webhooks/{vendor}/default",
            "headers": headers,
            "body": base64.b64encode(body).decode() if encoded else body.decode(),
            "isBase64Encoded": encoded,
            "pathParameters": {"connection": "default"},
        }
    )

    assert answer["statusCode"] == 200
    assert len(told.events) == (json.loads(answer["body"])["message"] == "accepted")
    for event in told.events:
        assert is_id(event.id)
        assert len(json.dumps(event.detail())) < 20_000, "the bus takes 256 KB"
        assert BusEvent.from_queue(event.to_queue_message()) == event


def test_deeply_nested_json_is_acknowledged_and_not_a_crash(handle: Handle, told: Told) -> None:
    body = b"[" * 100_000

    answer = handle(
        {
            "rawPath": "/webhooks/solvimon/default",
            "headers": _signed_by_solvimon(body),
            "body": body.decode(),
            "pathParameters": {"connection": "default"},
        }
    )

    assert answer["statusCode"] == 200


def test_the_fakes_answer_what_the_receiver_asks_of_a_configuration() -> None:
    """So that these tests cannot go on with a fake that nothing calls any more."""
    for name in ("webhook_settings", "secret"):
        assert callable(getattr(Configuration, name))
        assert callable(getattr(Told, name))
