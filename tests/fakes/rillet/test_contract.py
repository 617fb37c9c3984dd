"""The Rillet fake held against Rillet's own OpenAPI document."""

import json

import pytest

from local.fake_rillet.documents import INVOICE_STATUSES
from local.fake_rillet.webhook_events import EVENTS
from tests.contract.checker import check_payload, check_webhook
from tests.contract.documents import MISSING, MISSING_REASON, document_of, documents
from tests.contract.report import Report
from tests.fakes.rillet.every_operation import (
    call_every_operation,
    credit_and_pay,
    customer_requests,
    send_refused_requests,
)
from tests.fakes.rillet.support import Json, Rillet, full_invoice, full_item, recorded_invoice, recorded_item

pytestmark = pytest.mark.skipif(MISSING, reason=MISSING_REASON)


def test_every_request_that_the_fake_takes_and_every_answer_fits_rillets_own_document(rillet: Rillet) -> None:
    report = Report()

    with report.recording(rillet.fake.recorder):
        call_every_operation(rillet)
    with report.recording(rillet.fake.recorder, requests=False):
        send_refused_requests(rillet)

    assert report.violations == []
    assert len(report.operations) == 36
    assert report.responses == len(rillet.state.calls)


def test_every_webhook_of_the_fake_fits_rillets_own_schemas(rillet: Rillet) -> None:
    rillet.organisation.add_webhook("https://receiver.example/")
    credit_and_pay(rillet)
    customer = rillet.create("/customers", next(customer_requests()))
    rillet.put(f"/customers/{customer['id']}", {"name": "Carol"})
    rillet.delete(f"/customers/{customer['id']}")
    rillet.delete(f"/invoices/{next(iter(rillet.organisation.invoices)).id}")

    for event in rillet.organisation.announced():
        headers = rillet.organisation.webhooks.sign(event.body, event.entity, event.event, event_id=event.id)
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
    assert list(INVOICE_STATUSES) == document_of("rillet", "InvoiceStatus").schemas["InvoiceStatus"]["enum"]
