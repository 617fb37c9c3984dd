"""The Solvimon fake's payments, its call that charges a customer, and customers: edited, paying, erased."""

import json
import logging

import pytest
import requests

from local.fake_solvimon.errors import ApiProblem
from local.fake_vendor.faults import Fault
from local.sample_data import invoice_id
from local.sample_data.identity import solvimon_id
from tests.fakes.solvimon.support import Solvimon, money, payment
from tests.fakes.support import Receiver

FIRST, YEN = invoice_id("first"), invoice_id("yen")
CUSTOMER = solvimon_id("cust", "maasvlakte-quay")


def settled(solvimon: Solvimon, identifier: str = FIRST) -> tuple[bool, str, str]:
    invoice = solvimon.get(f"/invoices/{identifier}").json()
    return invoice["paid"], invoice["payment_status"], invoice["paid_invoice_amount"]["quantity"]


def test_a_payment_is_recorded_read_and_listed(solvimon: Solvimon) -> None:
    posted = solvimon.post("/payments", payment())
    made = posted.json()

    assert posted.status_code == 200
    assert made.items() >= payment().items()
    assert made["customer_id"] == solvimon_id("cust", "maasvlakte-quay")
    assert made["created_at"] == made["updated_at"] == "2026-11-03T12:00:00Z"
    assert solvimon.get(f"/payments/{made['id']}").json() == made
    assert solvimon.get("/payments").json()["data"] == [made]
    assert solvimon.get(f"/invoices/{FIRST}/payments").json()["data"] == [made]
    assert solvimon.get("/payments/paym_none").status_code == 404


def test_payments_are_found_by_reference_invoice_and_customer(solvimon: Solvimon) -> None:
    solvimon.post("/payments", payment(external_reference="a1"))
    solvimon.clock.advance(60)
    yen = payment("500", external_reference="b2", invoice_id=YEN, amount=money("500", "JPY"))
    solvimon.post("/payments", yen)

    def references(**query: object) -> list[str]:
        return [one["external_reference"] for one in solvimon.get("/payments", **query).json()["data"]]

    assert references() == ["b2", "a1"]
    assert references(external_reference="a1") == references(invoice_id=FIRST) == ["a1"]
    assert references(customer_id=solvimon_id("cust", "osaka-bay")) == ["b2"]
    assert references(external_reference="A1") == []
    assert references(limit=1, page=2) == ["a1"]


def test_a_reference_with_hyphens_is_a_switch(solvimon: Solvimon) -> None:
    solvimon.platform.payment_references = "any"

    assert solvimon.post("/payments", payment(external_reference="4444-4444")).status_code == 200


def test_two_payments_with_one_reference_are_a_switch(solvimon: Solvimon) -> None:
    accepted = [solvimon.post("/payments", payment()).status_code for _ in range(2)]
    solvimon.platform.payment_references_unique = True

    refused = solvimon.post("/payments", payment())

    assert accepted == [200, 200]
    assert (refused.status_code, refused.json()["code"]) == (409, "RESOURCE_ALREADY_EXISTS")


def test_by_default_a_payment_leaves_its_invoice_alone(solvimon: Solvimon, receiver: Receiver) -> None:
    solvimon.platform.finalise(FIRST)
    solvimon.platform.add_webhook(receiver.url, "secret")

    solvimon.post("/payments", payment("6745.75"))

    assert settled(solvimon) == (False, "UNPAID", "0.00")
    assert solvimon.platform.deliver_webhooks() == []


def test_payments_settle_their_invoice_when_the_switch_is_on(solvimon: Solvimon, receiver: Receiver) -> None:
    solvimon.platform.payments_settle = True
    solvimon.platform.finalise(FIRST)
    solvimon.platform.add_webhook(receiver.url, "secret")
    states = []

    for quantity, result in (("1000.00", "REFUSED"), ("1000.00", "AUTHORIZED"), ("5745.75", "AUTHORIZED")):
        solvimon.post("/payments", payment(quantity, result=result))
        states.append(settled(solvimon))
    last = solvimon.post("/payments", payment("0.01")).json()
    states.append(settled(solvimon))
    solvimon.post(f"/payments/{last['id']}/reverse")
    states.append(settled(solvimon))

    assert states == [
        (False, "UNPAID", "0.00"),
        (False, "PARTIALLY_PAID", "1000.00"),
        (True, "PAID", "6745.75"),
        (True, "OVERPAID", "6745.76"),
        (True, "PAID", "6745.75"),
    ]
    solvimon.platform.deliver_webhooks()
    types = [json.loads(body)["type"] for _, body in receiver.received]
    assert types == [*["INVOICE.UPDATED"] * 3, "INVOICE.PAID", *["INVOICE.UPDATED"] * 2]


