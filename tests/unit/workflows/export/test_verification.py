"""What Rillet booked is held against what was sent, to the cent."""

from decimal import Decimal
from typing import Any

import pytest

from solvimon_rillet.rillet.models import Invoice
from solvimon_rillet.workflows.export.verification import number_warning, outcome_facts

SENT = {"currency": "EUR", "net": "100.00", "tax": "21.00", "gross": "121.00"}


def booked(net: str = "100.00", tax: str = "21.00", gross: str = "121.00", **more: Any) -> Invoice:
    amounts = {
        name: {"amount": Decimal(amount), "currency": more.get("currency", "EUR")}
        for name, amount in (("net_amount", net), ("taxed_amount", tax), ("total", gross))
    }
    references = more.get("references", [{"type": "any_type", "id": "invo_1"}])
    return Invoice.model_validate(
        {"id": more.get("id", "r1"), "invoice_number": "INV-1", "external_references": references, **amounts}
    )


def test_the_same_totals_are_exported_with_ids_and_no_more_to_say() -> None:
    state, facts = outcome_facts("invo_1", [booked()], SENT, [])

    assert state == "exported"
    assert facts == {"rillet_id": "r1", "rillet_number": "INV-1", "totals": SENT, "warnings": []}


@pytest.mark.parametrize("amount", ["100", "100.0", "100.000"])
def test_the_same_amount_written_otherwise_is_the_same(amount: str) -> None:
    assert outcome_facts("invo_1", [booked(net=amount)], SENT, [])[0] == "exported"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (booked(net="100.01"), "net 100.01 EUR instead of 100.00 EUR"),
        (booked(tax="20.99"), "tax 20.99 EUR instead of 21.00 EUR"),
        (booked(gross="-121.00"), "gross -121 EUR instead of 121.00 EUR"),
        (booked(currency="USD"), "net 100 USD instead of 100.00 EUR, tax 21 USD"),
    ],
)
def test_one_cent_or_another_currency_differs_and_names_both_amounts(found: Invoice, said: str) -> None:
    state, facts = outcome_facts("invo_1", [found], SENT, [])

    assert (state, facts["code"]) == ("differs", "total_differs")
    assert said in facts["message"]
    assert facts["rillet_id"] == "r1"
    assert "by hand" in facts["remedy"]


def test_two_documents_for_one_differ_and_all_are_named() -> None:
    state, facts = outcome_facts("invo_1", [booked(id="r1"), booked(id="r2"), booked(id="r3")], SENT, [])

    assert (state, facts["code"], facts["rillet_id"]) == ("differs", "exported_twice", "r1")
    assert "3" in facts["message"]
    assert "r1, r2, r3" in facts["message"]
    assert "all but r1" in facts["remedy"]


@pytest.mark.parametrize("references", [None, [], [{"type": "solvimon_invoice_id", "id": "invo_2"}]])
def test_a_reference_that_rillet_did_not_keep_is_a_warning(references: object) -> None:
    state, facts = outcome_facts("invo_1", [booked(references=references)], SENT, ["first"])

    assert state == "exported"
    assert facts["warnings"][0] == "first"
    assert "did not keep our external reference" in facts["warnings"][1]


@pytest.mark.parametrize(("sent", "warned"), [("INV-9", True), ("INV-1", False), (None, False), ("", False)])
def test_another_number_is_a_warning(sent: str | None, warned: bool) -> None:
    notes = number_warning(sent, "INV-1")

    assert bool(notes) is warned
    assert all("INV-1" in note and "INV-9" in note for note in notes)
