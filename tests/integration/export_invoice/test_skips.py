"""An ineligible invoice is skipped with its reason, and exported when that changes."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from local import sample_data
from local.system import Connection, LocalSystem
from tests.support.arrange import configure, export, finalise, put_on_queue, solvimon_invoice
from tests.support.assertions import assert_exported, dead_letters, invoice_posts, record, waiting
from tests.support.builders import FIRST, Json

YEN = sample_data.invoice_id("yen")  # dated 2026-10-31T15:00Z, which is 1 November in Tokyo
LONG_NOTE = sample_data.invoice_id("long-note")  # dated 2026-11-01T04:00Z, midnight in New York


@dataclass(frozen=True)
class Case:
    """Why an invoice is skipped, and what makes it one for Rillet after all."""

    reason: str
    cause: Callable[[LocalSystem, Connection], object]
    change: Callable[[LocalSystem, Connection], object]
    finalised: bool = True


def change(**fields: object) -> Callable[[LocalSystem, Connection], object]:
    """Change the first invoice in Solvimon."""
    return lambda _, c: solvimon_invoice(c).update(fields)


def settings(**fields: object) -> Callable[[LocalSystem, Connection], object]:
    """Change the connection's settings."""
    return lambda s, c: configure(s, c, **fields)


CASES = {
    "not final": Case(
        "The invoice is not FINAL: DRAFT.",
        lambda s, c: put_on_queue(s),
        lambda s, c: c.platform.finalise(FIRST),
        finalised=False,
    ),
    "no status": Case(
        "The invoice is not FINAL: it has no status.",
        lambda s, c: solvimon_invoice(c).pop("status"),
        change(status="FINAL"),
    ),
    "a status that is not documented": Case(
        "The invoice is not FINAL: ARCHIVED.", change(status="ARCHIVED"), change(status="FINAL")
    ),
    "self billing": Case(
        "A SELF_BILLING invoice is money owed to a seller, not a receivable.",
        change(billing_type="SELF_BILLING"),
        change(billing_type="DEFAULT"),
    ),
    "before the start date": Case(
        "The invoice is dated 2026-11-01, before the connection's start_date 2026-11-02.",
        settings(start_date="2026-11-02"),
        settings(start_date="2026-11-01"),
    ),
    "workflow switched off": Case(
        "The workflow export_invoice is switched off in the settings.",
        settings(workflows={"export_invoice": False}),
        settings(workflows={"export_invoice": True}),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_ineligible_invoice_is_skipped_with_its_reason_and_exported_when_that_changes(
    system: LocalSystem, default: Connection, name: str
) -> None:
    case = CASES[name]
    if case.finalised:
        finalise(system, default)
    case.cause(system, default)
    system.settle()
    skipped, calls = record(system), list(system.rillet.state.calls)
    depth = waiting(system).total

    case.change(system, default)
    [result] = export(system)

    assert (skipped["state"], skipped["reason"]) == ("skipped", case.reason)
    assert "lease_until" not in skipped
    assert (calls, depth, dead_letters(system)) == ([], 0, [])
    assert result["outcome"] == "exported"
    assert_exported(system, default)


@pytest.mark.parametrize(
    ("invoice_id", "changes", "start_date", "outcome"),
    [
        (YEN, {}, "2026-10-31", "exported"),
        (YEN, {}, "2026-11-01", "exported"),
        (YEN, {}, "2026-11-02", "skipped"),
        (LONG_NOTE, {}, "2026-11-01", "exported"),
        (LONG_NOTE, {}, "2026-11-02", "skipped"),
        (LONG_NOTE, {"invoice_date": "2026-11-01T03:00:00Z"}, "2026-11-01", "skipped"),
    ],
)
def test_the_start_date_is_a_day_in_the_invoices_own_zone(
    system: LocalSystem, default: Connection, invoice_id: str, changes: Json, start_date: str, outcome: str
) -> None:
    configure(system, default, start_date=start_date)
    solvimon_invoice(default, invoice_id).update(changes)
    default.platform.finalise(invoice_id)

    [result] = export(system, invoice_id)

    assert result["outcome"] == outcome
    if changes:
        assert "dated 2026-10-31" in result["reason"], "an hour before midnight is the day before"


def test_a_finalisation_after_a_skip_exports_automatically(system: LocalSystem, default: Connection) -> None:
    put_on_queue(system)
    system.settle()

    default.platform.finalise(FIRST)
    system.settle()

    assert record(system)["state"] == "exported"
    assert len(invoice_posts(system)) == 1


@pytest.fixture(params=["CREDIT", "ONE_OFF_CREDIT"])
def note(default: Connection, request: pytest.FixtureRequest) -> Json:
    """The first invoice is a final credit note."""
    default.platform.finalise(FIRST)
    document = solvimon_invoice(default)
    document["type"] = request.param
    return document


@pytest.mark.usefixtures("note")
def test_a_credit_note_is_not_ours_and_nothing_of_it_stays_that_would_block_its_own_export(
    system: LocalSystem,
) -> None:
    [result] = export(system)
    [again] = export(system)

    assert result["outcome"] == again["outcome"] == "not_ours"
    assert "credit note" in result["reason"]
    assert system.rillet.state.calls == []
    for item in system.ledger():
        assert item["pk"] == f"default#invoice#{FIRST}", "a credit memo has a record of its own"
        assert item["state"] not in {"exported", "differs", "sending"}
        assert "lease_until" not in item


@pytest.mark.usefixtures("note")
def test_a_credit_note_on_the_queue_of_invoices_is_acknowledged(system: LocalSystem) -> None:
    put_on_queue(system)

    system.settle()

    assert (waiting(system).total, dead_letters(system), system.rillet.state.calls) == (0, [], [])
