"""Closed periods, skips, the switch, dry runs, and events that are for the other workflow."""

import pytest

from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.support.arrange import load, put_on_queue, solvimon_invoice, until
from tests.support.assertions import (
    application_posts,
    ledger_without_rate_limit,
    memo_posts,
    memos,
    rillet_invoice,
)
from tests.support.builders import NOTE, ORIGINAL, Json, amount, bus_event, credit_note, original
from tests.support.connected import Connected


@pytest.fixture
def closed(credited: Connected) -> Connected:
    """The same, and the credit note's month is closed in Rillet, which has been noticed."""
    credited.organisation.close_period(*FEBRUARY)
    credited.system.advance(3601)
    return credited


FEBRUARY = ("2026-02-01", "2026-02-28")


def test_a_note_in_a_closed_period_is_held_and_booked_when_it_is_open(closed: Connected) -> None:
    [held] = closed.credit()
    closed.organisation.closed_periods.clear()
    [booked] = closed.credit()

    assert (held["outcome"], held["code"]) == ("rejected", "rillet_period_closed")
    assert "dated 2026-02-01" in held["message"]
    assert "up to 2026-02-28" in held["message"]
    assert booked["outcome"] == "exported"
    closed.assert_memo_exported()


def test_next_open_day_books_and_applies_it_there_and_keeps_the_true_date_in_the_first_line(
    closed: Connected,
) -> None:
    closed.configure(closed_periods="next_open_day")

    closed.credit()

    memo = closed.assert_memo_exported()
    assert memo["credit_memo_date"] == "2026-03-01"
    assert memo["applications"][0]["application_date"] == "2026-03-01"
    assert memo["items"][0]["description"] == (
        "Harbour Planner (Dated 2026-02-01; booked on 2026-03-01, the first open day.)"
    )


def test_a_period_that_was_closed_a_moment_ago_is_noticed_by_rillets_refusal(credited: Connected) -> None:
    credited.configure(closed_periods="next_open_day")
    credited.organisation.close_period("2026-02-01", "2026-02-28")

    [refused] = credited.credit()
    until(credited.system, lambda: credited.memo_record()["state"] == "exported")

    assert refused["outcome"] == "queued"
    assert credited.assert_memo_exported()["credit_memo_date"] == "2026-03-01"


@pytest.mark.parametrize(
    ("policy", "outcome", "day"),
    [("hold", "rejected", "2026-02-01"), ("next_open_day", "exported", "2026-03-01")],
)
def test_a_period_that_is_closed_between_memo_and_application(
    credited: Connected, policy: str, outcome: str, day: str
) -> None:
    credited.configure(closed_periods=policy)
    credited.system.rillet.state.misbehave("drop", path="/credit-memos/")
    credited.credit()
    credited.organisation.close_period(*FEBRUARY)
    credited.system.advance(SETTLE_SECONDS)

    [result] = credited.credit()

    assert result["outcome"] == outcome
    [memo] = memos(credited)
    if policy == "hold":
        assert result["code"] == "rillet_period_closed"
        prefix = f"The memo {memo['id']} is in Rillet, but it could not be applied"
        assert result["message"].startswith(prefix)
        credited.organisation.closed_periods.clear()
        assert credited.credit()[0]["outcome"] == "exported"
    assert credited.assert_memo_exported()["applications"][0]["application_date"] == day


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "DRAFT"}, "The invoice is not FINAL: DRAFT."),
        ({"status": None}, "The invoice is not FINAL: it has no status."),
        ({"billing_type": "SELF_BILLING"}, "A SELF_BILLING invoice is money owed to a seller"),
        ({"invoice_date": "2025-12-31T12:00:00Z"}, "before the connection's start_date 2026-01-01"),
    ],
)
def test_an_ineligible_note_is_skipped_with_its_reason(
    credited: Connected, changes: Json, reason: str
) -> None:
    credited.configure(start_date="2026-01-01")
    solvimon_invoice(credited, NOTE).update(changes)

    [result] = credited.credit()

    assert result["outcome"] == "skipped"
    assert reason in result["reason"]
    assert credited.memo_record()["state"] == "skipped"
    assert memo_posts(credited.system) == []


def test_the_workflow_can_be_switched_off_and_on(credited: Connected) -> None:
    credited.configure(workflows={"export_credit_memo": False})
    [off] = credited.credit()
    credited.configure()

    [on] = credited.credit()

    assert off["outcome"] == "skipped"
    assert off["reason"] == "The workflow export_credit_memo is switched off in the settings."
    assert on["outcome"] == "exported"


