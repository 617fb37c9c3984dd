"""A call may be carried out long after its answer was given up; the invoice is in Rillet once nevertheless.

Rillet's guard of a key whose first call is under way is unknown, so the fake executes both.
"""

from collections.abc import Callable
from typing import Any

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.sweep.support import swept
from tests.support.arrange import (
    HOUR,
    booked_by_hand,
    configure,
    export,
    finalise,
    lost_answer,
    patched,
    solvimon_invoice,
    until_exported,
    until_finished,
)
from tests.support.assertions import assert_exported, calls_to, invoice_posts, record, rillet_invoices
from tests.support.builders import DEMO_PERSON_IN_RILLET, FIRST, Json

OURS = "solvimon_ref"


def record_only(system: LocalSystem, connection: Connection) -> None:
    """Settings in which Rillet keeps Solvimon's number."""
    connection.organisation.register_reference_type(OURS)
    configure(
        system,
        connection,
        invoice_scope="REVENUE_RECOGNITION_ONLY",
        reference_types={"invoice": OURS, "invoice_line": None},
    )


def sent_late(system: LocalSystem, connection: Connection, seconds: int) -> None:
    """Export the first invoice, whose POST Rillet carries out so many seconds after the answer was lost."""
    system.rillet.state.misbehave("late", "POST", "/invoices", seconds=seconds)
    finalise(system, connection)
    system.settle()
    assert rillet_invoices(connection) == []


def in_rillet(connection: Connection) -> Json:
    """The only invoice in Rillet, to be changed as a person or Rillet changes it."""
    [invoice] = rillet_invoices(connection)
    changed: Json = connection.organisation.invoices.get(invoice["id"]).document
    return changed


@pytest.mark.parametrize("seconds", [10, 70, 600])
@pytest.mark.parametrize("change", [lambda *_: None, record_only])
def test_a_call_that_arrives_within_the_settle_time_makes_one_invoice(
    system: LocalSystem, default: Connection, seconds: int, change: Callable[[LocalSystem, Connection], None]
) -> None:
    sent_late(system, default, seconds)
    change(system, default)

    until_exported(system)

    first, *others = invoice_posts(system)
    assert all(other.time - first.time >= SETTLE_SECONDS - 1 for other in others)
    assert {call.idempotency_key for call in (first, *others)} == {first.idempotency_key}
    assert_exported(system, default, only=True)


