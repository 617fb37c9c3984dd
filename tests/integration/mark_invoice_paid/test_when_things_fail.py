"""Odd events, refusals and outages: nothing is lost, nothing stops the worker, a person reads why."""

import json

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import (
    FUNCTION,
    OPEN,
    PAID,
    PARTLY,
    dead,
    document_of,
    exported,
    hold_back,
    item,
    mark,
    no_trouble,
    patches,
    post,
    rillet_calls,
    send_document,
    settle,
    state,
    waiting,
)
from tests.support.arrange import configure
from tests.support.builders import ORIGINAL

pytestmark = pytest.mark.slow

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
def test_an_event_with_odd_fields_is_worked_off_by_what_rillet_says(
    system: LocalSystem, connection: Connection, odd: dict[str, object]
) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    connection.organisation.pay(rillet_id, "21.00")

    status = send_document(system, connection, {**document_of(connection, rillet_id, amount_due=None), **odd})

    assert status == 200
    assert state(connection) == PARTLY
    assert item(system, "invoice")["state"] == "exported"
    no_trouble(system)


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


def test_solvimon_down_lets_the_payment_wait_and_go_on(system: LocalSystem, connection: Connection) -> None:
    rillet_id = exported(system, connection)
    system.solvimon.state.misbehave("down")
    connection.organisation.pay(rillet_id)
    connection.organisation.deliver_webhooks()
    for _ in range(30):
        system.deliver(FUNCTION)
        system.advance(900)
    during = (state(connection), dead(system), waiting(system))

    system.solvimon.state.behave()
    system.settle()

    assert during == (OPEN, [], 1)
    assert state(connection) == PAID
    no_trouble(system)


def test_rillet_down_is_no_matter_for_an_event_that_says_it_all(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    connection.organisation.pay(rillet_id)
    system.rillet.state.misbehave("down")

    settle(system, connection)

    assert state(connection) == PAID


def test_a_final_invoice_that_solvimon_does_not_let_change_is_recorded_with_its_remedy(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    writable = connection.platform.writable_when_final
    connection.platform.writable_when_final = frozenset()
    connection.organisation.pay(rillet_id)
    settle(system, connection)
    refused = item(system)

    connection.platform.writable_when_final = writable
    again = mark(system)

    assert (refused["state"], refused["code"]) == ("rejected", "refused_by_solvimon")
    assert "mark the invoice PAID" in refused["message"]
    assert "mark_invoice_paid" in refused["remedy"]
    assert "lease_until" not in refused
    assert again[0]["outcome"] == "marked"
    assert state(connection) == PAID
    assert item(system)["state"] == "marked"
    no_trouble(system)


def test_an_invoice_that_solvimon_does_not_have_any_more_is_recorded(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    system.solvimon.state.misbehave(
        "status", method="PATCH", path="/invoices", times=1, status=404, code="RESOURCE_NOT_FOUND"
    )

    connection.organisation.pay(rillet_id)
    settle(system, connection)

    assert (item(system)["state"], item(system)["code"]) == ("rejected", "solvimon_record_missing")
    no_trouble(system)


def test_a_person_may_ask_and_sees_first_what_would_happen(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    connection.organisation.pay(rillet_id, "21.00")

    dry = mark(system, dry_run=True)
    unchanged = (
        state(connection),
        patches(system),
        system.ledger_item(f"default#payment#{ORIGINAL}", "RECORD"),
    )
    done, again, dry_again = mark(system), mark(system), mark(system, dry_run=True)

    said = {"paid": False, "payment_status": "PARTIALLY_PAID", "amount_due": "100"}
    assert dry == [{"invoice_id": ORIGINAL, "outcome": "would_mark", **said}]
    assert unchanged == (OPEN, [], None)
    assert done == [{"invoice_id": ORIGINAL, "outcome": "marked", **said}]
    assert again == dry_again == [{"invoice_id": ORIGINAL, "outcome": "unchanged", **said}]
    assert len(patches(system)) == 1


@pytest.mark.parametrize(
    "shown", [{"paid": False, "payment_status": "UNPAID"}, {"paid": False}, {"payment_status": None}]
)
def test_a_person_who_asks_because_solvimon_shows_something_else_gets_it_written(
    system: LocalSystem, connection: Connection, shown: dict[str, object]
) -> None:
    rillet_id = exported(system, connection)
    connection.organisation.pay(rillet_id)
    settle(system, connection)
    connection.platform.records["invoices"][ORIGINAL] |= shown

    dry, done, again = mark(system, dry_run=True), mark(system), mark(system)

    assert [result["outcome"] for result in (*dry, *done, *again)] == ["would_mark", "marked", "unchanged"]
    assert state(connection) == PAID
    assert len(patches(system)) == 2


def test_a_person_who_asks_for_what_solvimon_shows_already_causes_no_write(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    connection.organisation.pay(rillet_id)
    connection.platform.records["invoices"][ORIGINAL] |= {"paid": True, "payment_status": "PAID"}

    [result] = mark(system)

    assert result["outcome"] == "unchanged"
    assert patches(system) == []
    assert item(system)["payment_status"] == "PAID"


def test_a_person_who_asks_for_an_invoice_that_solvimon_does_not_have_is_told_so(
    system: LocalSystem, connection: Connection
) -> None:
    exported(system, connection)
    del connection.platform.records["invoices"][ORIGINAL]

    asked = mark(system, dry_run=True), mark(system)

    assert [result[0]["outcome"] for result in asked] == ["would_reject", "rejected"]
    assert {result[0]["code"] for result in asked} == {"solvimon_record_missing"}


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("invoice_id", ["invo_unknown", "not an id", "a#b"])
def test_a_person_who_asks_for_what_is_not_ours_is_told_so(
    system: LocalSystem, connection: Connection, invoice_id: str, dry_run: bool
) -> None:
    [result] = mark(system, invoice_id, dry_run=dry_run)

    assert result["outcome"] == "not_ours"
    assert rillet_calls(system) == 0
    assert system.ledger() == []


def test_a_persons_request_that_must_wait_is_done_from_the_queue(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    connection.organisation.pay(rillet_id)
    system.solvimon.state.misbehave("down")
    [queued] = mark(system)

    system.solvimon.state.behave()
    system.advance(60)
    system.settle()

    assert queued["outcome"] == "queued"
    assert state(connection) == PAID


def test_a_request_with_wrong_fields_is_answered_with_an_example(
    system: LocalSystem, connection: Connection
) -> None:
    answer = system.invoke(FUNCTION, {"invoices": []})

    assert "invoice_ids" in answer["error"]
    assert "invoice_ids" in json.dumps(answer["example"])


def test_a_dry_run_says_try_again_where_rillet_does_not_answer(
    system: LocalSystem, connection: Connection
) -> None:
    exported(system, connection)
    configure(system, connection)
    system.rillet.state.misbehave("down")

    [result] = mark(system, dry_run=True)

    assert result["outcome"] == "try_again"
