"""Two days of a small company, and that a soak does not overlook what is planted."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from local.books_check.checks import StatedResult
from local.sample_data.identity import Json
from local.system import LocalSystem
from tests.soak.__main__ import print_result
from tests.soak.lives import LIVES
from tests.soak.result import SoakResult, soak_result
from tests.soak.run import Soak
from tests.soak.schedule import Plan, actions
from tests.soak.seeded_random import seeded_entropy

pytestmark = pytest.mark.slow

PLAN = Plan(
    seed=4, days=2, customers=20, invoices=(5, 8), sweep_seconds=7200, outage_hours=1, failing=0.03, lost=0.08
)
"""Fewer calls than in a long run, so more of them fail."""


@dataclass
class FinishedRun:
    """A run whose time has passed."""

    system: LocalSystem
    soak: Soak
    seconds: float

    def result(self) -> SoakResult:
        """What the auditor finds now."""
        return soak_result(PLAN, self.system, self.soak, self.seconds)

    @property
    def an_invoice(self) -> tuple[Json, Json]:
        """An invoice that nobody paid or credited, in Rillet and in Solvimon."""
        for there in self.soak.connection.organisation.invoices.documents():
            [reference] = there["external_references"]
            here = self.soak.connection.platform.records["invoices"][reference["id"]]
            if there["status"] == "UNPAID" and here["type"] != "CREDIT":
                return there, here
        raise LookupError("all invoices are paid or credited")


@pytest.fixture(scope="module")
def finished() -> Iterator[FinishedRun]:
    with seeded_entropy(PLAN.seed), LocalSystem(stack="soak-short", quiet=True) as system:
        started = time.monotonic()
        soak = Soak(PLAN, system)
        soak.simulate()
        soak.reconcile_all()
        yield FinishedRun(system, soak, time.monotonic() - started)


def test_after_two_days_of_faults_both_sides_agree_to_the_cent(finished: FinishedRun) -> None:
    ended = finished.result()

    assert ended.problems == ()
    figures = ended.figures
    assert (figures["duplicates"], figures["lost"], figures["difference"]) == (0, 0, "0.00")
    assert figures["tied_out"]
    assert figures["lived_on"] > len(LIVES)
    assert figures["stated_differences"] == figures["stated"] > 10
    assert figures["adopted"] > 0
    assert figures["refused_429"] == 0
    assert figures["invoices"] >= 15
    for name in ("credit_notes", "payments", "customer_edits", "rejected_then_retried", "deferrals"):
        assert figures[name] > 0, name
    for name in ("webhooks_lost", "token_refreshes", "sweeps", "reconciled_nights"):
        assert figures[name] > 0, name
    assert figures["faults"] > figures["faults_by_kind"]["outage"] > 0
    assert print_result(PLAN, ended, lambda _line: None) == 0


def test_documents_of_the_closed_month_are_booked_on_the_first_open_day(finished: FinishedRun) -> None:
    invoices = finished.soak.connection.organisation.invoices.documents()
    moved = [one for one in invoices if "first open day" in one.get("memo", "")]

    assert moved
    assert {one["invoice_date"] for one in moved} == {"2030-11-01"}


def test_an_invoice_that_is_there_twice_fails_the_run_by_its_number(finished: FinishedRun) -> None:
    books = finished.soak.connection.organisation.invoices
    there, here = finished.an_invoice
    second = books.add({name: value for name, value in there.items() if name not in ("id", "updated_at")})

    by_the_audit_alone = finished.result()
    finished.soak.reconcile_all()
    ended = finished.result()
    books.remove(second.id)

    assert by_the_audit_alone.figures["tied_out"]
    assert by_the_audit_alone.figures["duplicates"] == 1
    [problem] = by_the_audit_alone.problems
    assert problem.startswith(f"{here['invoice_number']} (")
    assert "is in Rillet twice" in problem
    assert (ended.figures["duplicates"], ended.figures["tied_out"]) == (1, False)
    lines: list[str] = []
    assert print_result(PLAN, ended, lines.append) == 1
    assert here["invoice_number"] in lines[0]
    assert lines[-2] == "The same days again: SEED=4 DAYS=2 CUSTOMERS=20 make soak"
    assert lines[-1].startswith("SOAK {")


def test_a_payment_state_that_is_wrong_fails_the_run_by_the_invoices_number(finished: FinishedRun) -> None:
    _, here = finished.an_invoice
    before = {name: here[name] for name in ("paid", "payment_status")}
    here.update(paid=True, payment_status="PAID")

    finished.soak.reconcile_all()
    ended = finished.result()
    here.update(before)

    assert ended.problems[0].startswith(f"{here['invoice_number']} (")
    assert "is PAID, paid in Solvimon" in ended.problems[0]
    assert not ended.figures["tied_out"]
    assert print_result(PLAN, ended, lambda _line: None) == 1


def test_a_stated_result_that_nobody_names_and_one_that_nobody_made_fail_the_run(
    finished: FinishedRun,
) -> None:
    stated = finished.soak.company.expected.stated
    written_off = next(key for key, result in stated.items() if result is StatedResult.CREDITED_IN_RILLET)
    _, here = finished.an_invoice
    del stated[written_off]

    nobody_made = finished.result()
    stated |= {written_off: StatedResult.CREDITED_IN_RILLET, here["id"]: StatedResult.MOVED}
    nobody_names = finished.result()
    del stated[here["id"]]

    assert (nobody_made.figures["tied_out"], nobody_names.figures["tied_out"]) == (False, False)
    assert any("credited_in_rillet" in problem for problem in nobody_made.problems)
    assert any(here["invoice_number"] in problem for problem in nobody_names.problems)


def test_an_amount_that_is_a_cent_off_and_a_lost_document_are_counted(finished: FinishedRun) -> None:
    books = finished.soak.connection.organisation
    there, here = finished.an_invoice
    books.edit_invoice(there["id"], amount_by="0.01")

    off = finished.result()
    books.edit_invoice(there["id"], amount_by="-0.01")
    kept = books.invoices.get(there["id"]).document
    books.invoices.remove(there["id"])
    lost = finished.result()
    books.invoices.add(kept)
    books.deliver_webhooks()
    finished.system.settle()
    finished.soak.reconcile_all()

    assert off.figures["difference"] == "0.01"
    assert off.problems[0].startswith(f"{here['invoice_number']} (")
    gross = here["invoice_amount_including_tax"]["quantity"]
    assert (lost.figures["lost"], lost.figures["difference"]) == (1, gross)
    assert finished.result().problems == ()


def test_the_same_seed_draws_the_same_schedule_and_another_one_another() -> None:
    same, again, other = (actions(Plan(seed=seed)) for seed in (1, 1, 2))

    assert [(one.at, one.kind, one.facts) for one in same] == [(o.at, o.kind, o.facts) for o in again]
    assert [(one.at, one.kind) for one in same] != [(one.at, one.kind) for one in other]
