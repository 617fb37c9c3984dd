"""A 409 may stand for a request that is under way or done, or for something else in its place."""

from tests.support.assertions import calls_to, dead_letters, invoice_posts, rillet_invoices
from tests.support.connected import Connected


def test_a_409_is_no_refusal_and_the_same_request_is_sent_again(default: Connected) -> None:
    default.system.rillet.state.misbehave("status", status=409)
    default.finalise_and_settle()
    in_between = default.record()

    default.until_exported()

    assert (in_between["state"], in_between["attempt"]["open"]) == ("sending", True)
    assert len({call.idempotency_key for call in invoice_posts(default.system)}) == 1
    assert len(rillet_invoices(default)) == 1


def test_a_409_of_a_request_that_was_done_is_found_out(default: Connected) -> None:
    default.lost_answer()
    default.system.rillet.state.misbehave("status", status=409, times=0)

    default.until_finished()

    default.assert_exported(only=True)


def test_a_409_again_and_again_without_the_invoice_is_rejected_for_a_person(default: Connected) -> None:
    default.system.rillet.state.misbehave("status", status=409, times=0)
    default.finalise_and_settle()

    default.until_finished()
    kept = default.record()
    default.system.rillet.state.behave()
    [result] = default.export()

    assert (kept["state"], kept["code"]) == ("rejected", "refused_by_rillet")
    assert "409" in kept["message"]
    assert calls_to(default.system, "GET", "/invoices"), "it looked before it gave up"
    assert dead_letters(default.system) == []
    assert result["outcome"] == "exported"
    assert len(rillet_invoices(default)) == 1
