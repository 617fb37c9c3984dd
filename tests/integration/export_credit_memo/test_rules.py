"""Closed periods, skips, the switch, dry runs, and events that are for the other workflow."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.support.arrange import configure, credit, export, load, put_on_queue, solvimon_invoice, until
from tests.support.assertions import (
    application_posts,
    assert_memo_exported,
    ledger_without_rate_limit,
    memo_posts,
    memo_record,
    memos,
    rillet_invoice,
)
from tests.support.builders import NOTE, ORIGINAL, Json, amount, bus_event, credit_note, original


@pytest.fixture
def closed(system: LocalSystem, credited: Connection) -> Connection:
    """The same, and the credit note's month is closed in Rillet, which has been noticed."""
    credited.organisation.close_period(*FEBRUARY)
    system.advance(3601)
    return credited


FEBRUARY = ("2026-02-01", "2026-02-28")


def test_a_note_in_a_closed_period_is_held_and_booked_when_it_is_open(
    system: LocalSystem, closed: Connection
) -> None:
    [held] = credit(system)
    closed.organisation.closed_periods.clear()
    [booked] = credit(system)

    assert (held["outcome"], held["code"]) == ("rejected", "rillet_period_closed")
    assert "dated 2026-02-01" in held["message"]
    assert "up to 2026-02-28" in held["message"]
    assert booked["outcome"] == "exported"
    assert_memo_exported(system, closed)


def test_next_open_day_books_and_applies_it_there_and_keeps_the_true_date_in_the_first_line(
    system: LocalSystem, closed: Connection
) -> None:
    configure(system, closed, closed_periods="next_open_day")

    credit(system)

    memo = assert_memo_exported(system, closed)
    assert memo["credit_memo_date"] == "2026-03-01"
    assert memo["applications"][0]["application_date"] == "2026-03-01"
    assert memo["items"][0]["description"] == (
        "Harbour Planner (Dated 2026-02-01; booked on 2026-03-01, the first open day.)"
    )


def test_a_period_that_was_closed_a_moment_ago_is_noticed_by_rillets_refusal(
    system: LocalSystem, credited: Connection
) -> None:
    configure(system, credited, closed_periods="next_open_day")
    credited.organisation.close_period("2026-02-01", "2026-02-28")

    [refused] = credit(system)
    until(system, lambda: memo_record(system)["state"] == "exported")

    assert refused["outcome"] == "queued"
    assert assert_memo_exported(system, credited)["credit_memo_date"] == "2026-03-01"


@pytest.mark.parametrize(
    ("policy", "outcome", "day"),
    [("hold", "rejected", "2026-02-01"), ("next_open_day", "exported", "2026-03-01")],
)
def test_a_period_that_is_closed_between_memo_and_application(
    system: LocalSystem, credited: Connection, policy: str, outcome: str, day: str
) -> None:
    configure(system, credited, closed_periods=policy)
    system.rillet.state.misbehave("drop", path="/credit-memos/")
    credit(system)
    credited.organisation.close_period(*FEBRUARY)
    system.advance(SETTLE_SECONDS)

    [result] = credit(system)

    assert result["outcome"] == outcome
    [memo] = memos(credited)
    if policy == "hold":
        assert result["code"] == "rillet_period_closed"
        prefix = f"The memo {memo['id']} is in Rillet, but it could not be applied"
        assert result["message"].startswith(prefix)
        credited.organisation.closed_periods.clear()
        assert credit(system)[0]["outcome"] == "exported"
    assert assert_memo_exported(system, credited)["applications"][0]["application_date"] == day


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
    system: LocalSystem, credited: Connection, changes: Json, reason: str
) -> None:
    configure(system, credited, start_date="2026-01-01")
    solvimon_invoice(credited, NOTE).update(changes)

    [result] = credit(system)

    assert result["outcome"] == "skipped"
    assert reason in result["reason"]
    assert memo_record(system)["state"] == "skipped"
    assert memo_posts(system) == []


def test_the_workflow_can_be_switched_off_and_on(system: LocalSystem, credited: Connection) -> None:
    configure(system, credited, workflows={"export_credit_memo": False})
    [off] = credit(system)
    configure(system, credited)

    [on] = credit(system)

    assert off["outcome"] == "skipped"
    assert off["reason"] == "The workflow export_credit_memo is switched off in the settings."
    assert on["outcome"] == "exported"


