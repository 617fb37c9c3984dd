"""One Solvimon invoice is one Rillet invoice, even if a process ends or an answer is lost in between."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from local.aws.runtime import Killed
from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.support.arrange import (
    HOUR,
    at_once,
    booked_by_hand,
    configure,
    export,
    finalise,
    lost_answer,
    patched,
    until_exported,
    until_finished,
)
from tests.support.assertions import (
    assert_exported,
    calls_to,
    invoice_posts,
    record,
    rillet_invoice,
    rillet_invoices,
)
from tests.support.builders import FIRST
from tests.support.webhooks import event


def test_the_same_webhook_50_times_at_once_makes_one_rillet_invoice(
    system: LocalSystem, default: Connection
) -> None:
    default.platform.finalise(FIRST)
    body = b'{"type":"INVOICE.STATUS_TO_FINAL","created_at":"2026-11-01T08:00:00Z","data":{"id":"%s"}}'
    body %= FIRST.encode()
    webhook = event(body.decode(), default.platform.sign(body))
    statuses: list[int] = []

    system.start_workers(4)
    at_once(50, lambda: statuses.append(system.invoke("receive_webhook", webhook)["statusCode"]))
    system.stop_workers()
    until_exported(system)
    system.settle()

    assert statuses == [200] * 50
    assert_exported(system, default, only=True)
    assert len(invoice_posts(system)) == 1


@pytest.mark.parametrize("answer", ["commit_then_drop", "status_after", "malformed"])
def test_rillet_commits_and_the_answer_is_lost_or_unreadable(
    system: LocalSystem, default: Connection, answer: str
) -> None:
    in_between = lost_answer(system, default, answer)

    until_exported(system)

    assert (in_between["state"], in_between["attempt"]["open"]) == ("sending", True)
    assert default.organisation.counts.replays == 1
    assert_exported(system, default, only=True)


@pytest.mark.parametrize(
    "where", [(Ledger, "record_attempt"), (RilletClient, "create_invoice"), (Ledger, "finish")]
)
def test_the_function_dies_at_any_step_and_another_one_goes_on_when_its_call_has_settled(
    system: LocalSystem, default: Connection, where: tuple[type, str]
) -> None:
    finalise(system, default)
    with patched(*where):
        deaths = system.settle()

    [meanwhile] = export(system)
    system.advance(SETTLE_SECONDS)
    [after] = export(system)
    system.advance(HOUR)
    system.settle()

    assert [type(delivery.error) for delivery in deaths] == [Killed]
    assert meanwhile["outcome"] == "queued"
    assert "another worker" in meanwhile["reason"]
    assert after["outcome"] == "exported"
    assert_exported(system, default, only=True)


def test_the_queue_alone_goes_on_after_a_function_died_before_it_saved_the_answer(
    system: LocalSystem, default: Connection
) -> None:
    finalise(system, default)
    with patched(Ledger, "finish"):
        system.settle()

    until_exported(system)

    assert_exported(system, default, only=True)


def test_25_hours_pass_after_a_lost_answer(system: LocalSystem, default: Connection) -> None:
    lost_answer(system, default)

    system.rillet.state.misbehave("down")
    system.advance(25 * HOUR)
    system.settle()
    system.rillet.state.behave()
    until_exported(system)

    assert default.organisation.counts.replays == 0
    assert_exported(system, default, only=True)


def change_the_mapping(system: LocalSystem, connection: Connection) -> None:
    """Settings that change what would be sent: scope, reference type and link."""
    connection.organisation.register_reference_type("solvimon_ref")
    configure(
        system,
        connection,
        invoice_scope="REVENUE_RECOGNITION_ONLY",
        reference_types={"invoice": "solvimon_ref", "invoice_line": None},
    )
    system.advance(61)


@pytest.mark.parametrize("hours", [0, 25])
def test_the_mapping_settings_change_after_a_lost_answer(
    system: LocalSystem, default: Connection, hours: int
) -> None:
    before = lost_answer(system, default)

    change_the_mapping(system, default)
    system.advance(hours * HOUR)
    until_exported(system)

    assert record(system)["attempt"]["key"] == before["attempt"]["key"]
    assert_exported(system, default, only=True)


def test_a_lost_answer_a_death_a_day_and_other_settings_all_together(
    system: LocalSystem, default: Connection
) -> None:
    lost_answer(system, default)
    system.advance(HOUR)
    with patched(Ledger, "finish"):
        system.settle()
    system.advance(25 * HOUR)
    change_the_mapping(system, default)
    system.rillet.state.misbehave("drop", method="GET")
    until_exported(system)

    assert_exported(system, default, only=True)


def test_a_request_that_rillet_never_got_is_sent_after_a_look_up(
    system: LocalSystem, default: Connection
) -> None:
    before = lost_answer(system, default, "drop")

    change_the_mapping(system, default)
    until_exported(system)

    assert record(system)["attempt"]["key"] != before["attempt"]["key"]
    customers, everybody = calls_to(system, "GET", "/invoices")
    assert ("customer_id" in customers.query, "customer_id" in everybody.query) == (True, False)
    assert_exported(system, default, only=True)


def test_a_look_up_waits_until_a_call_that_was_cut_off_has_settled(
    system: LocalSystem, default: Connection
) -> None:
    lost_answer(system, default, "drop")
    configure(system, default, send_invoice_number_in_full_scope=False)

    system.advance(LEASE_SECONDS)
    [immediately] = export(system)
    system.advance(SETTLE_SECONDS - LEASE_SECONDS)
    [later] = export(system)

    assert immediately["outcome"] == "queued"
    assert "may still be processing" in immediately["reason"]
    assert later["outcome"] == "exported"
    assert_exported(system, default, only=True)


UNSENDABLE: dict[str, Callable[[LocalSystem, Connection], object]] = {
    "it would now be skipped": lambda s, c: configure(s, c, start_date="2030-01-01"),
    "it could now not be mapped": lambda _, c: c.platform.invoice(FIRST).update(timezone="Nowhere/Land"),
}


@pytest.mark.parametrize("why", UNSENDABLE)
def test_an_invoice_in_rillet_is_adopted_even_if(system: LocalSystem, default: Connection, why: str) -> None:
    lost_answer(system, default)

    UNSENDABLE[why](system, default)
    system.advance(61)
    until_finished(system)

    assert_exported(system, default, only=True)


def test_a_skip_with_an_open_attempt_that_left_nothing_stays_a_skip(
    system: LocalSystem, default: Connection
) -> None:
    lost_answer(system, default, "drop")

    configure(system, default, workflows={"export_invoice": False})
    system.advance(61)
    until_finished(system)

    assert record(system)["state"] == "skipped"
    assert rillet_invoices(default) == []


def test_two_invoices_for_one_document_are_reported_and_not_adopted_as_one(
    system: LocalSystem, default: Connection
) -> None:
    before = lost_answer(system, default)
    booked_by_hand(system, default, invoice_posts(system)[0].request_body)

    system.advance(25 * HOUR)
    until_finished(system)

    kept = record(system)
    assert (kept["state"], kept["code"]) == ("differs", "exported_twice")
    assert all(invoice["id"] in kept["message"] for invoice in rillet_invoices(default, FIRST))
    assert kept["attempt"]["key"] == before["attempt"]["key"]


def answer_another_total(client: RilletClient, *args: Any, _real: Any = RilletClient.create_invoice) -> Any:  # noqa: ANN401
    answer = _real(client, *args)
    return answer.model_copy(update={"total": answer.total.model_copy(update={"amount": Decimal(1)})})


@pytest.mark.parametrize(("state", "outcome"), [("exported", "already_exported"), ("differs", "differs")])
def test_a_finished_document_is_never_sent_again(
    system: LocalSystem, default: Connection, state: str, outcome: str
) -> None:
    create = answer_another_total if state == "differs" else RilletClient.create_invoice
    with patched(RilletClient, "create_invoice", create):
        finalise(system, default)
        system.settle()
        calls = len(system.rillet.state.calls)

        [again] = export(system)

    assert record(system)["state"] == state
    assert again["outcome"] == outcome
    assert len(system.rillet.state.calls) == calls


def test_another_total_in_rillets_answer_is_recorded_with_both_amounts(
    system: LocalSystem, default: Connection
) -> None:
    default.platform.finalise(FIRST)

    with patched(RilletClient, "create_invoice", answer_another_total):
        [result] = export(system)

    assert (result["outcome"], result["code"]) == ("differs", "total_differs")
    assert "gross 1 EUR instead of 6745.75 EUR" in result["message"]
    assert record(system)["state"] == "differs"
    assert record(system)["step"] == "marked_as_sent", "or Rillet might mail the wrong total"
    assert rillet_invoice(default, FIRST)["status"] == "UNPAID"


def test_a_worker_whose_lease_is_taken_over_writes_nothing(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    default.platform.finalise(FIRST)
    real = RilletClient.create_invoice

    def stall(self: RilletClient, *args: Any) -> Any:  # noqa: ANN401
        monkeypatch.setattr(RilletClient, "create_invoice", real)
        answer = real(self, *args)
        system.advance(SETTLE_SECONDS)
        assert export(system)[0]["outcome"] == "exported"
        return answer

    monkeypatch.setattr(RilletClient, "create_invoice", stall)

    [result] = export(system)

    assert result["outcome"] == "queued"
    assert "lease" in result["reason"]
    assert_exported(system, default, only=True)
