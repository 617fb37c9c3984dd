"""One credit note is one memo with one set of applications, whatever dies in between."""

import threading

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from tests.integration.export_credit_memo.support import (
    NOTE,
    ORIGINAL,
    application_calls,
    applied,
    booked_by_hand,
    credit,
    credit_note,
    load,
    memo_calls,
    memos,
    original,
    record,
    rillet_invoice,
    settled,
)
from tests.integration.export_invoice.support import Killed, die, export, until

HOUR = 3600


@pytest.fixture
def noted(system: LocalSystem, default: Connection) -> Connection:
    """An invoice in Rillet, and a credit note of all of it that is FINAL and announced."""
    load(default, original())
    system.settle()
    load(default, credit_note())
    system.deliver_webhooks()
    return default


def in_the_end(system: LocalSystem, connection: Connection) -> None:
    """Time passes; the memo is there once, and its whole amount is applied once."""
    until(system, lambda: record(system)["state"] not in {"claimed", "sending"})
    system.advance(HOUR)
    system.settle()
    memo = settled(system, connection)
    assert applied(memo) == {rillet_invoice(connection)["id"]: "121.00"}
    assert rillet_invoice(connection)["amount_due"]["amount"] == "0.00"
    assert rillet_invoice(connection)["status"] == "CREDITED"


def test_a_memo_and_its_application_are_two_calls_in_the_steady_state(
    system: LocalSystem, noted: Connection
) -> None:
    before = len(system.rillet.state.calls)

    system.settle()

    calls = system.rillet.state.calls[before:]
    memo = settled(system, noted)
    assert [(call.method, call.path) for call in calls] == [
        ("POST", "/credit-memos"),
        ("POST", f"/credit-memos/{memo['id']}/applications"),
    ]


def test_the_memo_and_its_application_use_keys_of_their_own(system: LocalSystem, noted: Connection) -> None:
    system.settle()

    keys = [call.idempotency_key for call in (*memo_calls(system), *application_calls(system))]
    assert all(keys)
    assert len(set(keys)) == 2
    assert record(system)["attempt"]["key"] == keys[0]


@pytest.mark.parametrize("answer", ["commit_then_drop", "status_after", "malformed", "drop", "status"])
@pytest.mark.parametrize("step", ["/credit-memos", "/credit-memos/"])
def test_a_lost_answer_of_either_step(system: LocalSystem, noted: Connection, answer: str, step: str) -> None:
    system.rillet.state.misbehave(answer, path=step)

    system.settle()
    in_between = record(system)["state"]

    assert in_between == "sending"
    in_the_end(system, noted)


@pytest.mark.parametrize("step", ["/credit-memos", "/credit-memos/"])
def test_25_hours_pass_after_a_lost_answer_of_either_step(
    system: LocalSystem, noted: Connection, step: str
) -> None:
    system.rillet.state.misbehave("commit_then_drop", path=step)
    system.settle()

    system.rillet.state.misbehave("down")
    system.advance(25 * HOUR)
    system.settle()
    system.rillet.state.behave()

    in_the_end(system, noted)
    assert noted.organisation.counts.replays == 0


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
    system: LocalSystem,
    noted: Connection,
    monkeypatch: pytest.MonkeyPatch,
    where: tuple[type, str],
    hours: int,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(where[0], where[1], die)
        deaths = system.settle()

    meanwhile = credit(system)[0]
    system.advance(hours * HOUR + LEASE_SECONDS + 1)

    assert [type(delivery.error) for delivery in deaths] == [Killed]
    assert meanwhile["outcome"] == "queued"
    in_the_end(system, noted)


