"""A call may be carried out long after its answer was given up; the memo is in Rillet once, or it is told."""

import pytest

from local.system import LocalSystem
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.sweep.support import swept
from tests.support.arrange import HOUR
from tests.support.assertions import calls_to, memo_posts, memos
from tests.support.builders import NOTE
from tests.support.connected import Connected

OURS = "solvimon_ref"


def sent_late(system: LocalSystem, seconds: int) -> None:
    """Export the credit note, whose memo Rillet creates so many seconds after the answer was lost."""
    system.rillet.state.misbehave("late", "POST", "/credit-memos", seconds=seconds)
    system.settle()
    assert len(memo_posts(system)) == 1


def change_the_payload(connection: Connected) -> None:
    connection.organisation.register_reference_type(OURS)
    connection.configure(reference_types={"invoice": OURS, "invoice_line": None})


@pytest.mark.parametrize("seconds", [70, 600])
def test_a_memo_that_arrives_within_the_settle_time_is_made_once(credited: Connected, seconds: int) -> None:
    sent_late(credited.system, seconds)
    change_the_payload(credited)

    credited.until_finished(NOTE, "credit_memo")

    credited.assert_memo_exported()


def test_other_memos_of_the_organisation_do_not_end_the_look_up(
    credited: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    credited.system.rillet.state.misbehave("commit_then_drop", "POST", "/credit-memos")
    credited.settle()
    [ours] = memos(credited)
    body = {**memo_posts(credited.system)[0].request_body, "external_references": []}
    for number in range(4):
        credited.booked_by_hand({**body, "credit_memo_number": f"BY-HAND-{number}"}, "/credit-memos")
    monkeypatch.setattr(credited.system.rillet.state, "most_rows", 2)
    credited.system.rillet.state.misbehave("restart", "GET", "/credit-memos", times=1)
    change_the_payload(credited)
    posts = len(memo_posts(credited.system))

    credited.system.advance(SETTLE_SECONDS)
    [restarted] = credited.credit()
    credited.until_finished(NOTE, "credit_memo")

    assert restarted["outcome"] == "queued"
    assert "changed while it was read" in restarted["reason"]
    assert credited.memo_record()["rillet_id"] == ours["id"]
    assert len(memo_posts(credited.system)) == posts


def test_a_second_memo_that_arrives_after_the_settle_time_is_told_by_the_next_sweep(
    credited: Connected,
) -> None:
    credited.system.rillet.state.webhooks_on = False
    sent_late(credited.system, SETTLE_SECONDS + 300)
    change_the_payload(credited)
    credited.until_finished(NOTE, "credit_memo")

    credited.system.advance(300)
    found = swept(credited.system)

    kept = credited.memo_record()
    assert found["doubled"] == 1
    assert (kept["state"], kept["code"]) == ("differs", "exported_twice")
    assert all(memo["id"] in kept["message"] for memo in memos(credited))


def test_memos_are_looked_for_in_the_sweep_only_as_long_as_one_may_arrive(credited: Connected) -> None:
    credited.system.rillet.state.misbehave("drop", "POST", "/credit-memos")
    credited.settle()
    change_the_payload(credited)
    credited.until_finished(NOTE, "credit_memo")
    before = len(calls_to(credited.system, "GET", "/credit-memos"))

    for _ in range(2):
        credited.system.advance(27 * HOUR)
        swept(credited.system)

    assert len(calls_to(credited.system, "GET", "/credit-memos")) == before + 1
    assert credited.memo_record()["state"] == "exported"
