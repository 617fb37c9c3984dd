"""A 409 may stand for a request that is under way or done, or for something else in its place."""

from local.stack import Connection, LocalStack
from tests.export.support import FIRST, calls_to, dead, export, finalise, record, rillet_invoices, sent, until


def test_a_409_is_no_refusal_and_the_same_request_is_sent_again(
    stack: LocalStack, default: Connection
) -> None:
    stack.rillet.state.misbehave("status", status=409)
    finalise(stack, default)
    stack.settle()
    in_between = record(stack, FIRST)

    until(stack, lambda: record(stack, FIRST)["state"] == "exported")

    assert (in_between["state"], in_between["attempt"]["open"]) == ("sending", True)
    assert len({call.idempotency_key for call in sent(stack)}) == 1
    assert len(rillet_invoices(default)) == 1


def test_a_409_of_a_request_that_was_done_is_found_out(stack: LocalStack, default: Connection) -> None:
    stack.rillet.state.misbehave("commit_then_drop")
    finalise(stack, default)
    stack.settle()
    stack.rillet.state.misbehave("status", status=409, times=0)

    until(stack, lambda: record(stack, FIRST)["state"] not in {"sending", "claimed"})

    [in_rillet] = rillet_invoices(default)
    assert (record(stack, FIRST)["state"], record(stack, FIRST)["rillet_id"]) == ("exported", in_rillet["id"])


def test_a_409_again_and_again_without_the_invoice_is_told_to_a_person(
    stack: LocalStack, default: Connection
) -> None:
    stack.rillet.state.misbehave("status", status=409, times=0)
    finalise(stack, default)
    stack.settle()

    until(stack, lambda: record(stack, FIRST)["state"] not in {"sending", "claimed"})
    kept = record(stack, FIRST)
    stack.rillet.state.behave()
    [result] = export(stack, FIRST)

    assert (kept["state"], kept["code"]) == ("rejected", "refused_by_rillet")
    assert "409" in kept["message"]
    assert calls_to(stack, "GET", "/invoices"), "it looked before it said so"
    assert dead(stack) == []
    assert result["outcome"] == "exported"
    assert len(rillet_invoices(default)) == 1