def test_an_invoices_event_for_the_note_is_not_ours_and_holds_up_nothing(
    system: LocalSystem, credited: Connection
) -> None:
    put_on_queue(system, bus_event(NOTE))

    deliveries = system.deliver("export_invoice")
    [result] = export(system, NOTE)
    system.settle()

    assert [delivery.error for delivery in deliveries] == [None]
    assert result["outcome"] == "not_ours"
    assert len(credited.organisation.invoices.documents()) == 1
    assert_memo_exported(system, credited)


def test_a_credit_notes_event_for_an_invoice_is_not_ours_and_holds_up_nothing(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original())
    put_on_queue(system, bus_event(ORIGINAL, detail_type="Credit Note Finalised"), "export_credit_memo")

    deliveries = system.deliver("export_credit_memo")
    [result] = credit(system, ORIGINAL)
    system.settle()

    assert [delivery.error for delivery in deliveries] == [None]
    assert result["outcome"] == "not_ours"
    assert memos(default) == []
    rillet_invoice(default)


def everything(system: LocalSystem, connection: Connection) -> Json:
    """All that a run could change, but the log of requests to Rillet."""
    return {
        "ledger": ledger_without_rate_limit(system),
        "memos": memos(connection),
        "customers": connection.organisation.customers.documents(),
        "invoices": connection.organisation.invoices.documents(),
        "writes": [c for c in system.rillet.state.calls if c.method != "GET"],
        "queues": [queue.bodies() for queue in system.pollers.queues.values()],
    }


def test_a_dry_run_shows_the_memo_and_what_it_is_applied_to_and_writes_nothing(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(), credit_note())
    system.deliver_webhooks()
    before = everything(system, default)

    [would] = credit(system, dry_run=True)

    assert everything(system, default) == before
    assert would["outcome"] == "would_export"
    assert would["payload"]["credit_memo_number"] == "CRE-2026-02-000001"
    assert would["tie_out"] == {"currency": "EUR", "net": "100.00", "tax": "21.00", "gross": "121.00"}
    assert would["applied_to"] == [ORIGINAL]
    assert would["came_from"]["credit_memo_date"] == "invoice_date"


def test_a_dry_run_sends_what_the_run_sends(system: LocalSystem, credited: Connection) -> None:
    [would] = credit(system, dry_run=True)
    credit(system)

    assert memo_posts(system)[0].request_body == would["payload"]


def test_a_dry_run_states_what_prevents_the_export(system: LocalSystem, credited: Connection) -> None:
    note = solvimon_invoice(credited, NOTE)
    note["invoice_amount_including_tax"] = amount("-120.00")
    [rejected] = credit(system, dry_run=True)
    note["status"] = "CANCELLED"
    [skipped] = credit(system, dry_run=True)
    other, nonsense = credit(system, ORIGINAL, "../customers", dry_run=True)

    assert (rejected["outcome"], rejected["code"]) == ("would_reject", "does_not_tie_out")
    assert skipped["outcome"] == "would_skip"
    assert other["outcome"] == "not_ours"
    assert (nonsense["outcome"], nonsense["code"]) == ("would_reject", "invoice_not_found")
    assert application_posts(system) == []


def test_a_dry_run_of_what_is_in_rillet_says_so(system: LocalSystem, credited: Connection) -> None:
    credit(system)

    [would] = credit(system, dry_run=True)

    assert would["outcome"] == "already_exported"
    assert would["rillet_id"] == memos(credited)[0]["id"]


def test_a_customer_that_is_gone_from_rillet_is_forgotten_and_looked_up_again(
    system: LocalSystem, credited: Connection
) -> None:
    problem = {"type": "x", "title": "Customer not found", "status": 404}
    system.rillet.state.misbehave("status", path="/credit-memos", status=404, body=problem)

    [missing] = credit(system)
    [retried] = credit(system)

    assert (missing["outcome"], missing["code"]) == ("rejected", "rillet_record_missing")
    assert retried["outcome"] == "exported"
    assert memo_record(system)["attempt"]["number"] == 2
    assert_memo_exported(system, credited)


def test_a_nonsensical_id_is_rejected_without_a_call(system: LocalSystem, default: Connection) -> None:
    [result] = credit(system, "../customers")

    assert (result["outcome"], result["code"]) == ("rejected", "invoice_not_found")
    assert list(system.solvimon.state.calls) == []
