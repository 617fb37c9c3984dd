"""Any request to the webhooks' address: an answer below 500, and nothing on the bus that was not signed."""

import base64
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.runtime import LambdaContext
from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.webhook_settings import WebhookSettings
from solvimon_rillet.events import BusEvent, is_id
from tests.support.builders import Json
from tests.support.examples import examples
from tests.support.webhooks import RILLET_ROUTE, SOLVIMON_ROUTE, event, signed_by_rillet, signed_by_solvimon

NOW = 1_800_000_000.0
KEY = "a-secret-of-the-webhook"
SOURCE = Path(__file__).parents[3] / "functions" / "receive_webhook" / "receive_webhook.py"


class RecordingServices:
    """Services with one connection, whose bus keeps the events."""

    def __init__(self) -> None:
        self.events: list[BusEvent] = []
        self.configuration = self
        self.bus = self
        self.webhook_arrivals = self

    def note(self, _connection: str, _vendor: str) -> None:
        """A note on which nothing depends."""

    def webhook_settings(self, _connection: str) -> WebhookSettings:
        return WebhookSettings()

    def secret(self, _connection: str, _vendor: str) -> dict[str, str]:
        return {"webhook_secret": KEY, "webhook_token": KEY}

    def publish(self, *events: BusEvent) -> None:
        self.events += events


Handle = Callable[[Any], Json]


@pytest.fixture(scope="module")
def services() -> RecordingServices:
    return RecordingServices()


@pytest.fixture(scope="module")
def handle(services: RecordingServices) -> Handle:
    spec = importlib.util.spec_from_file_location("fuzzed_receive_webhook", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.Services
    module.Services = lambda *_: services  # type: ignore[attr-defined]
    handler = module.create_handler({"POWERTOOLS_METRICS_NAMESPACE": "x"}, clock=lambda: NOW)
    context = LambdaContext("receive-webhook", "arn:aws:lambda:x:1:function:f", 512, 10)
    return lambda request: dict(handler(request, context))


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
ROUTES = st.sampled_from([SOLVIMON_ROUTE, RILLET_ROUTE, "", "$default", "POST /webhooks/rillet/"])


@examples(400)
@given(
    headers=st.none() | st.dictionaries(NAMES | st.text(max_size=10), TEXTS, max_size=8),
    body=st.none() | BODIES | st.integers(),
    encoded=st.booleans() | st.none(),
    route=st.none() | ROUTES | st.text(max_size=20),
    connection=st.none() | st.sampled_from(["default", "..", "", "a" * 99]) | st.text(max_size=20),
)
def test_nothing_unsigned_is_accepted_and_nothing_is_a_failure_of_ours(
    handle: Handle,
    services: RecordingServices,
    headers: Json | None,
    body: object,
    encoded: object,
    route: str | None,
    connection: object,
) -> None:
    services.events.clear()

    answer = handle(
        event(body, None, connection, routeKey=route, isBase64Encoded=encoded) | {"headers": headers}
    )

    assert answer["statusCode"] == 401
    assert json.loads(answer["body"]) == {"message": "signature not accepted"}
    assert services.events == []


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


@examples(400)
@given(
    content=SHAPES,
    vendor=st.sampled_from(["solvimon", "rillet"]),
    entity=st.sampled_from(["INVOICE", "credit-memo", "CUSTOMER", "?"]),
    action=st.sampled_from(["UPDATED", "payment-updated", "DELETED", "?"]),
    encoded=st.booleans(),
)
def test_anything_a_vendor_signs_is_acknowledged_so_that_it_blocks_nothing_behind_it(
    handle: Handle,
    services: RecordingServices,
    content: object,
    vendor: str,
    entity: str,
    action: str,
    encoded: bool,
) -> None:
    services.events.clear()
    body = json.dumps(content).encode()
    if vendor == "solvimon":
        headers = signed_by_solvimon(NOW, body, KEY)
    else:
        headers = signed_by_rillet(NOW, body, KEY.encode(), entity=entity, action=action)
    text = base64.b64encode(body).decode() if encoded else body.decode()
    route = SOLVIMON_ROUTE if vendor == "solvimon" else RILLET_ROUTE

    answer = handle(event(text, headers, routeKey=route, isBase64Encoded=encoded))

    assert answer["statusCode"] == 200
    assert len(services.events) == (json.loads(answer["body"])["message"] == "accepted")
    for published in services.events:
        assert is_id(published.id)
        assert len(json.dumps(published.detail())) < 20_000, "the bus takes 256 KB"
        assert BusEvent.from_queue(published.to_queue_message()) == published


def test_deeply_nested_json_is_acknowledged_and_not_a_crash(handle: Handle) -> None:
    body = b"[" * 100_000

    answer = handle(event(body.decode(), signed_by_solvimon(NOW, body, KEY)))

    assert answer["statusCode"] == 200


def test_the_fake_services_have_the_methods_that_the_receiver_calls() -> None:
    """So that these tests cannot go on with a fake that nothing calls any more."""
    for name in ("webhook_settings", "secret"):
        assert callable(getattr(Configuration, name))
        assert callable(getattr(RecordingServices, name))
