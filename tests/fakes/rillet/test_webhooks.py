"""Webhooks of the Rillet fake: what is announced, to whom, and how it is signed."""

import base64
import json

import pytest

from tests.fakes.rillet.support import (
    CUSTOMER,
    SIGNED_HEADERS,
    TOKEN,
    Rillet,
    application,
    credit_memo,
    payment,
    signature,
)
from tests.fakes.support import Receiver

KEY = base64.b64decode(TOKEN)


def test_creating_an_invoice_sends_it_signed_over_five_parts(rillet: Rillet, receiver: Receiver) -> None:
    rillet.organisation.add_webhook(receiver.url, TOKEN)
    invoice = rillet.invoice()

    [delivery] = rillet.organisation.deliver_webhooks()

    [(headers, body)] = receiver.received
    assert json.loads(body) == invoice
    assert headers["CONTENT-TYPE"] == "application/json"
    assert (headers["X-RILLET-ENTITY"], headers["X-RILLET-EVENT"]) == ("INVOICE", "CREATED")
    assert headers["X-RILLET-TIMESTAMP"] == "2026-03-10T12:00:00.000000Z"
    assert headers["X-RILLET-ID"] == delivery.event.id
    assert headers["X-RILLET-SIGNATURE"] == signature(KEY, headers, body)
    assert (delivery.status, delivery.delivered, delivery.attempt, delivery.group) == (200, True, 1, 1)
    assert rillet.organisation.deliver_webhooks() == []


def test_every_change_of_an_invoice_is_announced(rillet: Rillet) -> None:
    invoice = rillet.invoice()
    path = f"/invoices/{invoice['id']}"
    paid = rillet.post(f"{path}/payments", payment("40.00")).json()
    rillet.put(f"{path}/payments/{paid['id']}", payment("50.00"))
    rillet.delete(f"{path}/payments/{paid['id']}")
    rillet.organisation.edit_invoice(invoice["id"], memo="Ahoy")
    rillet.delete(path)

    events = rillet.organisation.announced()

    assert rillet.announced() == [
        "invoice-created",
        *["invoice-payment-updated"] * 3,
        "invoice-updated",
        "invoice-deleted",
    ]
    amounts = [event.document["amount_due"]["amount"] for event in events[:4]]
    assert amounts == ["100.00", "60.00", "50.00", "100.00"]
    assert {(event.entity, event.event) for event in events[1:4]} == {("INVOICE", "PAYMENT_UPDATED")}
    assert events[-1].body == f'"{invoice["id"]}"'.encode()


def test_clearing_and_failing_a_payment_are_announced_with_the_invoice(rillet: Rillet) -> None:
    invoice = rillet.invoice()
    paid = rillet.organisation.pay(invoice["id"], cleared=False)
    rillet.organisation.clear_payment(paid["id"])
    rillet.organisation.fail_payment(paid["id"])

    events = rillet.organisation.announced("invoice-payment-updated")

    assert [event.document["id"] for event in events] == [invoice["id"]] * 3
    assert [event.document["status"] for event in events] == ["PAID", "PAID", "UNBILLED"]


@pytest.mark.parametrize("event", ["payment-updated", "updated"])
def test_applying_a_memo_is_announced_for_both_documents(rillet: Rillet, event: str) -> None:
    rillet.switch(credit_event=event)
    invoice, memo = rillet.invoice(), rillet.memo()
    path = f"/credit-memos/{memo['id']}"
    rillet.create(f"{path}/applications", {"applications": [application(invoice, "100.00")]})
    rillet.delete(f"{path}/applications")
    rillet.put(path, credit_memo())
    rillet.delete(path)

    assert rillet.announced() == [
        "invoice-created",
        "credit-memo-created",
        *["credit-memo-payment-updated", f"invoice-{event}"] * 2,
        "credit-memo-updated",
        "credit-memo-deleted",
    ]
    applied, credited = rillet.organisation.announced()[2:4]
    assert (applied.document["status"], credited.document["status"]) == ("APPLIED", "CREDITED")
    assert rillet.organisation.announced()[-1].document == memo["id"]


def test_every_change_of_a_customer_is_announced(rillet: Rillet) -> None:
    customer = rillet.create("/customers", {"name": "Carol"})
    rillet.put(f"/customers/{customer['id']}", {"name": "Caroline"})
    rillet.delete(f"/customers/{customer['id']}")

    created, updated, deleted = rillet.organisation.announced()

    assert rillet.announced() == ["customer-created", "customer-updated", "customer-deleted"]
    assert (created.document["name"], updated.document["name"]) == ("Carol", "Caroline")
    assert deleted.document == customer["id"]


def test_refused_calls_and_reads_announce_nothing(rillet: Rillet) -> None:
    rillet.post("/invoices", {})
    rillet.post("/credit-memos", credit_memo(credit_memo_date=None))
    rillet.get(f"/customers/{CUSTOMER}")

    assert rillet.announced() == []


def test_a_body_is_the_object_at_the_time_of_the_event(rillet: Rillet, receiver: Receiver) -> None:
    rillet.organisation.add_webhook(receiver.url, TOKEN)
    invoice = rillet.invoice()
    rillet.organisation.pay(invoice["id"])

    rillet.organisation.deliver_webhooks()

    assert [json.loads(body)["status"] for _, body in receiver.received] == ["UNBILLED", "PAID"]


