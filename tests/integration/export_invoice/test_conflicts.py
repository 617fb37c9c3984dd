"""A 409 may stand for a request that is under way or done, or for something else in its place."""

from local.system import Connection, LocalSystem
from tests.support.arrange import export, finalise, lost_answer, until_exported, until_finished
from tests.support.assertions import (
    assert_exported,
    calls_to,
    dead_letters,
    invoice_posts,
    record,
    rillet_invoices,
)


def test_a_409_is_no_refusal_and_the_same_request_is_sent_again(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("status", status=409)
    finalise(system, default)
    system.settle()
    in_between = record(system)

    until_exported(system)

    assert (in_between["state"], in_between["attempt"]["open"]) == ("sending", True)
    assert len({call.idempotency_key for call in invoice_posts(system)}) == 1
    assert len(rillet_invoices(default)) == 1


def test_a_409_of_a_request_that_was_done_is_found_out(system: LocalSystem, default: Connection) -> None:
    lost_answer(system, default)
    system.rillet.state.misbehave("status", status=409, times=0)

    until_finished(system)

    assert_exported(system, default, only=True)


def test_a_409_again_and_again_without_the_invoice_is_rejected_for_a_person(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("status", status=409, times=0)
    finalise(system, default)
    system.settle()

    until_finished(system)
    kept = record(system)
    system.rillet.state.behave()
    [result] = export(system)

    assert (kept["state"], kept["code"]) == ("rejected", "refused_by_rillet")
    assert "409" in kept["message"]
    assert calls_to(system, "GET", "/invoices"), "it looked before it gave up"
    assert dead_letters(system) == []
    assert result["outcome"] == "exported"
    assert len(rillet_invoices(default)) == 1
