"""What is not for Rillet is skipped, says why, and is exported when that changes."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from local import sample_data
from local.system import Connection, LocalSystem
from tests.support.arrange import configure, export, finalise, put_on_queue, solvimon_invoice
from tests.support.assertions import dead_letters, invoice_posts, record, rillet_invoices, waiting
from tests.support.builders import FIRST, bus_event

YEN = sample_data.invoice_id("yen")  # dated 2026-10-31T15:00Z, which is 1 November in Tokyo
LONG_NOTE = sample_data.invoice_id("long-note")  # dated 2026-11-01T04:00Z, midnight in New York


@dataclass(frozen=True)
class Case:
    """Why an invoice is skipped, and what makes it one for Rillet after all."""

    reason: str
    cause: Callable[[LocalSystem, Connection], object]
    change: Callable[[LocalSystem, Connection], object]
    finalised: bool = True


CASES = {
    "not final": Case(
        "The invoice is DRAFT, not FINAL.",
        lambda s, c: put_on_queue(s, bus_event()),
        lambda s, c: c.platform.finalise(FIRST),
        finalised=False,
    ),
    "no status": Case(
        "The invoice is without a status, not FINAL.",
        lambda s, c: solvimon_invoice(c).pop("status"),
        lambda s, c: solvimon_invoice(c).update(status="FINAL"),
    ),
    "a status that nobody knows": Case(
        "The invoice is ARCHIVED, not FINAL.",
        lambda s, c: solvimon_invoice(c).update(status="ARCHIVED"),
        lambda s, c: solvimon_invoice(c).update(status="FINAL"),
    ),
    "self billing": Case(
        "A SELF_BILLING invoice is money owed to a seller, not a receivable.",
        lambda s, c: solvimon_invoice(c).update(billing_type="SELF_BILLING"),
        lambda s, c: solvimon_invoice(c).update(billing_type="DEFAULT"),
    ),
    "before the start date": Case(
        "The invoice is dated 2026-11-01, before the connection's start_date 2026-11-02.",
        lambda s, c: configure(s, c, start_date="2026-11-02"),
        lambda s, c: configure(s, c, start_date="2026-11-01"),
    ),
    "workflow switched off": Case(
        "The workflow export_invoice is switched off in the settings.",
        lambda s, c: configure(s, c, workflows={"export_invoice": False}),
        lambda s, c: configure(s, c, workflows={"export_invoice": True}),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_invoice_that_is_not_for_rillet_is_skipped_says_why_and_is_exported_when_that_changes(
    system: LocalSystem, default: Connection, name: str
) -> None:
    case = CASES[name]
    if case.finalised:
        finalise(system, default)
    case.cause(system, default)
    system.settle()
    skipped, calls = record(system, FIRST), list(system.rillet.state.calls)
    depth = waiting(system).total

    case.change(system, default)
    [result] = export(system, FIRST)

    assert (skipped["state"], skipped["reason"]) == ("skipped", case.reason)
    assert "lease_until" not in skipped
    assert (calls, depth, dead_letters(system)) == ([], 0, [])
    assert result["outcome"] == "exported"
    assert len(rillet_invoices(default, FIRST)) == 1
    kept = record(system, FIRST)
    assert (kept["state"], kept.get("reason")) == ("exported", None)


def test_a_direct_invocation_says_why_an_invoice_was_skipped(
    system: LocalSystem, default: Connection
) -> None:
    [result] = export(system, FIRST)

    assert result == {
        "invoice_id": FIRST,
        "outcome": "skipped",
        "reason": "The invoice is DRAFT, not FINAL.",
    }


@pytest.mark.parametrize(
    ("invoice_id", "start_date", "outcome"),
    [
        (YEN, "2026-10-31", "exported"),
        (YEN, "2026-11-01", "exported"),
        (YEN, "2026-11-02", "skipped"),
        (LONG_NOTE, "2026-11-01", "exported"),
        (LONG_NOTE, "2026-11-02", "skipped"),
    ],
)
def test_the_start_date_is_a_day_in_the_invoices_own_zone(
    system: LocalSystem, default: Connection, invoice_id: str, start_date: str, outcome: str
) -> None:
    configure(system, default, start_date=start_date)
    default.platform.finalise(invoice_id)

    [result] = export(system, invoice_id)

    assert result["outcome"] == outcome


def test_an_invoice_an_hour_before_midnight_belongs_to_the_day_before(
    system: LocalSystem, default: Connection
) -> None:
    configure(system, default, start_date="2026-11-01")
    solvimon_invoice(default, LONG_NOTE)["invoice_date"] = "2026-11-01T03:00:00Z"
    default.platform.finalise(LONG_NOTE)

    [result] = export(system, LONG_NOTE)

    assert (result["outcome"], "dated 2026-10-31" in result["reason"]) == ("skipped", True)


def test_a_finalisation_after_a_skip_exports_by_itself(system: LocalSystem, default: Connection) -> None:
    put_on_queue(system, bus_event())
    system.settle()

    default.platform.finalise(FIRST)
    system.settle()

    assert record(system, FIRST)["state"] == "exported"
    assert len(invoice_posts(system)) == 1


@pytest.mark.parametrize("kind", ["CREDIT", "ONE_OFF_CREDIT"])
def test_a_credit_note_is_not_ours_and_nothing_of_it_stays_that_would_block_its_own_export(
    system: LocalSystem, default: Connection, kind: str
) -> None:
    default.platform.finalise(FIRST)
    solvimon_invoice(default)["type"] = kind

    [result] = export(system, FIRST)
    [again] = export(system, FIRST)

    assert result["outcome"] == again["outcome"] == "not_ours"
    assert "credit note" in result["reason"]
    assert system.rillet.state.calls == []
    for item in system.ledger():
        assert item["pk"] == f"default#invoice#{FIRST}", "a credit memo has a record of its own"
        assert item["state"] not in {"exported", "differs", "sending"}
        assert "lease_until" not in item


def test_a_credit_note_on_the_queue_of_invoices_is_acknowledged(
    system: LocalSystem, default: Connection
) -> None:
    default.platform.finalise(FIRST)
    solvimon_invoice(default)["type"] = "CREDIT"
    put_on_queue(system, bus_event())

    system.settle()

    assert (waiting(system).total, dead_letters(system), system.rillet.state.calls) == (0, [], [])
