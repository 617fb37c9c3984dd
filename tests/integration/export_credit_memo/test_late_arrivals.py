"""A call may be carried out long after its answer was given up; the memo is in Rillet once, or it is told."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.sweep.support import swept
from tests.support.arrange import HOUR, booked_by_hand, configure, credit, until_finished
from tests.support.assertions import assert_memo_exported, calls_to, memo_posts, memo_record, memos
from tests.support.builders import NOTE

OURS = "solvimon_ref"


def sent_late(system: LocalSystem, seconds: int) -> None:
    """Export the credit note, whose memo Rillet creates so many seconds after the answer was lost."""
    system.rillet.state.misbehave("late", "POST", "/credit-memos", seconds=seconds)
    system.settle()
    assert len(memo_posts(system)) == 1


def change_the_payload(system: LocalSystem, connection: Connection) -> None:
    connection.organisation.register_reference_type(OURS)
    configure(system, connection, reference_types={"invoice": OURS, "invoice_line": None})


@pytest.mark.parametrize("seconds", [70, 600])
def test_a_memo_that_arrives_within_the_settle_time_is_made_once(
    system: LocalSystem, credited: Connection, seconds: int
) -> None:
    sent_late(system, seconds)
    change_the_payload(system, credited)

    until_finished(system, NOTE, "credit_memo")

    assert_memo_exported(system, credited)


def test_other_memos_of_the_organisation_do_not_end_the_look_up(
    system: LocalSystem, credited: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.rillet.state.misbehave("commit_then_drop", "POST", "/credit-memos")
    system.settle()
    [ours] = memos(credited)
    body = {**memo_posts(system)[0].request_body, "external_references": []}
    for number in range(4):
        booked_by_hand(system, credited, {**body, "credit_memo_number": f"BY-HAND-{number}"}, "/credit-memos")
    monkeypatch.setattr(system.rillet.state, "most_rows", 2)
    system.rillet.state.misbehave("restart", "GET", "/credit-memos", times=1)
    change_the_payload(system, credited)
    posts = len(memo_posts(system))

    system.advance(SETTLE_SECONDS)
    [restarted] = credit(system)
    until_finished(system, NOTE, "credit_memo")

    assert restarted["outcome"] == "queued"
    assert "changed while it was read" in restarted["reason"]
    assert memo_record(system)["rillet_id"] == ours["id"]
    assert len(memo_posts(system)) == posts


def test_a_second_memo_that_arrives_after_the_settle_time_is_told_by_the_next_sweep(
    system: LocalSystem, credited: Connection
) -> None:
    system.rillet.state.webhooks_on = False
    sent_late(system, SETTLE_SECONDS + 300)
    change_the_payload(system, credited)
    until_finished(system, NOTE, "credit_memo")

    system.advance(300)
    found = swept(system)

    kept = memo_record(system)
    assert found["doubled"] == 1
    assert (kept["state"], kept["code"]) == ("differs", "exported_twice")
    assert all(memo["id"] in kept["message"] for memo in memos(credited))


def test_memos_are_looked_for_in_the_sweep_only_as_long_as_one_may_arrive(
    system: LocalSystem, credited: Connection
) -> None:
    system.rillet.state.misbehave("drop", "POST", "/credit-memos")
    system.settle()
    change_the_payload(system, credited)
    until_finished(system, NOTE, "credit_memo")
    before = len(calls_to(system, "GET", "/credit-memos"))

    for _ in range(2):
        system.advance(27 * HOUR)
        swept(system)

    assert len(calls_to(system, "GET", "/credit-memos")) == before + 1
    assert memo_record(system)["state"] == "exported"
