"""A call may be carried out long after its answer was given up; the invoice is in Rillet once nevertheless.

Rillet's guard of a key whose first call is under way is unknown, so the fake executes both.
"""

from collections.abc import Callable
from typing import Any

import pytest

from local.system import Connection
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.sweep.support import swept
from tests.support.arrange import HOUR, patched, solvimon_invoice
from tests.support.assertions import calls_to, invoice_posts, rillet_invoices
from tests.support.builders import DEMO_PERSON_IN_RILLET, FIRST, Json
from tests.support.connected import Connected

OURS = "solvimon_ref"


def record_only(connection: Connected) -> None:
    """Settings in which Rillet keeps Solvimon's number."""
    connection.organisation.register_reference_type(OURS)
    connection.configure(
        invoice_scope="REVENUE_RECOGNITION_ONLY",
        reference_types={"invoice": OURS, "invoice_line": None},
    )


def sent_late(connection: Connected, seconds: int) -> None:
    """Export the first invoice, whose POST Rillet carries out so many seconds after the answer was lost."""
    connection.system.rillet.state.misbehave("late", "POST", "/invoices", seconds=seconds)
    connection.finalise_and_settle()
    assert rillet_invoices(connection) == []


def in_rillet(connection: Connection) -> Json:
    """The only invoice in Rillet, to be changed as a person or Rillet changes it."""
    [invoice] = rillet_invoices(connection)
    changed: Json = connection.organisation.invoices.get(invoice["id"]).document
    return changed


@pytest.mark.parametrize("seconds", [10, 70, 600])
@pytest.mark.parametrize("change", [lambda *_: None, record_only])
def test_a_call_that_arrives_within_the_settle_time_makes_one_invoice(
    default: Connected, seconds: int, change: Callable[[Connected], None]
) -> None:
    sent_late(default, seconds)
    change(default)

    default.until_exported()

    first, *others = invoice_posts(default.system)
    assert all(other.time - first.time >= SETTLE_SECONDS - 1 for other in others)
    assert {call.idempotency_key for call in (first, *others)} == {first.idempotency_key}
    default.assert_exported(only=True)


def test_a_repeated_key_does_not_wait_if_the_first_call_is_known_to_be_over(default: Connected) -> None:
    default.system.rillet.state.misbehave("status_after", status=500)
    default.finalise_and_settle()

    default.settle(after=30)

    assert len(invoice_posts(default.system)) == 2
    default.assert_exported(only=True)


def test_a_call_that_never_left_costs_no_wait_and_no_look_up(default: Connected) -> None:
    default.system.rillet.state.misbehave("status", status=429)
    default.finalise_and_settle()
    waiting = default.record()
    record_only(default)

    default.settle(after=62)

    assert (waiting["state"], waiting["attempt"], "lease_until" in waiting) == ("sending", {}, False)
    assert calls_to(default.system, "GET", "/invoices") == []
    default.assert_exported(only=True)


def test_a_run_that_stood_still_after_its_stamp_sends_nothing(default: Connected) -> None:
    default.platform.finalise(FIRST)

    def stand_still(ledger: Ledger, *args: Any, _real: Any = Ledger.record_attempt) -> None:  # noqa: ANN401
        _real(ledger, *args)
        default.system.advance(LEASE_SECONDS + 1)

    with patched(Ledger, "record_attempt", stand_still):
        [stopped] = default.export()
    sent = invoice_posts(default.system)
    [resumed] = default.export()

    assert "this run took too long" in stopped["reason"]
    assert sent == []
    assert resumed["outcome"] == "exported"
    default.assert_exported(only=True)


@pytest.mark.parametrize("refusal", [400, 409])
def test_a_refusal_of_a_repeated_key_is_no_refusal_of_the_call_before(
    default: Connected, refusal: int
) -> None:
    sent_late(default, SETTLE_SECONDS + 300)
    default.system.rillet.state.misbehave("status", "POST", "/invoices", status=refusal, times=1)
    default.settle(after=SETTLE_SECONDS)
    refused = default.record()

    default.system.advance(SETTLE_SECONDS)
    [retried] = default.export()

    if refusal == 400:
        assert (refused["state"], refused["attempt"]["open"]) == ("rejected", True)
        assert calls_to(default.system, "GET", "/invoices"), (
            "it looked before it took the answer for a refusal"
        )
    assert retried["outcome"] == "exported"
    default.assert_exported(only=True)


def test_a_look_up_that_rillet_refuses_leaves_the_attempt_open(default: Connected) -> None:
    before = default.lost_answer()
    default.system.rillet.state.misbehave("status", "POST", "/invoices", status=409, times=1)
    default.system.rillet.state.misbehave("status", "GET", "/invoices", status=422, times=1)

    default.settle(after=SETTLE_SECONDS)
    in_between = default.record()
    default.system.advance(61)
    [retried] = default.export()

    assert (in_between["state"], in_between["attempt"]["open"]) == ("rejected", True)
    assert retried["outcome"] == "exported"
    assert len({call.idempotency_key for call in invoice_posts(default.system)}) == 1
    assert before["attempt"]["key"] == default.record()["attempt"]["key"]
    default.assert_exported(only=True)