def test_a_webhook_gets_only_the_events_it_is_subscribed_to(rillet: Rillet, receiver: Receiver) -> None:
    rillet.organisation.add_webhook(receiver.url, events=["invoice-payment-updated", "invoice-deleted"])
    invoice = rillet.invoice()
    rillet.organisation.pay(invoice["id"])

    deliveries = rillet.organisation.deliver_webhooks()

    assert [delivery.event.name for delivery in deliveries] == ["invoice-payment-updated"]
    with pytest.raises(ValueError, match="no event is called invoice-paid"):
        rillet.organisation.add_webhook(receiver.url, events=["invoice-paid"])


def test_an_organisation_has_at_most_five_webhooks(rillet: Rillet) -> None:
    for number in range(5):
        rillet.organisation.add_webhook(f"http://127.0.0.1:9/{number}")

    with pytest.raises(ValueError, match="at most 5 webhooks"):
        rillet.organisation.add_webhook("http://127.0.0.1:9/5")


def test_events_of_objects_the_fake_does_not_have_can_be_sent_too(rillet: Rillet, receiver: Receiver) -> None:
    rillet.organisation.add_webhook(receiver.url)
    rillet.organisation.webhooks.emit("journal-entry-deleted", "a-uuid")

    rillet.organisation.deliver_webhooks()

    [(headers, body)] = receiver.received
    assert (headers["X-RILLET-ENTITY"], headers["X-RILLET-EVENT"]) == ("JOURNAL_ENTRY", "DELETED")
    assert body == b'"a-uuid"'
    with pytest.raises(ValueError, match="no event is called"):
        rillet.organisation.webhooks.emit("product-created", {})


def test_an_event_can_be_sent_twice_under_the_same_id(rillet: Rillet, receiver: Receiver) -> None:
    rillet.organisation.add_webhook(receiver.url, TOKEN)
    rillet.invoice()

    rillet.organisation.webhooks.send(rillet.organisation.announced()[0])
    rillet.organisation.deliver_webhooks()

    assert len(receiver.received) == 2
    assert len({headers["X-RILLET-ID"] for headers, _ in receiver.received}) == 1


@pytest.mark.parametrize(
    ("switches", "token", "key", "names"),
    [
        ({}, TOKEN, KEY, ("CREDIT_MEMO", "PAYMENT_UPDATED")),
        ({"token_form": "text"}, "a plain token", b"a plain token", ("CREDIT_MEMO", "PAYMENT_UPDATED")),
        ({"webhook_names": "lower"}, TOKEN, KEY, ("credit-memo", "payment-updated")),
    ],
)
def test_the_form_of_token_and_names_is_a_switch(
    rillet: Rillet,
    receiver: Receiver,
    switches: dict[str, str],
    token: str,
    key: bytes,
    names: tuple[str, str],
) -> None:
    rillet.switch(**switches)
    rillet.organisation.add_webhook(receiver.url, token)
    rillet.organisation.webhooks.emit("credit-memo-payment-updated", {})

    rillet.organisation.deliver_webhooks()

    [(headers, body)] = receiver.received
    assert (headers["X-RILLET-ENTITY"], headers["X-RILLET-EVENT"]) == names
    assert headers["X-RILLET-SIGNATURE"] == signature(key, headers, body)


@pytest.mark.parametrize("regenerated", [False, True])
@pytest.mark.parametrize("signatures", ["one", "several"])
def test_a_regenerated_token_signs_at_once_alone_or_last_of_several(
    rillet: Rillet, receiver: Receiver, signatures: str, regenerated: bool
) -> None:
    rillet.switch(signatures=signatures)
    webhook = rillet.organisation.add_webhook(receiver.url, TOKEN)
    token = rillet.organisation.webhooks.regenerate(webhook.id) if regenerated else TOKEN
    rillet.invoice()

    rillet.organisation.deliver_webhooks()

    [(headers, body)] = receiver.received
    *others, last = headers["X-RILLET-SIGNATURE"].split(",")
    assert last == signature(base64.b64decode(token), headers, body)
    assert len(others) == (signatures == "several")
    assert (signature(KEY, headers, body) in others) is (bool(others) and regenerated)


def test_no_header_holds_more_than_ten_signatures(rillet: Rillet) -> None:
    rillet.switch(signatures="several")
    webhook = rillet.organisation.add_webhook("http://127.0.0.1:9/")
    for _ in range(12):
        rillet.organisation.webhooks.regenerate(webhook.id)

    headers = rillet.organisation.webhooks.sign(b"{}", "INVOICE", "UPDATED")

    assert len(headers["X-Rillet-Signature"].split(",")) == 10


def test_any_body_can_be_signed_for_a_test(rillet: Rillet) -> None:
    rillet.organisation.add_webhook("http://127.0.0.1:9/", TOKEN)

    headers = rillet.organisation.webhooks.sign(b"anything", "invoice", "paid", at=0, event_id="e-1")

    upper = {name.upper(): value for name, value in headers.items()}
    signed = ["1970-01-01T00:00:00.000000Z", "e-1", "invoice", "paid"]
    assert [upper[name] for name in SIGNED_HEADERS] == signed
    assert upper["X-RILLET-SIGNATURE"] == signature(KEY, upper, b"anything")
    with pytest.raises(LookupError):
        rillet.organisation.webhooks.sign(b"", "INVOICE", "UPDATED", webhook_id="none")
