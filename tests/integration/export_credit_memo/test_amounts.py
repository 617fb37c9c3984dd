"""Signs, full and partial credits, and what does not tie out."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from solvimon_rillet.mapping.credit_memos import CreditedInvoice, to_applications, to_rillet_credit_memo
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice
from tests.support.arrange import load, patched, solvimon_invoice
from tests.support.assertions import (
    application_posts,
    calls_to,
    invoice_reads,
    memo_posts,
    memos,
    rillet_invoice,
)
from tests.support.builders import (
    LINKS,
    NOTE,
    Json,
    amount,
    credit_note,
    group,
    invoice,
    nets,
    original,
    tax,
    taxes,
)
from tests.support.connected import Connected


def mapped(*groups: Json, **more: object) -> Json:
    """The request body for a credit note."""
    document = Invoice.model_validate(invoice(*groups, type="CREDIT", **more))
    return to_rillet_credit_memo(document, LINKS, Settings()).payload


def memo_of(*amounts: tuple[str, str], sign: int = 1) -> Json:
    """The memo of a note whose groups have these nets and taxes, times a sign."""
    signed = [[str(Decimal(each) * sign) for each in pair] for pair in amounts]
    return mapped(*(group(net, tax(net, paid)) for net, paid in signed))


def test_negative_and_positive_amounts_from_solvimon_give_the_same_positive_memo() -> None:
    amounts = ("100.00", "21.00"), ("50.00", "10.50")

    negative = memo_of(*amounts, sign=-1)

    assert negative == memo_of(*amounts)
    assert nets(negative["items"]) == ["100.00", "50.00"]
    assert taxes(negative["items"]) == ["21.00", "10.50"]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_line_against_the_notes_own_sign_stays_against_it(sign: int) -> None:
    memo = memo_of(("100", "21"), ("-20", "-4.20"), sign=sign)

    assert nets(memo["items"]) == ["100.00", "-20.00"]


def test_a_zero_in_a_negative_note_is_no_negative_zero() -> None:
    memo = mapped(group("-100.00"), group("0.00"))

    assert nets(memo["items"]) == ["100.00", "0.00"]


@pytest.mark.parametrize(("net", "paid"), [("-100.00", "-21.00"), ("100.00", "21.00")])
def test_a_full_credit_of_either_sign_empties_the_invoice(default: Connected, net: str, paid: str) -> None:
    default.load_and_settle(original(), credit_note(NOTE, net, paid))

    memo = default.assert_memo_exported()
    assert (memo["total"]["amount"], memo["taxed_amount"]["amount"]) == ("121.00", "21.00")
    assert memo["status"] == "APPLIED"
    assert rillet_invoice(default)["amount_due"]["amount"] == "0.00"


def test_a_partial_credit_leaves_the_rest_of_the_invoice_open(default: Connected) -> None:
    default.load_and_settle(original(), credit_note(NOTE, "-30.00", "-6.30"))

    default.assert_memo_exported(("36.30", "0.00"))
    assert rillet_invoice(default)["amount_due"]["amount"] == "84.70"
    assert default.memo_record()["warnings"] == []
    assert invoice_reads(default.system) == 0, "a credit that fits costs no look-up"


def test_a_memo_keeps_solvimons_number_in_a_form_that_rillet_accepts(default: Connected) -> None:
    default.load_and_settle(original(), credit_note(invoice_number="CRE 2026 007"))

    [memo] = memos(default)
    assert memo["credit_memo_number"] == "CRE-2026-007"
    assert default.memo_record()["rillet_number"] == "CRE-2026-007"


def answer_with(**changes: Callable[[Any], object]) -> Callable[..., object]:
    """Rillet's own answer to a new memo, with some fields changed."""
    real: Callable[..., Any] = RilletClient.create_credit_memo

    def changed(self: RilletClient, *args: object) -> object:
        answer = real(self, *args)
        return answer.model_copy(update={name: change(answer) for name, change in changes.items()})

    return changed


def test_a_number_that_rillet_gave_instead_is_a_warning(default: Connected) -> None:
    load(default, original(), credit_note(invoice_number="CRE-7"))

    renumbered = answer_with(credit_memo_number=lambda _: "CM-0001")
    with patched(RilletClient, "create_credit_memo", renumbered):
        [result] = default.credit()

    assert result["outcome"] == "exported"
    assert "Rillet gave it the number CM-0001; its number in Solvimon is CRE-7." in result["warnings"]


def test_another_total_in_rillets_answer_is_recorded_and_the_memo_is_not_applied(default: Connected) -> None:
    load(default, original(), credit_note())

    another = answer_with(total=lambda memo: memo.total.model_copy(update={"amount": Decimal(1)}))
    with patched(RilletClient, "create_credit_memo", another):
        [result] = default.credit()
        [again] = default.credit()

    assert (result["outcome"], result["code"]) == ("differs", "total_differs")
    assert "gross 1 EUR instead of 121.00 EUR" in result["message"]
    assert again["outcome"] == "differs"
    assert application_posts(default.system) == []
    assert len(memos(default)) == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"invoice_amount_including_tax": amount("-120.00")}, "-120"),
        ({"periods": credit_note(NOTE, "-90.00", "-18.90")["periods"]}, "-90"),
        ({"periods": []}, "-100"),
    ],
)
def test_a_note_that_does_not_tie_out_is_rejected_and_nothing_is_sent(
    default: Connected, changes: Json, named: str
) -> None:
    load(default, original(), credit_note() | changes)

    [result] = default.credit()

    assert (result["outcome"], result["code"]) == ("rejected", "does_not_tie_out")
    assert named in result["message"]
    assert memo_posts(default.system) == []


def test_a_corrected_note_is_exported_when_it_is_retried(default: Connected) -> None:
    load(default, original(), credit_note(invoice_amount_including_tax=amount("-120.00")))
    default.credit()
    solvimon_invoice(default, NOTE)["invoice_amount_including_tax"] = amount("-121.00")

    [result] = default.credit()

    assert result["outcome"] == "exported"
    default.assert_memo_exported()


def test_an_application_has_the_decimals_of_its_currency_and_leaves_out_zero_amounts() -> None:
    originals = [
        CreditedInvoice("one", Decimal("0")),
        CreditedInvoice("two", Decimal("300"), Decimal("-120.4")),
        CreditedInvoice("three", Decimal("-5")),
        CreditedInvoice("four", Decimal("50")),
    ]

    applications = to_applications(Decimal(200), "JPY", "2026-02-01", originals)

    assert applications.payload == {
        "applications": [
            {"invoice_id": each, "amount": money, "application_date": "2026-02-01"}
            for each, money in (
                ("two", {"amount": "120", "currency": "JPY"}),
                ("four", {"amount": "50", "currency": "JPY"}),
            )
        ]
    }
    assert (applications.applied, applications.unapplied) == (Decimal(170), Decimal(30))


def test_a_credit_note_of_nothing_is_skipped_and_nothing_is_sent(default: Connected) -> None:
    load(default, original(), credit_note(NOTE, "0.00", "0.00"))

    [result] = default.credit()

    assert (result["outcome"], result["reason"]) == (
        "skipped",
        "There is nothing to book: all of its amounts are zero.",
    )
    assert calls_to(default.system, "POST", "/credit-memos") == []