@pytest.mark.parametrize("how", ["restart", "shift"])
def test_a_look_up_in_a_list_that_restarts_or_shifts_ends_with_the_invoice(
    default: Connected, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    default.lost_answer()
    for _ in range(3):
        default.booked_by_hand(
            {**invoice_posts(default.system)[0].request_body, "external_references": []},
        )
    monkeypatch.setattr(default.system.rillet.state, "most_rows", 2)
    record_only(default)
    default.system.rillet.state.misbehave(how, "GET", "/invoices", times=1)

    default.system.advance(SETTLE_SECONDS)
    [first] = default.export()
    default.until_exported()

    assert first["outcome"] == ("queued" if how == "restart" else "exported")
    assert len(invoice_posts(default.system)) == 4, "three by hand, and the one whose answer was lost"
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
    default: Connected, change: Callable[[Connection], None], notes: int
) -> None:
    record_only(default)
    default.lost_answer()
    change(default)

    default.system.advance(25 * HOUR)
    default.until_exported()

    [invoice] = rillet_invoices(default)
    kept = default.record()
    found = [w for w in kept["warnings"] if "found in Rillet" in w or "another customer" in w]
    assert (kept["rillet_id"], len(found)) == (invoice["id"], notes)


def test_an_invoice_that_refers_to_another_document_is_never_adopted(default: Connected) -> None:
    record_only(default)
    default.lost_answer()
    other = {"type": OURS, "id": "invo_other", "url": "https://desk.example/invo_other"}
    in_rillet(default)["external_references"] = [other]

    default.system.advance(25 * HOUR)
    default.until_exported()

    assert len(rillet_invoices(default)) == 2
    assert default.record()["rillet_id"] == rillet_invoices(default, FIRST)[0]["id"]


def test_where_rillet_numbers_invoices_one_that_looks_the_same_is_for_a_person_to_decide(
    default: Connected,
) -> None:
    default.lost_answer()
    drop_the_reference(default)
    default.system.advance(25 * HOUR)
    default.until_finished()
    unsure = default.record()

    type_ = invoice_posts(default.system)[0].request_body["external_references"][0]["type"]
    in_rillet(default)["external_references"] = [{"type": type_, "id": "not from Solvimon"}]
    [retried] = default.export()

    assert (unsure["state"], unsure["code"]) == ("rejected", "possibly_in_rillet")
    assert rillet_invoices(default)[0]["id"] in unsure["message"]
    assert retried["outcome"] == "exported"
    assert len(rillet_invoices(default)) == 2


def test_a_replaced_attempt_stays_in_the_record_and_its_double_is_told_by_the_next_sweep(
    default: Connected,
) -> None:
    default.system.rillet.state.webhooks_on = False
    sent_late(default, 25 * HOUR)
    first = default.record()["attempt"]
    record_only(default)
    default.until_exported()
    [replaced] = default.record()["replaced"]

    default.system.advance(25 * HOUR)
    found = swept(default.system)

    kept = default.record()
    assert replaced["key"] == first["key"] != kept["attempt"]["key"]
    assert found == {"doubled": 1}
    assert (kept["state"], kept["code"]) == ("differs", "exported_twice")
    assert all(each["id"] in kept["message"] for each in rillet_invoices(default, FIRST))


def test_a_double_without_our_reference_is_told_by_the_look_up_a_day_later(default: Connected) -> None:
    default.system.rillet.state.webhooks_on = False
    record_only(default)
    sent_late(default, 20 * 60)
    default.configure(
        invoice_scope="AR_ONLY",
        reference_types={"invoice": OURS, "invoice_line": None},
    )
    default.settle(after=SETTLE_SECONDS)
    booked = default.record()["rillet_id"]
    default.system.advance(600)
    [late] = [each for each in rillet_invoices(default) if each["id"] != booked]
    default.organisation.invoices.get(late["id"]).document["external_references"] = []
    before = swept(default.system)

    default.system.advance(26 * HOUR)
    after = swept(default.system)
    again = swept(default.system)

    kept = default.record()
    assert (before, after, again) == ({}, {"doubled": 1}, {})
    assert (kept["state"], kept["code"]) == ("differs", "exported_twice")
    assert late["id"] in kept["message"]


def test_an_invoice_that_arrives_after_it_was_given_up_is_adopted_by_the_next_sweep(
    default: Connected,
) -> None:
    default.system.rillet.state.webhooks_on = False
    sent_late(default, SETTLE_SECONDS + 300)
    solvimon_invoice(default)["timezone"] = "Nowhere/Land"
    default.settle(after=SETTLE_SECONDS)
    given_up = default.record()

    default.system.advance(300)
    found = swept(default.system)

    assert given_up["state"] == "rejected"
    assert found == {"late": 1}
    default.assert_exported(only=True)
