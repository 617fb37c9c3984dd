"""An ineligible invoice is skipped with its reason; a dry run of a draft answers as if it were final now."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from local import sample_data
from local.system import Connection, LocalSystem
from tests.support.arrange import export, put_on_queue, solvimon_invoice
from tests.support.assertions import (
    dead_letters,
    invoice_posts,
    ledger_without_rate_limit,
    rillet_invoices,
    waiting,
)
from tests.support.builders import FIRST, NOTE, ORIGINAL, Json, credit_note, original
from tests.support.connected import Connected

YEN = sample_data.invoice_id("yen")  # dated 2026-10-31T15:00Z, which is 1 November in Tokyo
LONG_NOTE = sample_data.invoice_id("long-note")  # dated 2026-11-01T04:00Z, midnight in New York


@dataclass(frozen=True)
class Case:
    """Why an invoice is skipped, and what makes it one for Rillet after all."""

    reason: str
    cause: Callable[[Connected], object]
    change: Callable[[Connected], object]
    finalised: bool = True


def change(**fields: object) -> Callable[[Connected], object]:
    """Change the first invoice in Solvimon."""
    return lambda c: solvimon_invoice(c).update(fields)


def settings(**fields: object) -> Callable[[Connected], object]:
    """Change the connection's settings."""
    return lambda c: c.configure(**fields)


CASES = {
    "not final": Case(
        "The invoice is not FINAL: DRAFT.",
        lambda c: put_on_queue(c.system),
        lambda c: c.platform.finalise(FIRST),
        finalised=False,
    ),
    "no status": Case(
        "The invoice is not FINAL: it has no status.",
        lambda c: solvimon_invoice(c).pop("status"),
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
    default: Connected, name: str
) -> None:
    case = CASES[name]
    if case.finalised:
        default.finalise()
    case.cause(default)
    default.settle()
    skipped, calls = default.record(), list(default.system.rillet.state.calls)
    depth = waiting(default.system).total

    case.change(default)
    [result] = default.export()

    assert (skipped["state"], skipped["reason"]) == ("skipped", case.reason)
    assert "lease_until" not in skipped
    assert (calls, depth, dead_letters(default.system)) == ([], 0, [])
    assert result["outcome"] == "exported"
    default.assert_exported()


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
    default: Connected, invoice_id: str, changes: Json, start_date: str, outcome: str
) -> None:
    default.configure(start_date=start_date)
    solvimon_invoice(default, invoice_id).update(changes)
    default.platform.finalise(invoice_id)

    [result] = default.export(invoice_id)

    assert result["outcome"] == outcome
    if changes:
        assert "dated 2026-10-31" in result["reason"], "an hour before midnight is the day before"


def test_a_finalisation_after_a_skip_exports_automatically(default: Connected) -> None:
    put_on_queue(default.system)
    default.settle()

    default.platform.finalise(FIRST)
    default.settle()

    assert default.record()["state"] == "exported"
    assert len(invoice_posts(default.system)) == 1


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


@pytest.mark.parametrize("status", ["DRAFT", "OPEN"])
def test_a_dry_run_of_a_draft_answers_as_if_it_were_finalised_now(default: Connected, status: str) -> None:
    default.platform.load({"invoices": [original()]})
    default.platform.records["invoices"][ORIGINAL]["status"] = status
    [planned] = default.export(ORIGINAL, dry_run=True)
    before = ledger_without_rate_limit(default.system), len(rillet_invoices(default))
    default.platform.records["invoices"][ORIGINAL]["status"] = "DRAFT"

    default.finalise(ORIGINAL)
    [sure] = default.export(ORIGINAL, dry_run=True)

    assert before == ([], 0)
    assert (planned["outcome"], planned["draft"]["status"]) == ("would_export", status)
    assert planned["tie_out"] == sure["tie_out"]
    assert "draft" not in sure
    number = {"invoice_number"}
    expected = {name: value for name, value in sure["payload"].items() if name not in number}
    assert {name: value for name, value in planned["payload"].items() if name not in number} == expected


def test_what_finalising_still_decides_is_a_warning(default: Connected) -> None:
    default.platform.load({"invoices": [original(invoice_date=None, invoice_number=None)]})

    [planned] = default.export(ORIGINAL, dry_run=True)

    assert planned["outcome"] == "would_export"
    assert any("number" in warning for warning in planned["warnings"])
    assert any("dated today" in warning for warning in planned["warnings"])


def test_a_draft_that_could_not_be_booked_says_so_before_it_is_final(default: Connected) -> None:
    default.platform.load({"invoices": [original()]})
    for product in default.platform.records["products"].values():
        product["custom_fields"] = []

    [planned] = default.export(ORIGINAL, dry_run=True)

    assert (planned["outcome"], planned["code"]) == ("would_reject", "product_not_linked")
    assert planned["draft"]["status"] == "DRAFT"


def test_a_draft_credit_note_is_answered_too(default: Connected) -> None:
    default.platform.load({"invoices": [original(), credit_note()]})
    default.finalise_and_settle(ORIGINAL)

    [planned] = default.credit(NOTE, dry_run=True)

    assert (planned["outcome"], planned["draft"]["status"]) == ("would_export", "DRAFT")


def test_a_draft_is_not_exported(default: Connected) -> None:
    default.platform.load({"invoices": [original()]})

    [result] = default.export(ORIGINAL)

    assert result["outcome"] == "skipped"
    assert rillet_invoices(default) == []
