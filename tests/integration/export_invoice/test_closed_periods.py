"""Invoices dated in a period that is closed in Rillet."""

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import export
from tests.support.assertions import rillet_invoice
from tests.support.builders import FIRST, Json
from tests.support.connected import Connected


def last_closed_reads(system: LocalSystem) -> int:
    return sum(call.path == "/books/periods/last-closed" for call in system.rillet.state.calls)


NEXT_OPEN_DAY = {"closed_periods": "next_open_day"}


def close_november(connection: Connection) -> None:
    connection.organisation.close_period("2026-11-01", "2026-11-30")


@pytest.fixture
def closed(default: Connected) -> Connected:
    """The first invoice is FINAL, its month closed, and the next open day is to be used."""
    default.configure(**NEXT_OPEN_DAY)
    close_november(default)
    default.platform.finalise(FIRST)
    return default


def test_by_default_such_an_invoice_is_held_with_its_remedy_and_booked_when_the_period_is_open(
    default: Connected,
) -> None:
    close_november(default)
    default.platform.finalise(FIRST)

    [held] = default.export()
    default.organisation.closed_periods.clear()
    default.system.advance(3601)
    [booked] = default.export()

    assert (held["outcome"], held["code"]) == ("rejected", "rillet_period_closed")
    assert "dated 2026-11-01" in held["message"]
    assert "up to 2026-11-30" in held["message"]
    assert booked["outcome"] == "exported"


@pytest.mark.parametrize("policy", ["hold", "next_open_day"])
def test_a_reopened_period_takes_effect_for_the_next_document(default: Connected, policy: str) -> None:
    default.configure(closed_periods=policy)
    close_november(default)
    other, *_ = (i for i, row in default.platform.records["invoices"].items() if is_of_november(row, i))
    for invoice_id in (other, FIRST):
        default.platform.finalise(invoice_id)
    [before] = default.export(other)
    default.organisation.closed_periods.clear()

    [after] = default.export()

    assert before["outcome"] == ("rejected" if policy == "hold" else "exported")
    assert after["outcome"] == "exported"
    assert rillet_invoice(default, FIRST)["invoice_date"] == "2026-11-01"


def is_of_november(row: Json, invoice_id: str) -> bool:
    return str(row["invoice_date"]).startswith("2026-11") and invoice_id != FIRST


def test_next_open_day_books_it_there_and_keeps_the_true_date_in_the_memo(closed: Connected) -> None:
    closed.export()

    booked = rillet_invoice(closed, FIRST)
    assert (booked["invoice_date"], booked["due_date"]) == ("2026-12-01", "2026-12-01")
    assert booked["memo"].endswith("Dated 2026-11-01; booked on 2026-12-01, the first open day.")
    assert booked["total"]["amount"] == "6745.75"


def test_outside_full_scope_the_true_date_is_in_the_first_lines_description(closed: Connected) -> None:
    closed.configure(**NEXT_OPEN_DAY, invoice_scope="REVENUE_RECOGNITION_ONLY")

    closed.export()

    first, second = rillet_invoice(closed, FIRST)["items"]
    assert first["description"].endswith("(Dated 2026-11-01; booked on 2026-12-01, the first open day.)")
    assert "Dated" not in second["description"]


def test_an_invoice_in_an_open_period_keeps_its_date(default: Connected) -> None:
    default.configure(**NEXT_OPEN_DAY)
    default.organisation.close_period("2026-10-01", "2026-10-31")
    default.platform.finalise(FIRST)

    default.export()

    booked = rillet_invoice(default, FIRST)
    assert booked["invoice_date"] == "2026-11-01"
    assert "Dated" not in booked["memo"]


def test_closed_periods_are_read_once_an_hour(default: Connected) -> None:
    ids = list(default.platform.records["invoices"])[:4]
    for invoice_id in ids:
        default.platform.finalise(invoice_id)

    default.export(*ids[:3])
    within_the_hour = last_closed_reads(default.system)
    default.system.advance(3601)
    default.export(ids[3])

    assert within_the_hour == 1
    assert last_closed_reads(default.system) == 2


def test_a_period_that_was_closed_a_moment_ago_is_noticed_by_rillets_refusal(default: Connected) -> None:
    default.configure(**NEXT_OPEN_DAY)
    other = next(i for i in default.platform.records["invoices"] if i != FIRST)
    for invoice_id in (other, FIRST):
        default.platform.finalise(invoice_id)
    default.export(other)
    close_november(default)

    [refused] = default.export()
    default.settle(after=2)

    assert refused["outcome"] == "queued"
    assert (default.record()["state"], default.record()["attempt"]["number"]) == ("exported", 2)
    assert rillet_invoice(default, FIRST)["invoice_date"] == "2026-12-01"


@pytest.mark.usefixtures("closed")
def test_a_dry_run_shows_the_day_and_remembers_nothing(system: LocalSystem) -> None:
    [result] = export(system, dry_run=True)

    assert result["payload"]["invoice_date"] == "2026-12-01"
    assert not [item for item in system.ledger() if "#books#" in item["pk"]]
