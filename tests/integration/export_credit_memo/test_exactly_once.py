"""One credit note is one memo with one set of applications, also after a crash or a call that is late."""

from collections.abc import Callable

import pytest

from local.aws.runtime import Killed
from local.system import LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.sweep.support import swept
from tests.support.arrange import HOUR, at_once, load, patched
from tests.support.assertions import (
    application_posts,
    applied,
    calls_to,
    memo_posts,
    memos,
    rillet_invoice,
    rillet_invoices,
)
from tests.support.builders import NOTE, ORIGINAL, credit_note, original
from tests.support.connected import Connected
from tests.support.webhooks import event

MEMO, APPLICATION = "/credit-memos", "/credit-memos/"
EITHER_STEP = pytest.mark.parametrize("step", [MEMO, APPLICATION])


def assert_applied_once(connection: Connected) -> None:
    """Time passes; the memo is there once, and its whole amount is applied once."""
    connection.until_finished(NOTE, "credit_memo")
    connection.settle(after=HOUR)
    memo = connection.assert_memo_exported()
    invoice = rillet_invoice(connection)
    assert applied(memo) == {invoice["id"]: "121.00"}
    assert (invoice["amount_due"]["amount"], invoice["status"]) == ("0.00", "CREDITED")


def lose_the_answer(system: LocalSystem, step: str) -> None:
    system.rillet.state.misbehave("commit_then_drop", path=step)
    system.settle()


def fail_for_25_hours(system: LocalSystem) -> None:
    system.rillet.state.misbehave("down")
    system.advance(25 * HOUR)
    system.settle()
    system.rillet.state.behave()


def test_a_memo_and_its_application_are_two_calls_with_keys_of_their_own(credited: Connected) -> None:
    before = len(credited.system.rillet.state.calls)

    credited.settle()

    calls = credited.system.rillet.state.calls[before:]
    memo = credited.assert_memo_exported()
    assert [(call.method, call.path) for call in calls] == [
        ("POST", "/credit-memos"),
        ("POST", f"/credit-memos/{memo['id']}/applications"),
    ]
    keys = [call.idempotency_key for call in calls]
    assert all(keys)
    assert len(set(keys)) == 2
    assert credited.memo_record()["attempt"]["key"] == keys[0]


@pytest.mark.parametrize("answer", ["commit_then_drop", "status_after", "malformed", "drop", "status"])
@EITHER_STEP
def test_a_lost_answer_of_either_step(credited: Connected, answer: str, step: str) -> None:
    credited.system.rillet.state.misbehave(answer, path=step)

    credited.settle()
    in_between = credited.memo_record()["state"]

    assert in_between == "sending"
    assert_applied_once(credited)


@EITHER_STEP
def test_25_hours_pass_after_a_lost_answer_of_either_step(credited: Connected, step: str) -> None:
    lose_the_answer(credited.system, step)

    fail_for_25_hours(credited.system)

    assert_applied_once(credited)
    assert credited.organisation.counts.replays == 0


@pytest.mark.parametrize(
    "where",
    [
        (Ledger, "record_attempt"),
        (RilletClient, "create_credit_memo"),
        (Ledger, "record_step"),
        (RilletClient, "apply_credit_memo"),
        (Ledger, "add_facts"),
        (Ledger, "finish"),
    ],
)
@pytest.mark.parametrize("hours", [0, 25])
def test_the_function_dies_at_any_step_and_another_one_goes_on(
    credited: Connected, where: tuple[type, str], hours: int
) -> None:
    with patched(*where):
        deaths = credited.settle()

    [meanwhile] = credited.credit()
    credited.system.advance(hours * HOUR + LEASE_SECONDS + 1)

    assert [type(delivery.error) for delivery in deaths] == [Killed]
    assert meanwhile["outcome"] == "queued"
    assert_applied_once(credited)