def test_a_payment_without_amount_or_invoice_settles_nothing(solvimon: Solvimon) -> None:
    solvimon.platform.payments_settle = True
    body = payment()

    solvimon.post("/payments", body | {"amount": None})
    alone = solvimon.post("/payments", body | {"invoice_id": None}).json()

    assert settled(solvimon) == (False, "UNPAID", "0.00")
    assert not {"invoice_id", "customer_id"} & alone.keys()


def test_a_payment_is_refunded_in_parts_until_nothing_is_left(solvimon: Solvimon) -> None:
    solvimon.platform.payments_settle = True
    path = f"/payments/{solvimon.post('/payments', payment('100.00')).json()['id']}"

    part = solvimon.post(f"{path}/refund", {"amount": money("40.00")}).json()
    after_part = settled(solvimon)
    too_much = solvimon.post(f"{path}/refund", {"amount": money("60.01")})
    rest = solvimon.post(f"{path}/refund", {}).json()
    again = solvimon.post(f"{path}/refund", {})

    assert (part["status"], part["payment"]["result"]) == ("SUCCESS", "AUTHORIZED")
    assert after_part == (False, "PARTIALLY_PAID", "60.00")
    assert (too_much.status_code, too_much.json()["field"]) == (400, "amount")
    assert rest["payment"]["result"] == "REFUNDED"
    assert settled(solvimon) == (False, "UNPAID", "0.00")
    assert again.json()["code"] == "INVALID_OPERATION"
    assert solvimon.post(f"{path}/refund", {"amount": 5}).json()["field"] == "amount"


def test_a_payment_is_reversed_once_and_cannot_be_changed(solvimon: Solvimon) -> None:
    path = f"/payments/{solvimon.post('/payments', payment()).json()['id']}"

    reversed_once = solvimon.post(f"{path}/reverse").json()
    again = solvimon.post(f"{path}/reverse")

    assert reversed_once["payment"]["result"] == "CANCELLED"
    assert again.json()["code"] == "INVALID_OPERATION"
    assert solvimon.call("PATCH", path, {"result": "ERROR"}, checked=False).status_code == 405


def test_the_same_key_records_one_payment(solvimon: Solvimon) -> None:
    first, second = (solvimon.post("/payments", payment(), key="k").json() for _ in range(2))
    reused = solvimon.post("/payments", payment("1.00"), key="k")

    assert first == second
    assert (len(solvimon.platform.records["payments"]), reused.status_code) == (1, 409)


def test_a_reader_cannot_record_payments(solvimon: Solvimon) -> None:
    assert solvimon.call("POST", "/payments", payment(), api_key="key-that-only-reads").status_code == 403


def test_marking_a_final_invoice_paid_echoes(solvimon: Solvimon, receiver: Receiver) -> None:
    solvimon.platform.finalise(FIRST)
    solvimon.platform.add_webhook(receiver.url, "secret")
    path = f"/invoices/{FIRST}"

    solvimon.patch(path, {"paid": False, "payment_status": "PARTIALLY_PAID"})
    solvimon.patch(path, {"paid": True, "payment_status": "PAID"})
    solvimon.patch(path, {"paid": True, "payment_status": "PAID"})
    solvimon.patch(path, {"paid": False, "payment_status": "UNPAID"})
    solvimon.platform.deliver_webhooks()

    envelopes = [json.loads(body) for _, body in receiver.received]
    updated, paid = "INVOICE.UPDATED", "INVOICE.PAID"
    assert [envelope["type"] for envelope in envelopes] == [updated, updated, paid, updated, updated]
    assert [envelope["data"]["payment_status"] for envelope in envelopes] == [
        *("PARTIALLY_PAID", "PAID", "PAID", "PAID", "UNPAID")
    ]


def test_charging_the_customer_is_recorded_and_logged_as_an_error(
    solvimon: Solvimon, caplog: pytest.LogCaptureFixture
) -> None:
    solvimon.platform.finalise(FIRST)

    with caplog.at_level(logging.ERROR):
        charged = solvimon.post(f"/invoices/{FIRST}/pay").json()

    assert (charged["paid"], charged["payment_status"]) == (True, "PAID")
    assert solvimon.state.charged == [FIRST]
    assert "has charged the customer" in caplog.text
    solvimon.reset()
    assert solvimon.state.charged == []