def test_a_repeated_key_does_not_wait_if_the_first_call_is_known_to_be_over(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("status_after", status=500)
    finalise(system, default)
    system.settle()

    system.advance(30)
    system.settle()

    assert len(invoice_posts(system)) == 2
    assert_exported(system, default, only=True)


def test_a_call_that_never_left_costs_no_wait_and_no_look_up(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("status", status=429)
    finalise(system, default)
    system.settle()
    waiting = record(system)
    record_only(system, default)

    system.advance(62)
    system.settle()

    assert (waiting["state"], waiting["attempt"], "lease_until" in waiting) == ("sending", {}, False)
    assert calls_to(system, "GET", "/invoices") == []
    assert_exported(system, default, only=True)


def test_a_run_that_stood_still_after_its_stamp_sends_nothing(
    system: LocalSystem, default: Connection
) -> None:
    default.platform.finalise(FIRST)

    def stand_still(ledger: Ledger, *args: Any, _real: Any = Ledger.record_attempt) -> None:  # noqa: ANN401
        _real(ledger, *args)
        system.advance(LEASE_SECONDS + 1)

    with patched(Ledger, "record_attempt", stand_still):
        [stopped] = export(system)
    sent = invoice_posts(system)
    [resumed] = export(system)

    assert "this run took too long" in stopped["reason"]
    assert sent == []
    assert resumed["outcome"] == "exported"
    assert_exported(system, default, only=True)


@pytest.mark.parametrize("refusal", [400, 409])
def test_a_refusal_of_a_repeated_key_is_no_refusal_of_the_call_before(
    system: LocalSystem, default: Connection, refusal: int
) -> None:
    sent_late(system, default, SETTLE_SECONDS + 300)
    system.rillet.state.misbehave("status", "POST", "/invoices", status=refusal, times=1)
    system.advance(SETTLE_SECONDS)
    system.settle()
    refused = record(system)

    system.advance(SETTLE_SECONDS)
    [retried] = export(system)

    if refusal == 400:
        assert (refused["state"], refused["attempt"]["open"]) == ("rejected", True)
        assert calls_to(system, "GET", "/invoices"), "it looked before it took the answer for a refusal"
    assert retried["outcome"] == "exported"
    assert_exported(system, default, only=True)


def test_a_look_up_that_rillet_refuses_leaves_the_attempt_open(
    system: LocalSystem, default: Connection
) -> None:
    before = lost_answer(system, default)
    system.rillet.state.misbehave("status", "POST", "/invoices", status=409, times=1)
    system.rillet.state.misbehave("status", "GET", "/invoices", status=422, times=1)

    system.advance(SETTLE_SECONDS)
    system.settle()
    in_between = record(system)
    system.advance(61)
    [retried] = export(system)

    assert (in_between["state"], in_between["attempt"]["open"]) == ("rejected", True)
    assert retried["outcome"] == "exported"
    assert len({call.idempotency_key for call in invoice_posts(system)}) == 1
    assert before["attempt"]["key"] == record(system)["attempt"]["key"]
    assert_exported(system, default, only=True)


@pytest.mark.parametrize("how", ["restart", "shift"])
def test_a_look_up_in_a_list_that_restarts_or_shifts_ends_with_the_invoice(
    system: LocalSystem, default: Connection, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost_answer(system, default)
    for _ in range(3):
        booked_by_hand(system, default, {**invoice_posts(system)[0].request_body, "external_references": []})
    monkeypatch.setattr(system.rillet.state, "most_rows", 2)
    record_only(system, default)
    system.rillet.state.misbehave(how, "GET", "/invoices", times=1)

    system.advance(SETTLE_SECONDS)
    [first] = export(system)
    until_exported(system)

    assert first["outcome"] == ("queued" if how == "restart" else "exported")
    assert len(invoice_posts(system)) == 4, "three by hand, and the one whose answer was lost"
    assert len(rillet_invoices(default, FIRST)) == 1


def drop_the_reference(connection: Connection) -> None:
    in_rillet(connection)["external_references"] = []


def move_to_another_customer(connection: Connection) -> None:
    in_rillet(connection)["customer_id"] = DEMO_PERSON_IN_RILLET


def drop_and_move(connection: Connection) -> None:
    drop_the_reference(connection)
    move_to_another_customer(connection)


@pytest.mark.parametrize(
    ("change", "notes"), [(drop_the_reference, 1), (move_to_another_customer, 0), (drop_and_move, 2)]
)
def test_an_invoice_without_our_reference_or_customer_is_found_by_number_date_and_amounts(
    system: LocalSystem, default: Connection, change: Callable[[Connection], None], notes: int
) -> None:
    record_only(system, default)
    lost_answer(system, default)
    change(default)

    system.advance(25 * HOUR)
    until_exported(system)

    [invoice] = rillet_invoices(default)
    kept = record(system)
    found = [w for w in kept["warnings"] if "found in Rillet" in w or "another customer" in w]
    assert (kept["rillet_id"], len(found)) == (invoice["id"], notes)


def test_an_invoice_that_refers_to_another_document_is_never_adopted(
    system: LocalSystem, default: Connection
) -> None:
    record_only(system, default)
    lost_answer(system, default)
    other = {"type": OURS, "id": "invo_other", "url": "https://desk.example/invo_other"}
    in_rillet(default)["external_references"] = [other]

    system.advance(25 * HOUR)
    until_exported(system)

    assert len(rillet_invoices(default)) == 2
    assert record(system)["rillet_id"] == rillet_invoices(default, FIRST)[0]["id"]


def test_where_rillet_numbers_invoices_one_that_looks_the_same_is_for_a_person_to_decide(
    system: LocalSystem, default: Connection
) -> None:
    lost_answer(system, default)
    drop_the_reference(default)
    system.advance(25 * HOUR)
    until_finished(system)
    unsure = record(system)

    type_ = invoice_posts(system)[0].request_body["external_references"][0]["type"]
    in_rillet(default)["external_references"] = [{"type": type_, "id": "not from Solvimon"}]
    [retried] = export(system)

    assert (unsure["state"], unsure["code"]) == ("rejected", "possibly_in_rillet")
    assert rillet_invoices(default)[0]["id"] in unsure["message"]
    assert retried["outcome"] == "exported"
    assert len(rillet_invoices(default)) == 2


def test_a_replaced_attempt_stays_in_the_record_and_its_double_is_told_by_the_next_sweep(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.webhooks_on = False
    sent_late(system, default, 25 * HOUR)
    first = record(system)["attempt"]
    record_only(system, default)
    until_exported(system)
    [replaced] = record(system)["replaced"]

    system.advance(25 * HOUR)
    found = swept(system)

    kept = record(system)
    assert replaced["key"] == first["key"] != kept["attempt"]["key"]
    assert found == {"doubled": 1}
    assert (kept["state"], kept["code"]) == ("differs", "exported_twice")
    assert all(each["id"] in kept["message"] for each in rillet_invoices(default, FIRST))


def test_a_double_without_our_reference_is_told_by_the_look_up_a_day_later(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.webhooks_on = False
    record_only(system, default)
    sent_late(system, default, 20 * 60)
    configure(
        system, default, invoice_scope="AR_ONLY", reference_types={"invoice": OURS, "invoice_line": None}
    )
    system.advance(SETTLE_SECONDS)
    system.settle()
    booked = record(system)["rillet_id"]
    system.advance(600)
    [late] = [each for each in rillet_invoices(default) if each["id"] != booked]
    default.organisation.invoices.get(late["id"]).document["external_references"] = []
    before = swept(system)

    system.advance(26 * HOUR)
    after = swept(system)
    again = swept(system)

    kept = record(system)
    assert (before, after, again) == ({}, {"doubled": 1}, {})
    assert (kept["state"], kept["code"]) == ("differs", "exported_twice")
    assert late["id"] in kept["message"]


def test_an_invoice_that_arrives_after_it_was_given_up_is_adopted_by_the_next_sweep(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.webhooks_on = False
    sent_late(system, default, SETTLE_SECONDS + 300)
    solvimon_invoice(default)["timezone"] = "Nowhere/Land"
    system.advance(SETTLE_SECONDS)
    system.settle()
    given_up = record(system)

    system.advance(300)
    found = swept(system)

    assert given_up["state"] == "rejected"
    assert found == {"late": 1}
    assert_exported(system, default, only=True)
