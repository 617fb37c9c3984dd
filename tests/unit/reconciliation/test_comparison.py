"""Both sides next to each other: what agrees is silent, each difference is found once, by its own name."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvimon_rillet.money import decimals
from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, INVOICE, RilletDocument, SolvimonDocument
from solvimon_rillet.reconciliation.findings import HEADINGS, FindingType
from solvimon_rillet.reconciliation.totals import SideTotals
from tests.support.reconciliation import TOKYO, billed, booked, compared, kinds, memo, note, sample

NEW: dict[str, Any] = {"state": "", "rillet_id": "", "rillet_number": ""}
ONE = billed("1")


def test_a_document_that_is_the_same_on_both_sides_gives_no_finding() -> None:
    found = compared([ONE], [booked(ONE)])

    assert found.tied_out
    assert found.documents == 1
    assert (found.findings, found.missing, found.notes, found.other_documents) == ([], [], [], 0)


def test_every_kind_has_a_heading_and_the_sample_has_one_finding_of_each() -> None:
    found = kinds(sample().comparison)

    assert found == list(FindingType)
    assert set(HEADINGS) == set(FindingType)


@pytest.mark.parametrize(
    ("theirs", "kind"),
    [
        ({"gross": "119.01", "tax": "19.01", "open": "119.01"}, FindingType.AMOUNT_DIFFERS),
        ({"net": "99.99", "tax": "19.01"}, FindingType.AMOUNT_DIFFERS),
        ({"currency": "USD"}, FindingType.AMOUNT_DIFFERS),
        ({"customer_id": "rc_2"}, FindingType.CUSTOMER_DIFFERS),
        ({"subsidiary_id": TOKYO}, FindingType.SUBSIDIARY_DIFFERS),
        ({"number": "INV-1"}, FindingType.NUMBER_DIFFERS),
        ({"open": "0.00", "status": "PAID"}, FindingType.PAYMENT_DIFFERS),
        ({"open": "100.00", "status": "PARTIALLY_PAID"}, FindingType.PAYMENT_DIFFERS),
    ],
)
def test_a_pair_that_differs_in_one_thing_gives_exactly_that_finding(
    theirs: dict[str, str], kind: FindingType
) -> None:
    found = compared([ONE], [booked(ONE, **theirs)])

    assert kinds(found) == [kind]
    assert not found.tied_out
    assert found.findings[0].rillet_ids == ("ri_1",)
    assert not found.missing


@pytest.mark.parametrize(
    ("record", "kind", "driven"),
    [
        ({"state": ""}, FindingType.MISSING, True),
        ({"state": "skipped"}, FindingType.MISSING, True),
        ({"state": "claimed"}, FindingType.ON_ITS_WAY, True),
        ({"state": "sending"}, FindingType.ON_ITS_WAY, True),
        ({"state": "rejected", "message": "m", "remedy": "r", "code": "c"}, FindingType.REJECTED, False),
        ({"state": "exported", "rillet_id": "ri_1"}, FindingType.DELETED, False),
        ({"state": "differs", "rillet_id": "ri_1"}, FindingType.DELETED, False),
    ],
)
def test_a_document_that_is_not_in_rillet_is_named_by_what_the_ledger_says(
    record: dict[str, str], kind: FindingType, driven: bool
) -> None:
    ours = billed("1", **{**NEW, **record})

    found = compared([ours], [])

    assert kinds(found) == [kind]
    assert found.missing == ([ours] if driven else [])
    assert found.findings[0].amount == "119.00"


def test_a_rejected_document_keeps_its_own_cause_remedy_and_code() -> None:
    ours = billed(
        "1", **{**NEW, "state": "rejected"}, message="No product.", remedy="Link it.", code="no_link"
    )

    [finding] = compared([ours], []).findings

    assert (finding.cause, finding.remedy, finding.code) == ("No product.", "Link it.", "no_link")


def test_a_deleted_document_says_whether_rillet_was_asked_for_it() -> None:
    [listed] = compared([ONE], []).findings
    [asked] = compared([ONE], [], deleted_ids=frozenset({"ri_1"})).findings

    assert "list does not have it" in listed.cause
    assert "does not have it any more" in asked.cause


def test_a_document_that_is_there_twice_is_counted_twice() -> None:
    found = compared([ONE], [booked(ONE), booked(ONE, id="ri_again")])

    assert kinds(found) == [FindingType.DOUBLED]
    assert found.findings[0].rillet_ids == ("ri_1", "ri_again")
    line = found.totals.by_currency()["EUR"]
    assert (line.solvimon.count, line.rillet.count) == (1, 2)
    assert line.difference.gross == Decimal("119.00")


def test_of_doubled_documents_the_one_that_the_ledger_names_is_to_stay() -> None:
    found = compared([ONE], [booked(ONE, id="ri_0", customer_id="rc_2"), booked(ONE)])

    assert kinds(found) == [FindingType.DOUBLED]
    assert "all but ri_1 " in found.findings[0].remedy


def test_a_second_document_without_our_reference_is_doubled_by_its_number_and_amount() -> None:
    found = compared([ONE], [booked(ONE), booked(ONE, id="ri_hand", references=())])

    assert kinds(found) == [FindingType.DOUBLED]
    assert found.findings[0].rillet_ids == ("ri_1", "ri_hand")
    assert found.totals.by_currency()["EUR"].rillet.count == 2


def test_two_documents_of_solvimon_do_not_share_one_of_rillet() -> None:
    other = billed("2", number="RE-1", rillet_id="ri_1")

    found = compared([ONE, other], [booked(ONE)])

    assert kinds(found) == [FindingType.MISSING]
    assert (found.findings[0].solvimon_id, found.missing) == ("invo_2", [])
    assert "invo_1" in found.findings[0].cause
    assert found.totals.by_currency()["EUR"].rillet.count == 1


def test_what_solvimon_does_not_have_any_more_is_found_by_our_own_record() -> None:
    unmatched = booked(billed("void", number="RE-9"))

    found = compared([], [unmatched])

    assert kinds(found) == [FindingType.NOT_IN_SOLVIMON]
    assert found.findings[0].solvimon_id == "invo_void"
    assert found.totals.by_currency()["EUR"].difference.count == 1


def test_an_unmatched_document_of_the_same_number_in_another_currency_is_another_sale() -> None:
    found = compared([ONE], [booked(ONE), booked(ONE, id="ri_hand", references=(), currency="USD")])

    assert found.tied_out
    assert found.other_documents == 1


@pytest.mark.parametrize(
    ("day", "other_documents"), [("2026-10-31", 1), ("2026-11-01", 0), ("2026-07-31", 0)]
)
def test_an_unmatched_document_of_the_period_is_counted_and_is_in_no_total(
    day: str, other_documents: int
) -> None:
    unmatched = booked(billed("x"), references=("crm_1",), day=day)

    found = compared([ONE], [booked(ONE), unmatched])

    assert found.tied_out
    assert found.other_documents == other_documents
    assert found.totals.by_currency()["EUR"].rillet.count == 1


def test_an_excluded_document_is_counted_by_its_rule_and_is_in_no_sum() -> None:
    ours = [billed(str(n), **NEW, not_for_rillet="self-billing") for n in range(2)]

    found = compared(ours, [])

    assert found.tied_out
    assert found.not_for_rillet == {"self-billing": 2}
    assert found.documents == 0
    assert found.totals.lines() == {}


def test_an_excluded_document_that_is_in_rillet_all_the_same_is_a_note() -> None:
    found = compared([replace(ONE, not_for_rillet="self-billing")], [booked(ONE)])

    assert found.tied_out
    assert found.notes == ["RE-1 is not for Rillet (self-billing); it is in Rillet as RE-1."]
    assert found.other_documents == 0


def test_another_day_in_rillet_is_a_note_and_the_month_stays_that_of_solvimon() -> None:
    found = compared([ONE], [booked(ONE, day="2026-11-01")])

    assert found.tied_out
    assert found.notes == ["RE-1 of 2026-10-05 is booked on 2026-11-01."]
    assert [bucket.month for bucket in found.totals.lines()] == ["2026-10"]


def test_a_credit_note_takes_its_amounts_off_on_both_sides() -> None:
    credit = note("c", "1", net="10.00", tax="1.90", gross="11.90")
    theirs = booked(ONE, open="107.10", status="PARTIALLY_CREDITED")

    found = compared([ONE, credit], [theirs, memo(credit, {"ri_1": "11.90"})])

    assert found.tied_out
    line = found.totals.by_currency()["EUR"]
    expected = SideTotals(2, Decimal("90.00"), Decimal("17.10"), Decimal("107.10"), Decimal("107.10"))
    assert line.solvimon == line.rillet == expected


def test_a_memo_that_is_not_applied_while_its_invoice_is_open_is_the_only_finding() -> None:
    credit = note("c", "1")

    found = compared([ONE, credit], [booked(ONE), memo(credit, {})])

    assert kinds(found) == [FindingType.MEMO_UNAPPLIED]
    assert found.findings[0].amount == "119.00"


def test_a_memo_for_an_invoice_of_before_the_period_is_found_unapplied_too() -> None:
    before = billed("before", day="2026-07-01")
    credit = note("c", "before")

    found = compared([credit], [booked(before), memo(credit, {})])

    assert kinds(found) == [FindingType.MEMO_UNAPPLIED]


def test_the_rest_of_a_memo_on_a_paid_invoice_is_a_note() -> None:
    paid, credit = replace(ONE, payment_status="PAID"), note("c", "1")

    found = compared([paid, credit], [booked(paid, open="0", status="PAID"), memo(credit, {})])

    assert found.tied_out
    assert ["nothing is open on the invoice it credits" in one for one in found.notes] == [True]


def test_a_memo_whose_invoice_was_not_read_does_not_claim_that_nothing_is_open_on_it() -> None:
    credit = note("c", "unknown")

    found = compared([credit], [memo(credit, {})])

    assert found.tied_out
    assert ["was not read from Rillet" in one for one in found.notes] == [True]


def test_a_memo_on_several_invoices_may_be_used_up_by_the_first() -> None:
    other = billed("2")
    credit = note("c", "1", "2", net="50.00", tax="9.50", gross="59.50")
    first = booked(ONE, open="59.50", status="PARTIALLY_CREDITED")

    found = compared([ONE, other, credit], [first, booked(other), memo(credit, {"ri_1": "59.50"})])

    assert found.tied_out
    assert found.totals.by_currency()["EUR"].difference == SideTotals()


def test_a_memo_that_is_not_applied_to_several_invoices_is_taken_off_once() -> None:
    other = billed("2")
    credit = note("c", "1", "2", net="50.00", tax="9.50", gross="59.50")

    found = compared([ONE, other, credit], [booked(ONE), booked(other), memo(credit, {})])

    assert kinds(found) == [FindingType.MEMO_UNAPPLIED]
    assert found.totals.by_currency()["EUR"].solvimon.open == Decimal("178.50")


def test_what_is_paid_and_what_is_credited_leave_what_is_open() -> None:
    ours = replace(ONE, payment_status="PARTIALLY_PAID", paid="40.00")
    credit = note("c", "1", net="10.00", tax="1.90", gross="11.90")
    theirs = booked(ours, open="67.10", status="PARTIALLY_PAID")

    found = compared([ours, credit], [theirs, memo(credit, {"ri_1": "11.90"})])

    assert found.tied_out
    assert found.totals.by_currency()["EUR"].difference == SideTotals()


def test_another_open_amount_is_found_with_its_size() -> None:
    ours = replace(ONE, payment_status="PARTIALLY_PAID", paid="40.00")

    found = compared([ours], [booked(ours, open="80.00", status="PARTIALLY_PAID")])

    assert kinds(found) == [FindingType.OPEN_AMOUNT_DIFFERS]
    assert found.findings[0].amount == "1.00"


@pytest.mark.parametrize("paid", ["119.00", "99.00"])
def test_a_part_that_was_undone_after_all_was_paid_is_no_difference(paid: str) -> None:
    ours = replace(ONE, gross="119.00", payment_status="PARTIALLY_PAID", paid=paid)
    credit = note("credit", "1", net="16.81", tax="3.19", gross="20.00")
    theirs = booked(ours, open="64.00", status="PARTIALLY_PAID")

    found = compared([ours, credit], [theirs, memo(credit, {theirs.id: "20.00"})])

    assert found.findings == []
    assert found.tied_out


PARTLY = replace(ONE, payment_status="PARTIALLY_PAID", paid="0")
OVERPAID = replace(ONE, payment_status="OVERPAID", paid="120.00")
NOTHING = billed("0", net="0.00", tax="0.00", gross="0.00", payment_status="PAID")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(ONE, [booked(ONE, gross="1.00"), booked(ONE)], id="Rillet's list has it on two pages"),
        pytest.param(ONE, [booked(ONE, references=())], id="the ledger finds it without our reference"),
        pytest.param(
            PARTLY,
            [booked(PARTLY, open="80.00", status="PARTIALLY_PAID")],
            id="partly paid, and Solvimon does not know how much",
        ),
        pytest.param(OVERPAID, [booked(OVERPAID, open="0", status="PAID")], id="an overpaid one is paid"),
        pytest.param(NOTHING, [booked(NOTHING)], id="one over nothing has no payment to differ in"),
    ],
)
def test_what_only_looks_like_a_difference_is_none(
    ours: SolvimonDocument, theirs: list[RilletDocument]
) -> None:
    found = compared([ours], theirs)

    assert found.tied_out
    assert found.totals.by_currency()["EUR"].difference == SideTotals()


def test_payments_are_not_compared_where_solvimon_is_not_to_know_them() -> None:
    found = compared([ONE], [booked(ONE, open="0", status="PAID")], compare_payments=False)

    assert found.tied_out


def test_a_credit_whose_memo_was_not_read_is_not_taken_for_a_payment() -> None:
    found = compared([ONE], [booked(ONE, open="19.00", status="PARTIALLY_CREDITED")])

    assert found.tied_out


def test_net_and_tax_that_solvimon_does_not_state_are_not_a_difference() -> None:
    ours = replace(ONE, net="", tax="")

    found = compared([ours], [booked(ONE)])

    assert found.tied_out
    assert found.totals.by_currency()["EUR"].solvimon.net == Decimal("100.00")


def test_a_subsidiary_that_rillet_does_not_name_is_not_a_difference() -> None:
    found = compared([ONE], [booked(ONE, subsidiary_id="")])

    assert found.tied_out
    assert [bucket.subsidiary_id for bucket in found.totals.lines()] == ["sub_berlin"]


def test_a_rejected_document_that_is_in_rillet_is_a_note() -> None:
    rejected = replace(ONE, state="rejected", rillet_id="")

    found = compared([rejected], [booked(ONE)])

    assert found.tied_out
    assert ["sync_status (resolve)" in one for one in found.notes] == [True]


@pytest.mark.parametrize(
    ("ours", "finds"),
    [
        (billed("1", rillet_number="INV-1"), False),
        (billed("1", rillet_number="INV-1", scope="AR_ONLY"), True),
        (note("1", rillet_number="INV-1"), True),
    ],
)
def test_the_number_that_counts_is_rillets_own_unless_it_must_keep_ours(
    ours: SolvimonDocument, finds: bool
) -> None:
    theirs = booked(ours, number="INV-1", open="0" if ours.kind == CREDIT_MEMO else ours.gross)

    found = compared([ours], [theirs])

    assert kinds(found) == ([FindingType.NUMBER_DIFFERS] if finds else [])


AMOUNTS = st.integers(min_value=1, max_value=10**9)


@st.composite
def _pair(draw: st.DrawFn, number: int) -> list[tuple[SolvimonDocument, RilletDocument]]:
    """An invoice, with a credit note on it or without, and what Rillet has for both: all synchronised."""
    currency = draw(st.sampled_from(["EUR", "JPY", "BHD"]))
    places = decimals(currency)

    def amounts(net: int, tax: int) -> dict[str, str]:
        parts = {"net": net, "tax": tax, "gross": net + tax}
        return {name: f"{Decimal(units).scaleb(-places):f}" for name, units in parts.items()}

    net, tax = draw(AMOUNTS), draw(AMOUNTS)
    day = f"2026-{draw(st.sampled_from(['08', '09', '10']))}-{draw(st.integers(1, 28)):02}"
    biller = draw(st.sampled_from(["bill_berlin", "bill_tokyo"]))
    shared: dict[str, Any] = {"currency": currency, "day": day, "biller_id": biller}
    invoice = billed(str(number), **shared, **amounts(net, tax))
    credited, paid = draw(st.integers(0, net)), draw(st.sampled_from(["UNPAID", "PARTIALLY_PAID", "PAID"]))
    off = Decimal(credited).scaleb(-places)
    open_now = Decimal(invoice.gross) - off
    got = {"UNPAID": Decimal(), "PARTIALLY_PAID": Decimal(1).scaleb(-places), "PAID": open_now}[paid]
    if got >= open_now:
        paid, got = "PAID", open_now
    invoice = replace(invoice, payment_status=paid, paid=f"{got:f}")
    theirs = booked(invoice, open=f"{open_now - got:f}", status=paid)
    if not credited:
        return [(invoice, theirs)]
    credit = note(f"c{number}", str(number), **shared, **amounts(credited, 0))
    return [(invoice, theirs), (credit, memo(credit, {invoice.rillet_id: f"{off:f}"}))]


@st.composite
def books(draw: st.DrawFn) -> list[tuple[SolvimonDocument, RilletDocument]]:
    """Any set of documents on which both sides agree, in any order."""
    pairs = [pair for number in range(draw(st.integers(1, 6))) for pair in draw(_pair(number))]
    return draw(st.permutations(pairs))


@given(pairs=books())
def test_whatever_agrees_gives_no_finding_and_the_same_sums(
    pairs: list[tuple[SolvimonDocument, RilletDocument]],
) -> None:
    found = compared([ours for ours, _ in pairs], [theirs for _, theirs in pairs])

    assert found.findings == []
    assert found.notes == []
    assert all(line.difference == SideTotals() for line in found.totals.lines().values())
    assert sum(line.rillet.count for line in found.totals.lines().values()) == len(pairs)


@given(pairs=books(), data=st.data())
def test_one_cent_in_one_document_is_exactly_one_finding(
    pairs: list[tuple[SolvimonDocument, RilletDocument]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(pairs) - 1))
    ours, theirs = pairs[place]
    signs = [1, -1] if ours.kind == INVOICE and Decimal(theirs.open) else [1]
    cent = Decimal(1).scaleb(-decimals(ours.currency)) * data.draw(st.sampled_from(signs))
    changed: dict[str, Any] = {
        name: f"{Decimal(getattr(theirs, name)) + cent:f}" for name in ("tax", "gross", "open")
    }

    found = compared(
        [one for one, _ in pairs],
        [replace(there, **changed) if there is theirs else there for _, there in pairs],
    )

    [finding] = found.findings
    assert (finding.kind, finding.solvimon_id) == (FindingType.AMOUNT_DIFFERS, ours.id)
    assert Decimal(finding.amount) == abs(cent)


@given(pairs=books(), data=st.data())
def test_one_document_less_in_rillet_is_exactly_one_finding_of_its_kind(
    pairs: list[tuple[SolvimonDocument, RilletDocument]], data: st.DataObject
) -> None:
    ours, theirs = data.draw(st.sampled_from(pairs))

    def plant(one: SolvimonDocument) -> SolvimonDocument:
        return replace(one, **NEW) if one is ours else one

    found = compared([plant(one) for one, _ in pairs], [there for _, there in pairs if there is not theirs])

    about = [finding for finding in found.findings if finding.solvimon_id == ours.id]
    assert [finding.kind for finding in about] == [FindingType.MISSING]
    assert {finding.solvimon_id for finding in found.findings} <= {ours.id, *ours.credits}