def test_users_edit_a_customer_and_it_is_announced(solvimon: Solvimon, receiver: Receiver) -> None:
    solvimon.platform.add_webhook(receiver.url, "secret")
    before = solvimon.get("/customers/waddenveer").json()

    edited = solvimon.platform.edit_customer(
        "waddenveer",
        email="new@waddenveer.example",
        organization={
            "legal_name": "Waddenveer N.V.",
            "registered_address": {"line1": "Kade 1", "state": None},
        },
    )
    solvimon.platform.deliver_webhooks()

    address = edited["organization"]["registered_address"]
    old = before["organization"]["registered_address"]
    assert edited == solvimon.get(f"/customers/{before['id']}").json()
    assert (edited["email"], edited["organization"]["legal_name"]) == (
        "new@waddenveer.example",
        "Waddenveer N.V.",
    )
    assert address == {name: text for name, text in old.items() if name != "state"} | {"line1": "Kade 1"}
    assert edited["organization"]["tax_id"] == before["organization"]["tax_id"]
    assert edited["custom_fields"] == before["custom_fields"]
    envelope = json.loads(receiver.received[0][1])
    assert (envelope["type"], envelope["data"]) == ("CUSTOMER.UPDATED", edited)


def test_users_cannot_edit_what_the_rules_forbid(solvimon: Solvimon) -> None:
    with pytest.raises(ApiProblem, match="must match"):
        solvimon.platform.edit_customer("waddenveer", email="no-address")
    with pytest.raises(ApiProblem, match="was not found"):
        solvimon.platform.edit_customer("unknown", email="a@b.example")


def test_a_dropped_connection_leaves_the_payment_behind(solvimon: Solvimon) -> None:
    solvimon.state.misbehave("commit_then_drop", "POST", "/payments", times=1)

    with pytest.raises(requests.ConnectionError):
        solvimon.post("/payments", payment(), key="k")

    assert len(solvimon.platform.records["payments"]) == 1
    assert solvimon.post("/payments", payment(), key="k").headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("quantity", "result", "state"),
    [
        (None, "AUTHORIZED", (True, "PAID")),
        ("1.00", "AUTHORIZED", (False, "PARTIALLY_PAID")),
        (None, "PENDING", (False, "UNPAID")),
    ],
)
def test_money_that_solvimon_collects_sets_the_invoices_state(
    solvimon: Solvimon, quantity: str | None, result: str, state: tuple[bool, str]
) -> None:
    payment = solvimon.platform.collect(FIRST, quantity, result=result)

    assert settled(solvimon)[:2] == state
    [listed] = solvimon.get(f"/invoices/{FIRST}/payments").json()["data"]
    assert (listed["id"], listed["result"]) == (payment["id"], result)
    assert listed["payment_method_details"] == {"type": "CARD"}


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [("AUTHORIZED", "CHARGED_BACK", (False, "UNPAID")), ("PENDING", "AUTHORIZED", (True, "PAID"))],
)
def test_a_payment_that_ends_otherwise_changes_the_state_again(
    solvimon: Solvimon, before: str, after: str, state: tuple[bool, str]
) -> None:
    payment = solvimon.platform.collect(FIRST, method="DIRECT_DEBIT", result=before)

    solvimon.platform.end_payment(payment["id"], after)

    assert settled(solvimon)[:2] == state


@pytest.mark.parametrize("keep_links", [True, False])
def test_an_erased_customer_has_no_personal_data(solvimon: Solvimon, keep_links: bool) -> None:
    before = solvimon.get(f"/customers/{CUSTOMER}").json()

    solvimon.platform.forget_customer(CUSTOMER, keep_links=keep_links)

    after = solvimon.get(f"/customers/{CUSTOMER}").json()
    assert not {"email", "organization", "individual", "name"} & after.keys()
    assert after["status"] == "ARCHIVED"
    assert bool(after.get("custom_fields")) is (keep_links and bool(before["custom_fields"]))


def test_somebody_acts_just_before_a_call_is_executed(solvimon: Solvimon) -> None:
    def rename() -> None:
        solvimon.platform.edit_customer(CUSTOMER, organization={"legal_name": "By a person"})

    solvimon.state.faults.add(Fault("act", "GET", f"/customers/{CUSTOMER}", 1, {"do": rename}))

    assert solvimon.get(f"/customers/{CUSTOMER}").json()["organization"]["legal_name"] == "By a person"
