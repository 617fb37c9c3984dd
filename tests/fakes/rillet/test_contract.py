"""The Rillet fake held against Rillet's own OpenAPI document."""

import json
from collections.abc import Iterator

import pytest

from local.fake_rillet.invoice_documents import STATUSES
from local.fake_rillet.webhook_events import EVENTS
from tests.contract.checker import check_payload, check_webhook
from tests.contract.documents import MISSING, MISSING_REASON, document_of, documents
from tests.contract.report import Report
from tests.fakes.rillet.support import Json, Rillet, full_invoice, full_item, recorded_invoice, recorded_item
from tests.fakes.rillet.tour import (
    customer_requests,
    everything,
    refuse_something_everywhere,
    settle_something,
)

pytestmark = pytest.mark.skipif(MISSING, reason=MISSING_REASON)


@pytest.fixture(scope="module")
def running() -> Iterator[Rillet]:
    with Rillet() as rillet:
        yield rillet


@pytest.fixture
def rillet(running: Rillet) -> Rillet:
    return running.renew()


def test_every_request_that_the_fake_takes_and_every_answer_fits_rillets_own_document(
    rillet: Rillet,
) -> None:
    report = Report()

    with report.recording(rillet.fake.recorder):
        everything(rillet)
    with report.recording(rillet.fake.recorder, requests=False):
        refuse_something_everywhere(rillet)

    assert report.violations == []
    assert len(report.operations) == 35
    assert report.responses == len(rillet.state.calls)


def test_every_webhook_of_the_fake_fits_rillets_own_schemas(rillet: Rillet) -> None:
    rillet.organisation.add_webhook("https://nobody.example/")
    settle_something(rillet)
    customer = rillet.create("/customers", next(customer_requests()))
    rillet.call("PUT", f"/customers/{customer['id']}", {"name": "Carol"})
    rillet.call("DELETE", f"/customers/{customer['id']}")
    rillet.call("DELETE", f"/invoices/{next(iter(rillet.organisation.invoices)).id}")

    for event in rillet.organisation.announced():
        headers = rillet.organisation.sign(event.body, event.entity, event.event, event_id=event.id)
        assert check_webhook(event.name, headers, json.loads(event.body)) == []
    assert {event.name for event in rillet.organisation.announced()} == {
        *("invoice-created", "invoice-updated", "invoice-payment-updated", "invoice-deleted"),
        *("credit-memo-created", "credit-memo-updated", "credit-memo-payment-updated", "credit-memo-deleted"),
        *("customer-created", "customer-updated", "customer-deleted"),
    }


def test_the_fake_knows_all_webhooks() -> None:
    [document] = documents("rillet")

    assert list(EVENTS) == list(document.content["webhooks"])


@pytest.mark.parametrize(
    "body",
    [
        full_invoice() | {"customer_id": None},
        full_invoice(full_item(tax_rate={"percentage": 21})),
        recorded_invoice(recorded_item(quantity=0)),
        recorded_invoice() | {"external_references": None},
    ],
)
def test_what_rillets_schemas_refuse_the_fake_refuses(rillet: Rillet, body: Json) -> None:
    response = rillet.post("/invoices", body)

    assert check_payload("rillet", "POST", "/invoices", body) != []
    assert response.status_code == 400


def test_the_fake_knows_all_invoice_statuses() -> None:
    assert list(STATUSES) == document_of("rillet", "InvoiceStatus").schemas["InvoiceStatus"]["enum"]