def test_the_same_webhook_20_times_at_once_makes_one_memo(billed: Connected) -> None:
    load(billed, credit_note())
    body = (
        b'{"type":"INVOICE.STATUS_TO_FINAL","created_at":"2026-02-01T09:00:00Z",'
        b'"data":{"id":"%s","type":"CREDIT"}}' % NOTE.encode()
    )
    webhook = event(body.decode(), billed.platform.sign(body))
    statuses: list[int] = []

    billed.system.start_workers(4)
    at_once(20, lambda: statuses.append(billed.system.invoke("receive_webhook", webhook)["statusCode"]))
    billed.system.stop_workers()

    assert statuses == [200] * 20
    assert_applied_once(billed)
    assert (len(memo_posts(billed.system)), len(application_posts(billed.system))) == (1, 1)


def test_the_invoice_and_its_credit_note_arriving_together_end_as_one_of_each(default: Connected) -> None:
    load(default, original(), credit_note())
    default.system.deliver_webhooks()

    default.system.start_workers(4)
    default.system.stop_workers()

    assert_applied_once(default)
    assert len(rillet_invoices(default)) == 1


def test_a_finished_credit_note_costs_no_call(credited: Connected) -> None:
    credited.settle()
    calls = len(credited.system.rillet.state.calls)

    [again] = credited.credit()

    assert again["outcome"] == "already_exported"
    assert again["rillet_id"] == memos(credited)[0]["id"]
    assert len(credited.system.rillet.state.calls) == calls


def die_at_finish(system: LocalSystem, _step: str) -> None:
    with patched(Ledger, "finish"):
        system.settle()


@pytest.mark.parametrize("hours", [0, 25])
@pytest.mark.parametrize("fail", [lose_the_answer, die_at_finish])
def test_a_set_for_a_partly_paid_invoice_is_not_taken_back_after_its_answer_was_lost(
    credited: Connected, hours: int, fail: Callable[[LocalSystem, str], None]
) -> None:
    credited.organisation.pay(rillet_invoice(credited)["id"], "61.00")
    fail(credited.system, APPLICATION)
    credited.system.advance(hours * HOUR)
    credited.until_finished(NOTE, "credit_memo")

    memo = credited.assert_memo_exported(("60.00", "61.00"))

    assert applied(memo) == {rillet_invoice(credited)["id"]: "60.00"}
    assert any("61.00 EUR stay open on the memo" in warning for warning in credited.memo_record()["warnings"])


def test_a_worker_whose_lease_is_taken_over_applies_nothing_twice(
    credited: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RilletClient.apply_credit_memo

    def stall(self: RilletClient, *args: object) -> None:
        monkeypatch.setattr(RilletClient, "apply_credit_memo", real)
        real(self, *args)  # type: ignore[arg-type]
        credited.system.advance(LEASE_SECONDS + 1)
        assert credited.credit()[0]["outcome"] == "exported"

    monkeypatch.setattr(RilletClient, "apply_credit_memo", stall)

    [result] = credited.credit()

    assert result["outcome"] == "queued"
    assert "lease" in result["reason"]
    assert_applied_once(credited)


def test_a_memo_that_a_lost_answer_left_is_found_by_its_reference_and_applied(credited: Connected) -> None:
    lose_the_answer(credited.system, MEMO)
    credited.configure(start_date="2030-01-01")
    credited.system.advance(61)

    assert_applied_once(credited)


def test_two_memos_for_one_credit_note_are_reported_and_not_applied(credited: Connected) -> None:
    lose_the_answer(credited.system, MEMO)
    credited.booked_by_hand(memo_posts(credited.system)[0].request_body, MEMO)
    fail_for_25_hours(credited.system)
    credited.until_finished(NOTE, "credit_memo")

    kept = credited.memo_record()

    assert (kept["state"], kept["code"]) == ("differs", "exported_twice")
    assert all(memo["id"] in kept["message"] for memo in memos(credited))
    assert all(memo["applications"] == [] for memo in memos(credited))
    assert credited.export(ORIGINAL)[0]["outcome"] == "already_exported"


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
