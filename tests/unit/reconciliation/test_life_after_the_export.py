"""What becomes of a document after it was booked: each case has one stated result (docs/workflows.md)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from solvimon_rillet.reconciliation.documents import (
    CREDIT_MEMO,
    RilletDocument,
    SolvimonDocument,
    recorded_document,
)
from solvimon_rillet.reconciliation.findings import FindingType
from tests.support.reconciliation import TOKYO, billed, booked, compared, kinds, memo, note

ONE, OTHER = billed("1"), billed("2")


def own_memo(amount: str = "119.00", of: str = "ri_1", **other: Any) -> RilletDocument:
    """A memo that a person made in Rillet, applied to one of our invoices."""
    made = billed("own", kind=CREDIT_MEMO, number="CM-9", gross=amount, net=amount, tax="0")
    return booked(made, references=(), open="0.00", status="APPLIED", applied={of: amount}, **other)


@pytest.mark.parametrize(
    ("due", "status", "cause"),
    [
        ("119.00", "UNPAID", "the payout is on its way"),
        ("3.20", "PARTIALLY_PAID", "115.80 EUR: most likely the payout, less the fee"),
        ("100.00", "PARTIALLY_PAID", "19.00 EUR: most likely a part of the payouts is on its way"),
    ],
)
def test_what_solvimon_collected_itself_is_paid_in_solvimon_and_open_in_rillet(
    due: str, status: str, cause: str
) -> None:
    ours = replace(ONE, payment_status="PAID", paid="119.00", owner="solvimon")

    found = compared([ours], [booked(ours, open=due, status=status)])

    assert kinds(found) == [FindingType.PAID_IN_SOLVIMON]
    [finding] = found.findings
    assert finding.amount == due
    assert "(119.00 EUR)" in finding.cause
    assert f"{due} EUR are due in Rillet" in finding.cause
    assert cause in finding.cause
    assert "mark_invoice_paid" not in finding.remedy
    line = found.totals.by_currency()["EUR"]
    assert (line.solvimon.open, line.rillet.open) == (Decimal(), Decimal(due))


def test_what_we_set_ourselves_is_another_payment_state_that_a_request_corrects() -> None:
    ours = replace(ONE, payment_status="PAID", paid="119.00", owner="rillet")

    [finding] = compared([ours], [booked(ours)]).findings

    assert finding.kind is FindingType.PAYMENT_DIFFERS
    assert "mark_invoice_paid" in finding.remedy


@pytest.mark.parametrize(
    ("amount", "due", "verb"), [("119.00", "0.00", "Closed"), ("19.00", "100.00", "Reduced")]
)
def test_a_credit_that_only_rillet_has_is_shown_as_that_and_the_open_amounts_are_told_apart(
    amount: str, due: str, verb: str
) -> None:
    theirs = booked(ONE, open=due, status="CREDITED" if due == "0.00" else "PARTIALLY_CREDITED")

    found = compared([ONE], [theirs, own_memo(amount)])

    assert kinds(found) == [FindingType.CREDITED_IN_RILLET]
    [finding] = found.findings
    assert finding.cause.startswith(f"{verb} by a memo of Rillet's own, {amount} EUR (CM-9);")
    assert (finding.amount, found.other_documents) == (amount, 1)
    line = found.totals.by_currency()["EUR"]
    assert (line.solvimon.open, line.rillet.open) == (Decimal("119.00"), Decimal(due))


def test_a_write_off_that_solvimon_knows_as_paid_is_a_note() -> None:
    ours = replace(ONE, payment_status="PAID", paid="119.00", owner="rillet")

    found = compared([ours], [booked(ours, open="0.00", status="CREDITED"), own_memo()], mark_credits=True)

    assert found.tied_out
    assert found.notes == [
        "RE-1: 119.00 EUR are credited in Rillet only (CM-9); Solvimon counts the invoice as paid."
    ]


def test_with_the_setting_a_write_off_is_still_to_be_marked_in_solvimon() -> None:
    found = compared([ONE], [booked(ONE, open="0.00", status="CREDITED"), own_memo()], mark_credits=True)

    assert kinds(found) == [FindingType.CREDITED_IN_RILLET, FindingType.PAYMENT_DIFFERS]


@pytest.mark.parametrize("how", ["reference", "ledger"])
def test_a_memo_of_ours_from_before_the_period_is_not_rillets_own(how: str) -> None:
    theirs = booked(ONE, open="0.00", status="CREDITED")
    known = frozenset({"ri_own"}) if how == "ledger" else frozenset[str]()
    earlier = replace(own_memo(), references=("invo_note",) if how == "reference" else ())

    found = compared([ONE], [theirs, earlier], known_memos=known)

    assert found.tied_out


@pytest.mark.parametrize(
    ("applied_to", "found"), [("ri_1", []), ("ri_2", [FindingType.CREDIT_USED_ELSEWHERE])]
)
def test_a_memo_of_another_period_credits_the_invoice_to_which_the_ledger_says_it_was_applied(
    applied_to: str, found: list[FindingType]
) -> None:
    amounts = {"net": "100.00", "tax": "19.00", "gross": "119.00", "currency": "EUR"}
    record: dict[str, Any] = {
        "state": "exported",
        "rillet_id": "ri_c",
        "dated": "2026-11-01",
        "number": "CN-1",
    }
    credit = recorded_document(
        CREDIT_MEMO, "invo_c", {**record, "totals": amounts, "applied_to": [applied_to]}
    )
    theirs = [booked(ONE, open="0.00", status="CREDITED"), memo(credit, {"ri_1": "119.00"})]

    assert kinds(compared([ONE], theirs, earlier=[credit])) == found


def test_a_memo_of_ours_that_is_used_for_another_invoice_names_it_there() -> None:
    credit = note("c", "1", number="CN-1")
    theirs = [booked(ONE), booked(OTHER, open="0.00", status="CREDITED"), memo(credit, {"ri_2": "119.00"})]

    found = compared([ONE, OTHER, credit], theirs)

    assert kinds(found) == [FindingType.CREDIT_USED_ELSEWHERE]
    [finding] = found.findings
    assert (finding.solvimon_id, finding.amount) == ("invo_2", "119.00")
    assert "119.00 EUR of CN-1, which credits another invoice" in finding.cause
    line = found.totals.by_currency()["EUR"]
    assert (line.solvimon.open, line.rillet.open) == (Decimal("119.00"), Decimal("119.00"))


@pytest.mark.parametrize("left", ["119.00", "0.00"])
def test_a_refunded_memo_is_a_note_and_is_not_to_be_refunded_again(left: str) -> None:
    paid, credit = replace(ONE, payment_status="PAID", owner="rillet"), note("c", "1")
    refunded = memo(credit, {}, open=left, status="REFUNDED")

    found = compared([paid, credit], [booked(paid, open="0", status="PAID"), refunded])

    assert found.tied_out
    assert not [text for text in found.notes if "Refund it" in text]


@pytest.mark.parametrize("left", ["119.00", "0.00"])
def test_a_refunded_memo_of_an_open_invoice_says_that_it_cannot_be_applied(left: str) -> None:
    credit = note("c", "1")

    found = compared([ONE, credit], [booked(ONE), memo(credit, {}, open=left, status="REFUNDED")])

    assert kinds(found) == [FindingType.MEMO_REFUNDED]
    assert found.totals.by_currency()["EUR"].difference.open == Decimal("119.00")


@pytest.mark.parametrize("kept", [True, False])
def test_what_was_entered_again_is_one_finding_with_the_ready_event(kept: bool) -> None:
    again = booked(ONE, id="ri_again", number="INV-2", open="0", status="PAID", references=(ONE.id,))
    if not kept:  # without our reference, it is found by number, amount and customer
        again = replace(again, references=(), number=ONE.number)

    found = compared([ONE], [again], deleted_ids=frozenset({"ri_1"}), connection="acme")

    assert kinds(found) == [FindingType.ENTERED_AGAIN]
    [finding] = found.findings
    assert finding.rillet_ids == ("ri_again",)
    assert '{"connection": "acme", "resolve": {"invoice_id": "invo_1", "rillet_id": "ri_again"' in (
        finding.remedy
    )
    assert found.missing == []
    assert found.totals.by_currency()["EUR"].rillet.count == 1


def test_what_a_person_booked_for_a_missing_document_is_not_exported_beside_it() -> None:
    ours = billed("1", state="", rillet_id="", rillet_number="")
    theirs = booked(ours, id="ri_hand", references=())

    found = compared([ours], [theirs])

    assert kinds(found) == [FindingType.ENTERED_AGAIN]
    assert found.missing == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ONE, {"day": "2026-09-30"}),
        (replace(ONE, booked_on="2026-10-05"), {"day": "2026-11-01"}),
        (replace(ONE, months="2026-10"), {"months": "2026-11"}),
    ],
)
def test_what_an_accountant_moved_to_another_month_is_a_finding_of_its_own(
    ours: SolvimonDocument, theirs: dict[str, str]
) -> None:
    found = compared([ours], [booked(ours, **theirs)])

    assert kinds(found) == [FindingType.MOVED_TO_ANOTHER_MONTH]
    assert not found.tied_out
    assert found.notes == []
    moved = {line.month for line, sums in found.totals.lines().items() if sums.rillet.count}
    assert moved == {theirs.get("day", "2026-10-05")[:7]}


@pytest.mark.parametrize(
    ("booked_on", "day"), [("2026-11-01", "2026-11-01"), ("", "2026-11-01"), ("2026-10-05", "2026-10-06")]
)
def test_the_next_open_day_and_another_day_of_the_month_stay_notes(booked_on: str, day: str) -> None:
    ours = replace(ONE, booked_on=booked_on)

    found = compared([ours], [booked(ours, day=day)])

    assert found.tied_out
    assert found.notes == [f"RE-1 of 2026-10-05 is booked on {day}."]


@pytest.mark.parametrize(
    "party", [{"customer_id": "rc_2"}, {"subsidiary_id": TOKYO}], ids=["customer", "subsidiary"]
)
def test_another_customers_invoice_with_our_number_and_amount_is_no_double(party: dict[str, str]) -> None:
    theirs = booked(ONE, id="ri_other", references=(), **party)

    found = compared([ONE], [booked(ONE), theirs])
    missing = compared([replace(ONE, state="", rillet_id="")], [theirs])

    assert found.tied_out
    assert found.other_documents == 1
    assert kinds(missing) == [FindingType.MISSING]


def test_an_edit_of_a_document_of_another_period_is_named_and_is_in_no_total() -> None:
    before = billed("before", kind=CREDIT_MEMO, day="2026-05-01", gross="119.00")
    edited = booked(before, gross="118.00", net="99.00", open="0")

    found = compared([ONE], [booked(ONE), edited], earlier=[before])

    assert kinds(found) == [FindingType.AMOUNT_DIFFERS]
    assert found.findings[0].solvimon_id == "invo_before"
    assert found.totals.by_currency()["EUR"].rillet.count == 1
