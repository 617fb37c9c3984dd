"""One Solvimon invoice is one Rillet invoice, whatever dies in between."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from tests.integration.export_invoice.support import (
    FIRST,
    Killed,
    booked_by_hand,
    die,
    export,
    record,
    rillet_invoices,
    until,
)

HOUR = 3600


def finalise(system: LocalSystem, connection: Connection, invoice_id: str = FIRST) -> None:
    """Finalise an invoice, so that its message is on the queue."""
    connection.platform.finalise(invoice_id)
    system.deliver_webhooks()


def booked(system: LocalSystem, connection: Connection) -> None:
    """The invoice is in Rillet once, and the ledger knows which it is."""
    in_rillet = rillet_invoices(connection, FIRST)
    assert len(in_rillet) == 1
    assert len(rillet_invoices(connection)) == 1
    kept = record(system, FIRST)
    assert kept["state"] == "exported"
    assert kept["rillet_id"] == in_rillet[0]["id"]
    assert "lease_until" not in kept


def test_the_same_webhook_50_times_at_once_makes_one_rillet_invoice(
    system: LocalSystem, default: Connection
) -> None:
    default.platform.finalise(FIRST)
    body = b'{"type":"INVOICE.STATUS_TO_FINAL","created_at":"2026-11-01T08:00:00Z","data":{"id":"%s"}}'
    body %= FIRST.encode()
    headers = {name.lower(): value for name, value in default.platform.sign(body).items()}
    event = {"pathParameters": {"connection": "default"}, "headers": headers, "body": body.decode()}
    statuses: list[int] = []

    def send() -> None:
        statuses.append(system.invoke("receive_webhook", event)["statusCode"])

    system.start_workers(4)
    senders = [threading.Thread(target=send) for _ in range(50)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    system.stop_workers()
    until(system, lambda: record(system, FIRST)["state"] == "exported")
    system.settle()

    assert statuses == [200] * 50
    booked(system, default)
    assert [call.method for call in system.rillet.state.calls if call.path == "/invoices"].count("POST") == 1


def test_rillet_commits_and_the_connection_drops(system: LocalSystem, default: Connection) -> None:
    system.rillet.state.misbehave("commit_then_drop")
    finalise(system, default)

    system.settle()
    in_between = record(system, FIRST)
    until(system, lambda: record(system, FIRST)["state"] == "exported")

    assert in_between["state"] == "sending"
    assert in_between["attempt"]["open"] is True
    assert default.organisation.counts.replays == 1
    booked(system, default)


@pytest.mark.parametrize("answer", ["status_after", "malformed"])
def test_rillet_commits_and_answers_nonsense(system: LocalSystem, default: Connection, answer: str) -> None:
    system.rillet.state.misbehave(answer)
    finalise(system, default)
    system.settle()

    until(system, lambda: record(system, FIRST)["state"] == "exported")

    booked(system, default)


def test_the_function_dies_before_the_answer_is_saved(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    finalise(system, default)
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "finish", die)
        deaths = system.settle()

    until(system, lambda: record(system, FIRST)["state"] == "exported")

    assert [type(delivery.error) for delivery in deaths] == [Killed]
    booked(system, default)


@pytest.mark.parametrize(
    "where", [(Ledger, "record_attempt"), (RilletClient, "create_invoice"), (Ledger, "finish")]
)
def test_the_function_dies_at_any_step_and_another_one_goes_on_after_the_lease(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch, where: tuple[type, str]
) -> None:
    finalise(system, default)
    with monkeypatch.context() as patch:
        patch.setattr(where[0], where[1], die)
        system.settle()

    meanwhile = export(system, FIRST)
    system.advance(LEASE_SECONDS + 1)
    after = export(system, FIRST)
    system.advance(HOUR)
    system.settle()

    assert meanwhile[0]["outcome"] == "queued"
    assert "another worker" in meanwhile[0]["reason"]
    assert after[0]["outcome"] == "exported"
    booked(system, default)


def test_25_hours_pass_after_a_lost_answer(system: LocalSystem, default: Connection) -> None:
    system.rillet.state.misbehave("commit_then_drop")
    finalise(system, default)
    system.settle()

    system.rillet.state.misbehave("down")
    system.advance(25 * HOUR)
    system.settle()
    system.rillet.state.behave()
    until(system, lambda: record(system, FIRST)["state"] == "exported")

    assert default.organisation.counts.replays == 0
    booked(system, default)


def change_the_mapping(system: LocalSystem, connection: Connection) -> None:
    """Settings that change what would be sent: scope, reference type and link."""
    connection.organisation.register_reference_type("solvimon_ref")
    changed = {
        **connection.settings,
        "invoice_scope": "REVENUE_RECOGNITION_ONLY",
        "reference_types": {"invoice": "solvimon_ref", "invoice_line": None},
    }
    system.put_settings("default", changed)
    system.advance(61)


@pytest.mark.parametrize("hours", [0, 25])
def test_the_mapping_settings_change_after_a_lost_answer(
    system: LocalSystem, default: Connection, hours: int
) -> None:
    system.rillet.state.misbehave("commit_then_drop")
    finalise(system, default)
    system.settle()
    first_key = record(system, FIRST)["attempt"]["key"]

    change_the_mapping(system, default)
    system.advance(hours * HOUR)
    until(system, lambda: record(system, FIRST)["state"] == "exported")

    assert record(system, FIRST)["attempt"]["key"] == first_key
    booked(system, default)


def test_dying_dropping_waiting_and_changing_all_together(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.rillet.state.misbehave("commit_then_drop")
    finalise(system, default)
    system.settle()
    system.advance(HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "finish", die)
        system.settle()
    system.advance(25 * HOUR)
    change_the_mapping(system, default)
    system.rillet.state.misbehave("drop", method="GET")
    until(system, lambda: record(system, FIRST)["state"] == "exported")

    booked(system, default)


def test_a_request_that_rillet_never_got_is_sent_after_a_look_up(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("drop")
    finalise(system, default)
    system.settle()
    first_key = record(system, FIRST)["attempt"]["key"]

    change_the_mapping(system, default)
    until(system, lambda: record(system, FIRST)["state"] == "exported")

    assert record(system, FIRST)["attempt"]["key"] != first_key
    listed = [call for call in system.rillet.state.calls if (call.method, call.path) == ("GET", "/invoices")]
    assert len(listed) == 1
    booked(system, default)


def test_a_look_up_waits_until_a_call_that_was_cut_off_has_settled(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("drop")
    finalise(system, default)
    system.settle()
    changed = {**default.settings, "send_invoice_number_in_full_scope": False}
    system.put_settings("default", changed)
    system.runtime.reset()

    at_once = export(system, FIRST)
    system.advance(61)
    later = export(system, FIRST)

    assert at_once[0]["outcome"] == "queued"
    assert "may still be processing" in at_once[0]["reason"]
    assert later[0]["outcome"] == "exported"
    booked(system, default)


def test_an_invoice_in_rillet_is_adopted_even_if_it_would_now_be_skipped(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("commit_then_drop")
    finalise(system, default)
    system.settle()

    system.put_settings("default", {**default.settings, "start_date": "2030-01-01"})
    system.advance(61)
    until(system, lambda: record(system, FIRST)["state"] not in {"sending", "claimed"})

    booked(system, default)


def test_an_invoice_in_rillet_is_adopted_even_if_it_could_now_not_be_mapped(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("commit_then_drop")
    finalise(system, default)
    system.settle()

    default.platform.invoice(FIRST)["timezone"] = "Nowhere/Land"
    system.advance(61)
    until(system, lambda: record(system, FIRST)["state"] not in {"sending", "claimed"})

    booked(system, default)


def test_a_skip_with_an_open_attempt_that_left_nothing_stays_a_skip(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("drop")
    finalise(system, default)
    system.settle()

    system.put_settings("default", {**default.settings, "workflows": {"export_invoice": False}})
    system.advance(61)
    until(system, lambda: record(system, FIRST)["state"] not in {"sending", "claimed"})

    assert record(system, FIRST)["state"] == "skipped"
    assert rillet_invoices(default) == []


def test_two_invoices_for_one_document_are_reported_and_not_collected_into_one(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("commit_then_drop")
    finalise(system, default)
    system.settle()
    attempt = record(system, FIRST)["attempt"]
    first = next(c for c in system.rillet.state.calls if (c.method, c.path) == ("POST", "/invoices"))
    booked_by_hand(system, default, first.request_body)

    system.advance(25 * HOUR)
    until(system, lambda: record(system, FIRST)["state"] not in {"sending", "claimed"})

    kept = record(system, FIRST)
    assert kept["state"] == "differs"
    assert kept["code"] == "exported_twice"
    assert all(invoice["id"] in kept["message"] for invoice in rillet_invoices(default, FIRST))
    assert kept["attempt"]["key"] == attempt["key"]


@pytest.mark.parametrize("state", ["exported", "differs"])
def test_a_finished_document_is_never_sent_again(
    system: LocalSystem, default: Connection, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if state == "differs":
        _answer_another_total(monkeypatch)
    finalise(system, default)
    system.settle()
    calls = len(system.rillet.state.calls)

    again = export(system, FIRST)

    assert record(system, FIRST)["state"] == state
    assert again[0]["outcome"] == {"exported": "already_exported", "differs": "differs"}[state]
    assert len(system.rillet.state.calls) == calls


def _answer_another_total(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Any] = RilletClient.create_invoice

    def other(self: RilletClient, *args: Any) -> Any:  # noqa: ANN401
        answer = real(self, *args)
        return answer.model_copy(update={"total": answer.total.model_copy(update={"amount": Decimal(1)})})

    monkeypatch.setattr(RilletClient, "create_invoice", other)


def test_another_total_in_rillets_answer_is_recorded_with_both_amounts(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answer_another_total(monkeypatch)
    default.platform.finalise(FIRST)

    result = export(system, FIRST)[0]

    assert result["outcome"] == "differs"
    assert result["code"] == "total_differs"
    assert "gross 1 EUR instead of 6745.75 EUR" in result["message"]
    assert record(system, FIRST)["state"] == "differs"


def test_a_worker_whose_lease_is_taken_over_writes_nothing(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    default.platform.finalise(FIRST)
    real = RilletClient.create_invoice

    def stall(self: RilletClient, *args: Any) -> Any:  # noqa: ANN401
        monkeypatch.setattr(RilletClient, "create_invoice", real)
        answer = real(self, *args)
        system.advance(LEASE_SECONDS + 1)
        assert export(system, FIRST)[0]["outcome"] == "exported"
        return answer

    monkeypatch.setattr(RilletClient, "create_invoice", stall)

    result = export(system, FIRST)[0]

    assert result["outcome"] == "queued"
    assert "lease" in result["reason"]
    booked(system, default)