def test_an_invoices_event_for_the_note_is_not_ours_and_holds_up_nothing(credited: Connected) -> None:
    put_on_queue(credited.system, bus_event(NOTE))

    deliveries = credited.system.deliver("export_invoice")
    [result] = credited.export(NOTE)
    credited.settle()

    assert [delivery.error for delivery in deliveries] == [None]
    assert result["outcome"] == "not_ours"
    assert len(credited.organisation.invoices.documents()) == 1
    credited.assert_memo_exported()


def test_a_credit_notes_event_for_an_invoice_is_not_ours_and_holds_up_nothing(default: Connected) -> None:
    load(default, original())
    put_on_queue(
        default.system, bus_event(ORIGINAL, detail_type="Credit Note Finalised"), "export_credit_memo"
    )

    deliveries = default.system.deliver("export_credit_memo")
    [result] = default.credit(ORIGINAL)
    default.settle()

    assert [delivery.error for delivery in deliveries] == [None]
    assert result["outcome"] == "not_ours"
    assert memos(default) == []
    rillet_invoice(default)


def everything(connection: Connected) -> Json:
    """All that a run could change, but the log of requests to Rillet."""
    return {
        "ledger": ledger_without_rate_limit(connection.system),
        "memos": memos(connection),
        "customers": connection.organisation.customers.documents(),
        "invoices": connection.organisation.invoices.documents(),
        "writes": [c for c in connection.system.rillet.state.calls if c.method != "GET"],
        "queues": [queue.bodies() for queue in connection.system.pollers.queues.values()],
    }


def test_a_dry_run_shows_the_memo_and_what_it_is_applied_to_and_writes_nothing(default: Connected) -> None:
    load(default, original(), credit_note())
    default.system.deliver_webhooks()
    before = everything(default)

    [would] = default.credit(dry_run=True)

    assert everything(default) == before
    assert would["outcome"] == "would_export"
    assert would["payload"]["credit_memo_number"] == "CRE-2026-02-000001"
    assert would["tie_out"] == {"currency": "EUR", "net": "100.00", "tax": "21.00", "gross": "121.00"}
    assert would["applied_to"] == [ORIGINAL]
    assert would["came_from"]["credit_memo_date"] == "invoice_date"


def test_a_dry_run_sends_what_the_run_sends(credited: Connected) -> None:
    [would] = credited.credit(dry_run=True)
    credited.credit()

    assert memo_posts(credited.system)[0].request_body == would["payload"]


def test_a_dry_run_states_what_prevents_the_export(credited: Connected) -> None:
    note = solvimon_invoice(credited, NOTE)
    note["invoice_amount_including_tax"] = amount("-120.00")
    [rejected] = credited.credit(dry_run=True)
    note["status"] = "CANCELLED"
    [skipped] = credited.credit(dry_run=True)
    other, nonsense = credited.credit(ORIGINAL, "../customers", dry_run=True)

    assert (rejected["outcome"], rejected["code"]) == ("would_reject", "does_not_tie_out")
    assert skipped["outcome"] == "would_skip"
    assert other["outcome"] == "not_ours"
    assert (nonsense["outcome"], nonsense["code"]) == ("would_reject", "invoice_not_found")
    assert application_posts(credited.system) == []


def test_a_dry_run_of_what_is_in_rillet_says_so(credited: Connected) -> None:
    credited.credit()

    [would] = credited.credit(dry_run=True)

    assert would["outcome"] == "already_exported"
    assert would["rillet_id"] == memos(credited)[0]["id"]


def test_a_customer_that_is_gone_from_rillet_is_forgotten_and_looked_up_again(credited: Connected) -> None:
    problem = {"type": "x", "title": "Customer not found", "status": 404}
    credited.system.rillet.state.misbehave("status", path="/credit-memos", status=404, body=problem)

    [missing] = credited.credit()
    [retried] = credited.credit()

    assert (missing["outcome"], missing["code"]) == ("rejected", "rillet_record_missing")
    assert retried["outcome"] == "exported"
    assert credited.memo_record()["attempt"]["number"] == 2
    credited.assert_memo_exported()


def test_a_nonsensical_id_is_rejected_without_a_call(default: Connected) -> None:
    [result] = default.credit("../customers")

    assert (result["outcome"], result["code"]) == ("rejected", "invoice_not_found")
    assert list(default.system.solvimon.state.calls) == []
