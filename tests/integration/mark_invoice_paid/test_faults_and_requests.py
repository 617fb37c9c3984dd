"""Odd events, refusals, outages and requests: nothing is lost, and a person reads why."""

import json

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import (
    FUNCTION,
    OPEN,
    PAID,
    PARTLY,
    Invoice,
    mark,
    post,
    rillet_calls,
)
from tests.support.arrange import configure
from tests.support.builders import ORIGINAL, Json

pytestmark = pytest.mark.slow

PAYMENT = f"default#payment#{ORIGINAL}"
EUR = {"currency": "EUR"}
ODD = [
    {"total": {"amount": "many", **EUR}},
    {"total": {"amount": "NaN", **EUR}},
    {"total": {"amount": "Infinity", **EUR}, "amount_due": {"amount": "-Infinity", **EUR}},
    {"total": {"amount": "1e999999", **EUR}},
    {"total": {"amount": "9" * 5000, **EUR}},
    {"total": {"amount": "", **EUR}},
    {"total": {"amount": 121, **EUR}},
    {"total": {"amount": "121.00"}},
    {"total": {"amount": "121.00", "currency": 978}},
    {"total": {"amount": "121.00", "currency": "euro"}},
    {"total": "121.00"},
    {"total": None},
    {"total": []},
    {"amount_due": {"amount": "100.00", "currency": "USD"}},
    {"amount_due": None},
    {"status": None},
    {"status": 7},
    {"status": "P" * 300_000},
    {"updated_at": None},
    {"updated_at": 1_700_000_000},
    {"updated_at": {"at": "2026"}},
    {"updated_at": "9" * 300_000},
    {"external_references": "none"},
    {"external_references": [None, 5, {"id": 7}, {"id": "../x"}, {"type": "x"}]},
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:50])
def test_an_event_with_odd_fields_is_processed_by_what_rillet_says(invoice: Invoice, odd: Json) -> None:
    invoice.hold_back()
    invoice.pay("21.00", deliver=False)

    status = invoice.send_document({**invoice.shown(amount_due=None), **odd})

    assert status == 200
    assert invoice.state == PARTLY
    assert invoice.record("invoice")["state"] == "exported"
    invoice.no_trouble()


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"7", b"null", b'""', b'"a b"', b'{"id": 5}', b'{"invoice_id": null}', b"\xc3\xa9"]
)
@pytest.mark.parametrize("happened", ["PAYMENT_UPDATED", "DELETED"])
def test_a_body_of_no_known_shape_is_acknowledged_and_reaches_nobody(
    system: LocalSystem, connection: Connection, body: bytes, happened: str
) -> None:
    status = post(system, connection, body, happened=happened)

    assert status == 200
    assert system.bus_events() == []


def test_solvimon_down_lets_the_payment_wait_and_go_on(invoice: Invoice) -> None:
    invoice.system.solvimon.state.misbehave("down")
    invoice.pay(deliver=False)
    invoice.organisation.deliver_webhooks()
    for _ in range(30):
        invoice.system.deliver(FUNCTION)
        invoice.system.advance(900)
    during = (invoice.state, invoice.dead, invoice.waiting)

    invoice.system.solvimon.state.behave()
    invoice.system.settle()

    assert during == (OPEN, [], 1)
    assert invoice.state == PAID
    invoice.no_trouble()


def test_a_complete_event_is_processed_while_rillet_is_down(invoice: Invoice) -> None:
    invoice.pay(deliver=False)
    invoice.system.rillet.state.misbehave("down")

    invoice.settle()

    assert invoice.state == PAID


def test_an_invoice_that_solvimon_does_not_let_change_is_recorded_with_its_remedy(invoice: Invoice) -> None:
    writable = invoice.platform.writable_when_final
    invoice.platform.writable_when_final = frozenset()
    invoice.pay()
    refused = invoice.record()

    invoice.platform.writable_when_final = writable
    again = invoice.mark()

    assert (refused["state"], refused["code"]) == ("rejected", "refused_by_solvimon")
    assert "mark the invoice PAID" in refused["message"]
    assert "mark_invoice_paid" in refused["remedy"]
    assert "lease_until" not in refused
    assert again["outcome"] == "marked"
    assert invoice.state == PAID
    assert invoice.record()["state"] == "marked"
    invoice.no_trouble()