def test_the_same_webhook_20_times_at_once_makes_one_memo(system: LocalSystem, default: Connection) -> None:
    load(default, original())
    system.settle()
    load(default, credit_note())
    body = (
        b'{"type":"INVOICE.STATUS_TO_FINAL","created_at":"2026-02-01T09:00:00Z",'
        b'"data":{"id":"%s","type":"CREDIT"}}' % NOTE.encode()
    )
    headers = {name.lower(): value for name, value in default.platform.sign(body).items()}
    event = {"pathParameters": {"connection": "default"}, "headers": headers, "body": body.decode()}
    statuses: list[int] = []

    def send() -> None:
        statuses.append(system.invoke("receive_webhook", event)["statusCode"])

    system.start_workers(4)
    senders = [threading.Thread(target=send) for _ in range(20)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    system.stop_workers()

    assert statuses == [200] * 20
    in_the_end(system, default)
    assert (len(memo_calls(system)), len(application_calls(system))) == (1, 1)


def test_the_invoice_and_its_credit_note_arriving_together_end_as_one_of_each(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(), credit_note())
    system.deliver_webhooks()

    system.start_workers(4)
    system.stop_workers()

    in_the_end(system, default)
    assert len(default.organisation.invoices.documents()) == 1


def test_a_finished_credit_note_costs_no_call(system: LocalSystem, noted: Connection) -> None:
    system.settle()
    calls = len(system.rillet.state.calls)

    [again] = credit(system)

    assert again["outcome"] == "already_exported"
    assert again["rillet_id"] == memos(noted)[0]["id"]
    assert len(system.rillet.state.calls) == calls


@pytest.mark.parametrize("hours", [0, 25])
@pytest.mark.parametrize("dies_at", ["answer", "finish"])
def test_a_set_for_a_partly_paid_invoice_is_not_taken_back_after_its_answer_was_lost(
    system: LocalSystem, noted: Connection, monkeypatch: pytest.MonkeyPatch, hours: int, dies_at: str
) -> None:
    noted.organisation.pay(rillet_invoice(noted)["id"], "61.00")
    if dies_at == "answer":
        system.rillet.state.misbehave("commit_then_drop", path="/credit-memos/")
        system.settle()
    else:
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "finish", die)
            system.settle()
    system.advance(hours * HOUR)
    until(system, lambda: record(system)["state"] not in {"claimed", "sending"})

    memo = settled(system, noted, ("60.00", "61.00"))

    assert applied(memo) == {rillet_invoice(noted)["id"]: "60.00"}
    assert any("61.00 EUR stay open on the memo" in warning for warning in record(system)["warnings"])


def test_a_worker_whose_lease_is_taken_over_applies_nothing_twice(
    system: LocalSystem, noted: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RilletClient.apply_credit_memo

    def stall(self: RilletClient, *args: object) -> None:
        monkeypatch.setattr(RilletClient, "apply_credit_memo", real)
        real(self, *args)  # type: ignore[arg-type]
        system.advance(LEASE_SECONDS + 1)
        assert credit(system)[0]["outcome"] == "exported"

    monkeypatch.setattr(RilletClient, "apply_credit_memo", stall)

    [result] = credit(system)

    assert result["outcome"] == "queued"
    assert "lease" in result["reason"]
    in_the_end(system, noted)


def test_a_memo_that_a_lost_answer_left_is_found_by_its_reference_and_applied(
    system: LocalSystem, noted: Connection
) -> None:
    system.rillet.state.misbehave("commit_then_drop", path="/credit-memos")
    system.settle()
    system.put_settings("default", {**noted.settings, "start_date": "2030-01-01"})
    system.advance(61)

    in_the_end(system, noted)


def test_two_memos_for_one_credit_note_are_reported_and_not_applied(
    system: LocalSystem, noted: Connection
) -> None:
    system.rillet.state.misbehave("commit_then_drop", path="/credit-memos")
    system.settle()
    body = memo_calls(system)[0].request_body
    booked_by_hand(system, noted, body, "/credit-memos")
    system.rillet.state.misbehave("down")
    system.advance(25 * HOUR)
    system.settle()
    system.rillet.state.behave()
    until(system, lambda: record(system)["state"] not in {"claimed", "sending"})

    kept = record(system)

    assert (kept["state"], kept["code"]) == ("differs", "exported_twice")
    assert all(memo["id"] in kept["message"] for memo in memos(noted))
    assert all(memo["applications"] == [] for memo in memos(noted))
    assert export(system, ORIGINAL)[0]["outcome"] == "already_exported"
