"""One Solvimon invoice is one Rillet invoice, even if a process ends or an answer is lost in between."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from local.aws.runtime import Killed
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.support.arrange import HOUR, at_once, patched
from tests.support.assertions import calls_to, invoice_posts, rillet_invoice, rillet_invoices
from tests.support.builders import FIRST
from tests.support.connected import Connected
from tests.support.webhooks import event


def test_the_same_webhook_50_times_at_once_makes_one_rillet_invoice(default: Connected) -> None:
    default.platform.finalise(FIRST)
    body = b'{"type":"INVOICE.STATUS_TO_FINAL","created_at":"2026-11-01T08:00:00Z","data":{"id":"%s"}}'
    body %= FIRST.encode()
    webhook = event(body.decode(), default.platform.sign(body))
    statuses: list[int] = []

    default.system.start_workers(4)
    at_once(50, lambda: statuses.append(default.system.invoke("receive_webhook", webhook)["statusCode"]))
    default.system.stop_workers()
    default.until_exported()
    default.settle()

    assert statuses == [200] * 50
    default.assert_exported(only=True)
    assert len(invoice_posts(default.system)) == 1


@pytest.mark.parametrize("answer", ["commit_then_drop", "status_after", "malformed"])
def test_rillet_commits_and_the_answer_is_lost_or_unreadable(default: Connected, answer: str) -> None:
    in_between = default.lost_answer(answer)

    default.until_exported()

    assert (in_between["state"], in_between["attempt"]["open"]) == ("sending", True)
    assert default.organisation.counts.replays == 1
    default.assert_exported(only=True)


@pytest.mark.parametrize(
    "where", [(Ledger, "record_attempt"), (RilletClient, "create_invoice"), (Ledger, "finish")]
)
def test_the_function_dies_at_any_step_and_another_one_goes_on_when_its_call_has_settled(
    default: Connected, where: tuple[type, str]
) -> None:
    default.finalise()
    with patched(*where):
        deaths = default.settle()

    [meanwhile] = default.export()
    default.system.advance(SETTLE_SECONDS)
    [after] = default.export()
    default.settle(after=HOUR)

    assert [type(delivery.error) for delivery in deaths] == [Killed]
    assert meanwhile["outcome"] == "queued"
    assert "another worker" in meanwhile["reason"]
    assert after["outcome"] == "exported"
    default.assert_exported(only=True)


def test_the_queue_alone_goes_on_after_a_function_died_before_it_saved_the_answer(default: Connected) -> None:
    default.finalise()
    with patched(Ledger, "finish"):
        default.settle()

    default.until_exported()

    default.assert_exported(only=True)


def test_25_hours_pass_after_a_lost_answer(default: Connected) -> None:
    default.lost_answer()

    default.system.rillet.state.misbehave("down")
    default.settle(after=25 * HOUR)
    default.system.rillet.state.behave()
    default.until_exported()

    assert default.organisation.counts.replays == 0
    default.assert_exported(only=True)


def change_the_mapping(connection: Connected) -> None:
    """Settings that change what would be sent: scope, reference type and link."""
    connection.organisation.register_reference_type("solvimon_ref")
    connection.configure(
        invoice_scope="REVENUE_RECOGNITION_ONLY",
        reference_types={"invoice": "solvimon_ref", "invoice_line": None},
    )
    connection.system.advance(61)


@pytest.mark.parametrize("hours", [0, 25])
def test_the_mapping_settings_change_after_a_lost_answer(default: Connected, hours: int) -> None:
    before = default.lost_answer()

    change_the_mapping(default)
    default.system.advance(hours * HOUR)
    default.until_exported()

    assert default.record()["attempt"]["key"] == before["attempt"]["key"]
    default.assert_exported(only=True)


def test_a_lost_answer_a_death_a_day_and_other_settings_all_together(default: Connected) -> None:
    default.lost_answer()
    default.system.advance(HOUR)
    with patched(Ledger, "finish"):
        default.settle()
    default.system.advance(25 * HOUR)
    change_the_mapping(default)
    default.system.rillet.state.misbehave("drop", method="GET")
    default.until_exported()

    default.assert_exported(only=True)


def test_a_request_that_rillet_never_got_is_sent_after_a_look_up(default: Connected) -> None:
    before = default.lost_answer("drop")

    change_the_mapping(default)
    default.until_exported()

    assert default.record()["attempt"]["key"] != before["attempt"]["key"]
    customers, everybody = calls_to(default.system, "GET", "/invoices")
    assert ("customer_id" in customers.query, "customer_id" in everybody.query) == (True, False)
    default.assert_exported(only=True)


def test_a_look_up_waits_until_a_call_that_was_cut_off_has_settled(default: Connected) -> None:
    default.lost_answer("drop")
    default.configure(send_invoice_number_in_full_scope=False)

    default.system.advance(LEASE_SECONDS)
    [immediately] = default.export()
    default.system.advance(SETTLE_SECONDS - LEASE_SECONDS)
    [later] = default.export()

    assert immediately["outcome"] == "queued"
    assert "may still be processing" in immediately["reason"]
    assert later["outcome"] == "exported"
    default.assert_exported(only=True)


UNSENDABLE: dict[str, Callable[[Connected], object]] = {
    "it would now be skipped": lambda c: c.configure(start_date="2030-01-01"),
    "it could now not be mapped": lambda c: c.platform.invoice(FIRST).update(timezone="Nowhere/Land"),
}


@pytest.mark.parametrize("why", UNSENDABLE)
def test_an_invoice_in_rillet_is_adopted_even_if(default: Connected, why: str) -> None:
    default.lost_answer()

    UNSENDABLE[why](default)
    default.system.advance(61)
    default.until_finished()

    default.assert_exported(only=True)


def test_a_skip_with_an_open_attempt_that_left_nothing_stays_a_skip(default: Connected) -> None:
    default.lost_answer("drop")

    default.configure(workflows={"export_invoice": False})
    default.system.advance(61)
    default.until_finished()

    assert default.record()["state"] == "skipped"
    assert rillet_invoices(default) == []


def test_two_invoices_for_one_document_are_reported_and_not_adopted_as_one(default: Connected) -> None:
    before = default.lost_answer()
    default.booked_by_hand(invoice_posts(default.system)[0].request_body)

    default.system.advance(25 * HOUR)
    default.until_finished()

    kept = default.record()
    assert (kept["state"], kept["code"]) == ("differs", "exported_twice")
    assert all(invoice["id"] in kept["message"] for invoice in rillet_invoices(default, FIRST))
    assert kept["attempt"]["key"] == before["attempt"]["key"]


def answer_another_total(client: RilletClient, *args: Any, _real: Any = RilletClient.create_invoice) -> Any:  # noqa: ANN401
    answer = _real(client, *args)
    return answer.model_copy(update={"total": answer.total.model_copy(update={"amount": Decimal(1)})})


@pytest.mark.parametrize(("state", "outcome"), [("exported", "already_exported"), ("differs", "differs")])
def test_a_finished_document_is_never_sent_again(default: Connected, state: str, outcome: str) -> None:
    create = answer_another_total if state == "differs" else RilletClient.create_invoice
    with patched(RilletClient, "create_invoice", create):
        default.finalise_and_settle()
        calls = len(default.system.rillet.state.calls)

        [again] = default.export()

    assert default.record()["state"] == state
    assert again["outcome"] == outcome
    assert len(default.system.rillet.state.calls) == calls


def test_another_total_in_rillets_answer_is_recorded_with_both_amounts(default: Connected) -> None:
    default.platform.finalise(FIRST)

    with patched(RilletClient, "create_invoice", answer_another_total):
        [result] = default.export()

    assert (result["outcome"], result["code"]) == ("differs", "total_differs")
    assert "gross 1 EUR instead of 6745.75 EUR" in result["message"]
    assert default.record()["state"] == "differs"
    assert default.record()["step"] == "marked_as_sent", "or Rillet might mail the wrong total"
    assert rillet_invoice(default, FIRST)["status"] == "UNPAID"


def test_a_worker_whose_lease_is_taken_over_writes_nothing(
    default: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    default.platform.finalise(FIRST)
    real = RilletClient.create_invoice

    def stall(self: RilletClient, *args: Any) -> Any:  # noqa: ANN401
        monkeypatch.setattr(RilletClient, "create_invoice", real)
        answer = real(self, *args)
        default.system.advance(SETTLE_SECONDS)
        assert default.export()[0]["outcome"] == "exported"
        return answer

    monkeypatch.setattr(RilletClient, "create_invoice", stall)

    [result] = default.export()

    assert result["outcome"] == "queued"
    assert "lease" in result["reason"]
    default.assert_exported(only=True)