def test_an_invoice_that_solvimon_does_not_have_any_more_is_recorded(invoice: Invoice) -> None:
    invoice.system.solvimon.state.misbehave(
        "status", method="PATCH", path="/invoices", times=1, status=404, code="RESOURCE_NOT_FOUND"
    )

    invoice.pay()

    assert invoice.verdict("payment") == ("rejected", "solvimon_record_missing")
    invoice.no_trouble()


def test_a_dry_run_answers_what_a_request_does_and_writes_nothing(invoice: Invoice) -> None:
    invoice.hold_back()
    invoice.pay("21.00", deliver=False)
    before = invoice.system.ledger_item(PAYMENT, "RECORD")

    dry = invoice.mark(dry_run=True)
    after_it = invoice.state, invoice.patches, invoice.system.ledger_item(PAYMENT, "RECORD")
    done, again, dry_again = invoice.mark(), invoice.mark(), invoice.mark(dry_run=True)

    answer = {"invoice_id": ORIGINAL, "paid": False, "payment_status": "PARTIALLY_PAID", "amount_due": "100"}
    assert dry == {**answer, "outcome": "would_mark"}
    assert after_it == (OPEN, [], before)
    assert done == {**answer, "outcome": "marked"}
    assert again == dry_again == {**answer, "outcome": "unchanged"}
    assert len(invoice.patches) == 1


@pytest.mark.parametrize(
    "shown", [{"paid": False, "payment_status": "UNPAID"}, {"paid": False}, {"payment_status": None}]
)
def test_a_request_writes_again_where_solvimon_shows_something_else(invoice: Invoice, shown: Json) -> None:
    invoice.pay()
    invoice.platform.records["invoices"][ORIGINAL] |= shown

    answers = invoice.mark(dry_run=True), invoice.mark(), invoice.mark()

    assert [answer["outcome"] for answer in answers] == ["would_mark", "marked", "unchanged"]
    assert invoice.state == PAID
    assert len(invoice.patches) == 2


def test_a_request_writes_nothing_where_solvimon_shows_the_state_already(invoice: Invoice) -> None:
    invoice.hold_back()
    invoice.pay(deliver=False)
    invoice.platform.records["invoices"][ORIGINAL] |= {"paid": True, "payment_status": "PAID"}

    result = invoice.mark()

    assert result["outcome"] == "unchanged"
    assert invoice.patches == []
    assert invoice.record()["payment_status"] == "PAID"


def test_a_request_for_an_invoice_that_solvimon_does_not_have_is_rejected(invoice: Invoice) -> None:
    del invoice.platform.records["invoices"][ORIGINAL]

    asked = invoice.mark(dry_run=True), invoice.mark()

    assert [result["outcome"] for result in asked] == ["would_reject", "rejected"]
    assert {result["code"] for result in asked} == {"solvimon_record_missing"}


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("invoice_id", "outcomes"),
    [
        ("invo_unknown", ("not_ours", "not_ours")),
        *((text, ("rejected", "would_reject")) for text in ("not an id", "a#b")),
    ],
)
def test_a_request_for_an_invoice_that_is_not_ours_is_answered_with_that(
    system: LocalSystem, connection: Connection, invoice_id: str, outcomes: tuple[str, str], dry_run: bool
) -> None:
    [result] = mark(system, invoice_id, dry_run=dry_run)

    assert result["outcome"] == outcomes[dry_run]
    assert rillet_calls(system) == 0
    assert system.ledger() == []


def test_a_request_that_must_wait_is_done_from_the_queue(invoice: Invoice) -> None:
    invoice.hold_back()
    invoice.pay(deliver=False)
    invoice.system.solvimon.state.misbehave("down")
    queued = invoice.mark()

    invoice.system.solvimon.state.behave()
    invoice.system.advance(60)
    invoice.system.settle()

    assert queued["outcome"] == "queued"
    assert invoice.state == PAID


def test_wrong_fields_are_answered_with_an_example(system: LocalSystem, connection: Connection) -> None:
    answer = system.invoke(FUNCTION, {"invoices": []})

    assert "invoice_ids" in answer["error"]
    assert "invoice_ids" in json.dumps(answer["example"])


def test_a_dry_run_says_try_again_where_rillet_does_not_answer(invoice: Invoice) -> None:
    configure(invoice.system, invoice.connection)
    invoice.system.rillet.state.misbehave("down")

    result = invoice.mark(dry_run=True)

    assert result["outcome"] == "try_again"
