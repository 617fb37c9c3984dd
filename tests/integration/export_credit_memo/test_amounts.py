"""Signs, full and partial credits, and what does not tie out."""

from decimal import Decimal

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.mapping.credit_memos import CreditedInvoice, to_applications, to_rillet_credit_memo
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice
from tests.integration.export_credit_memo.support import (
    NOTE,
    Json,
    application_calls,
    credit,
    credit_note,
    load,
    memo_calls,
    memos,
    original,
    record,
    rillet_invoice,
    settled,
)
from tests.integration.export_invoice.support import calls_to
from tests.support.builders import LINKS, amount, group, invoice, tax


def mapped(*groups: Json, **more: object) -> Json:
    """What would be sent for a credit note."""
    document = Invoice.model_validate(invoice(*groups, type="CREDIT", **more))
    return to_rillet_credit_memo(document, LINKS, Settings()).payload


def test_negative_and_positive_amounts_from_solvimon_give_the_same_positive_memo() -> None:
    negative = mapped(group("-100.00", tax("-100.00", "-21.00")), group("-50.00", tax("-50.00", "-10.50")))
    positive = mapped(group("100.00", tax("100.00", "21.00")), group("50.00", tax("50.00", "10.50")))

    assert negative == positive
    assert [item["price"]["amount_per_unit"]["amount"] for item in negative["items"]] == ["100.00", "50.00"]
    assert [item["tax_rate"]["tax_amount"]["amount"] for item in negative["items"]] == ["21.00", "10.50"]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_line_against_the_notes_own_sign_stays_against_it(sign: int) -> None:
    def signed(value: str) -> str:
        return str(Decimal(value) * sign)

    parts = [
        group(signed(net), tax(signed(net), signed(paid))) for net, paid in (("100", "21"), ("-20", "-4.20"))
    ]

    memo = mapped(*parts)

    assert [item["price"]["amount_per_unit"]["amount"] for item in memo["items"]] == ["100.00", "-20.00"]


def test_a_zero_in_a_negative_note_is_no_negative_zero() -> None:
    memo = mapped(group("-100.00"), group("0.00"))

    assert [item["price"]["amount_per_unit"]["amount"] for item in memo["items"]] == ["100.00", "0.00"]


@pytest.mark.parametrize(("net", "paid"), [("-100.00", "-21.00"), ("100.00", "21.00")])
def test_a_full_credit_of_either_sign_empties_the_invoice(
    system: LocalSystem, default: Connection, net: str, paid: str
) -> None:
    load(default, original(), credit_note(NOTE, net, paid))

    system.settle()

    memo = settled(system, default)
    assert (memo["total"]["amount"], memo["taxed_amount"]["amount"]) == ("121.00", "21.00")
    assert memo["status"] == "APPLIED"
    assert rillet_invoice(default)["amount_due"]["amount"] == "0.00"


def test_a_partial_credit_leaves_the_rest_of_the_invoice_open(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(), credit_note(NOTE, "-30.00", "-6.30"))

    system.settle()

    settled(system, default, ("36.30", "0.00"))
    assert rillet_invoice(default)["amount_due"]["amount"] == "84.70"
    assert record(system)["warnings"] == []


def test_a_memo_keeps_solvimons_number_and_tells_of_another(system: LocalSystem, default: Connection) -> None:
    load(default, original(), credit_note(invoice_number="CRE 2026 007"))

    system.settle()

    [memo] = memos(default)
    assert memo["credit_memo_number"] == "CRE-2026-007"
    assert record(system)["rillet_number"] == "CRE-2026-007"


def test_a_number_that_rillet_gave_instead_is_told(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RilletClient.create_credit_memo

    def renumbered(self: RilletClient, *args: object) -> object:
        return real(self, *args).model_copy(update={"credit_memo_number": "CM-0001"})  # type: ignore[arg-type]

    monkeypatch.setattr(RilletClient, "create_credit_memo", renumbered)
    load(default, original(), credit_note(invoice_number="CRE-7"))

    [result] = credit(system)

    assert result["outcome"] == "exported"
    assert "Rillet gave it the number CM-0001; its number in Solvimon is CRE-7." in result["warnings"]


def test_another_total_in_rillets_answer_is_noted_and_the_memo_is_not_applied(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RilletClient.create_credit_memo

    def other(self: RilletClient, *args: object) -> object:
        answer = real(self, *args)  # type: ignore[arg-type]
        total = answer.total.model_copy(update={"amount": Decimal(1)})
        return answer.model_copy(update={"total": total})

    monkeypatch.setattr(RilletClient, "create_credit_memo", other)
    load(default, original(), credit_note())

    [result] = credit(system)
    [again] = credit(system)

    assert (result["outcome"], result["code"]) == ("differs", "total_differs")
    assert "gross 1 EUR instead of 121.00 EUR" in result["message"]
    assert again["outcome"] == "differs"
    assert application_calls(system) == []
    assert len(memos(default)) == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"invoice_amount_including_tax": amount("-120.00")}, "-120"),
        ({"periods": [{"groups": [group("-90.00", tax("-90.00", "-18.90"))]}]}, "-90"),
        ({"periods": []}, "-100"),
    ],
)
def test_a_note_that_does_not_tie_out_is_rejected_and_nothing_is_sent(
    system: LocalSystem, default: Connection, changes: Json, named: str
) -> None:
    note = credit_note()
    note |= changes
    for period in note["periods"]:
        for each in period["groups"]:
            each["products"] = credit_note()["periods"][0]["groups"][0]["products"]
    load(default, original(), note)

    [result] = credit(system)

    assert (result["outcome"], result["code"]) == ("rejected", "does_not_tie_out")
    assert named in result["message"]
    assert memo_calls(system) == []


def test_a_corrected_note_is_exported_when_it_is_retried(system: LocalSystem, default: Connection) -> None:
    load(default, original(), credit_note(invoice_amount_including_tax=amount("-120.00")))
    credit(system)
    default.platform.records["invoices"][NOTE]["invoice_amount_including_tax"] = amount("-121.00")

    [result] = credit(system)

    assert result["outcome"] == "exported"
    settled(system, default)


def test_an_application_has_the_decimals_of_its_currency_and_leaves_out_what_is_nothing() -> None:
    originals = [
        CreditedInvoice("one", Decimal("0")),
        CreditedInvoice("two", Decimal("300"), Decimal("-120.4")),
        CreditedInvoice("three", Decimal("-5")),
        CreditedInvoice("four", Decimal("50")),
    ]

    applications = to_applications(Decimal(200), "JPY", "2026-02-01", originals)

    assert applications.payload == {
        "applications": [
            {
                "invoice_id": "two",
                "amount": {"amount": "120", "currency": "JPY"},
                "application_date": "2026-02-01",
            },
            {
                "invoice_id": "four",
                "amount": {"amount": "50", "currency": "JPY"},
                "application_date": "2026-02-01",
            },
        ]
    }
    assert (applications.applied, applications.unapplied) == (Decimal(170), Decimal(30))


def test_a_memo_of_nothing_is_refused_by_rillet_and_told(system: LocalSystem, default: Connection) -> None:
    load(default, original(), credit_note(NOTE, "0.00", "0.00"))

    [result] = credit(system)

    assert (result["outcome"], result["code"]) == ("rejected", "refused_by_rillet")
    assert memos(default) == []
    assert len(calls_to(system, "POST", "/credit-memos")) == 1
