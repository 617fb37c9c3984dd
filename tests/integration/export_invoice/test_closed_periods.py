"""Invoices dated in a period that is closed in Rillet."""

from local.system import Connection, LocalSystem
from tests.support.arrange import export
from tests.support.assertions import record, rillet_invoices
from tests.support.builders import FIRST


def last_closed_reads(system: LocalSystem) -> int:
    return sum(call.path == "/books/periods/last-closed" for call in system.rillet.state.calls)


def test_by_default_such_an_invoice_is_held_with_its_remedy_and_booked_when_the_period_is_open(
    system: LocalSystem, default: Connection
) -> None:
    default.organisation.close_period("2026-11-01", "2026-11-30")
    default.platform.finalise(FIRST)

    held = export(system, FIRST)[0]
    default.organisation.closed_periods.clear()
    system.advance(3601)
    booked = export(system, FIRST)[0]

    assert held["outcome"] == "rejected"
    assert held["code"] == "rillet_period_closed"
    assert "dated 2026-11-01" in held["message"]
    assert "up to 2026-11-30" in held["message"]
    assert booked["outcome"] == "exported"


def test_next_open_day_books_it_there_and_keeps_the_true_date_in_the_memo(
    system: LocalSystem, default: Connection
) -> None:
    system.put_settings("default", {**default.settings, "closed_periods": "next_open_day"})
    default.organisation.close_period("2026-11-01", "2026-11-30")
    default.platform.finalise(FIRST)

    export(system, FIRST)

    booked = rillet_invoices(default, FIRST)[0]
    assert booked["invoice_date"] == "2026-12-01"
    assert booked["due_date"] == "2026-12-01"
    assert booked["memo"].endswith("Dated 2026-11-01; booked on 2026-12-01, the first open day.")
    assert booked["total"]["amount"] == "6745.75"


def test_outside_full_scope_the_true_date_is_in_the_first_lines_description(
    system: LocalSystem, default: Connection
) -> None:
    changed = {"closed_periods": "next_open_day", "invoice_scope": "REVENUE_RECOGNITION_ONLY"}
    system.put_settings("default", {**default.settings, **changed})
    default.organisation.close_period("2026-11-01", "2026-11-30")
    default.platform.finalise(FIRST)

    export(system, FIRST)

    first, second = rillet_invoices(default, FIRST)[0]["items"]
    assert first["description"].endswith("(Dated 2026-11-01; booked on 2026-12-01, the first open day.)")
    assert "Dated" not in second["description"]


def test_an_invoice_in_an_open_period_keeps_its_date(system: LocalSystem, default: Connection) -> None:
    system.put_settings("default", {**default.settings, "closed_periods": "next_open_day"})
    default.organisation.close_period("2026-10-01", "2026-10-31")
    default.platform.finalise(FIRST)

    export(system, FIRST)

    booked = rillet_invoices(default, FIRST)[0]
    assert booked["invoice_date"] == "2026-11-01"
    assert "Dated" not in booked["memo"]


def test_closed_periods_are_read_once_an_hour(system: LocalSystem, default: Connection) -> None:
    ids = list(default.platform.records["invoices"])[:4]
    for invoice_id in ids:
        default.platform.finalise(invoice_id)

    export(system, *ids[:3])
    within_the_hour = last_closed_reads(system)
    system.advance(3601)
    export(system, ids[3])

    assert within_the_hour == 1
    assert last_closed_reads(system) == 2


def test_a_period_that_was_closed_a_moment_ago_is_noticed_by_rillets_refusal(
    system: LocalSystem, default: Connection
) -> None:
    system.put_settings("default", {**default.settings, "closed_periods": "next_open_day"})
    other = next(i for i in default.platform.records["invoices"] if i != FIRST)
    for invoice_id in (other, FIRST):
        default.platform.finalise(invoice_id)
    export(system, other)
    default.organisation.close_period("2026-11-01", "2026-11-30")

    refused = export(system, FIRST)[0]
    system.advance(2)
    system.settle()

    assert refused["outcome"] == "queued"
    assert record(system, FIRST)["state"] == "exported"
    assert record(system, FIRST)["attempt"]["number"] == 2
    assert rillet_invoices(default, FIRST)[0]["invoice_date"] == "2026-12-01"


def test_a_dry_run_shows_the_day_and_remembers_nothing(system: LocalSystem, default: Connection) -> None:
    system.put_settings("default", {**default.settings, "closed_periods": "next_open_day"})
    default.organisation.close_period("2026-11-01", "2026-11-30")
    default.platform.finalise(FIRST)

    result = export(system, FIRST, dry_run=True)[0]

    assert result["payload"]["invoice_date"] == "2026-12-01"
    assert not [item for item in system.ledger() if "#books#" in item["pk"]]
