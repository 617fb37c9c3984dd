"""The Solvimon fake's one-offs: credit notes that are no copy of an invoice, and one-off invoices."""

import pytest

from local.sample_data import invoice_id
from local.sample_data.identity import solvimon_id
from tests.fakes.solvimon.support import Json, Solvimon, check_sums, figures, line, one_off

FIRST = invoice_id("first")


@pytest.mark.parametrize("originals", [[], ["first"], ["first", "yen"]])
def test_a_one_off_credit_links_none_one_or_several_originals(
    solvimon: Solvimon, originals: list[str]
) -> None:
    identifiers = [invoice_id(name) for name in originals]
    numbers = [solvimon.platform.finalise(identifier)["invoice_number"] for identifier in identifiers]
    lines: list[Json] = [
        {"description": "Goodwill", "amount": "100.00", "tax": {"percentage": "21", "name": "BTW"}},
        {"description": "Seats", "amount": "50.00", "product_id": solvimon_id("prod", "berth-seats")},
    ]

    note = solvimon.platform.one_off_credit("maasvlakte-quay", lines, identifiers, notes=["Sorry"])

    assert (note["type"], note["invoice_number"]) == ("ONE_OFF_CREDIT", "CRE-2026-11-000001")
    assert "credit" not in note
    assert [(link["id"], link["invoice_number"]) for link in note["linked_invoices"]] == list(
        zip(identifiers, numbers, strict=True)
    )
    assert figures(note) == ("-150.00", "-21.00", "-171.00")
    check_sums(note)
    goodwill, seats = note["periods"][0]["groups"]
    assert (goodwill["products"], goodwill["description"], goodwill["type"]) == ([], "Goodwill", "ONE_OFF")
    assert seats["products"][0]["custom_fields"][0]["reference"] == "rillet_product_id"
    assert (note["customer"]["reference"], note["notes"]) == ("maasvlakte-quay", ["Sorry"])
    assert note["billing_entity"]["reference"] == "tideway-nl"
    assert solvimon.get(f"/invoices/{note['id']}").json() == note


def test_a_one_off_credit_may_be_positive_and_in_another_currency(solvimon: Solvimon) -> None:
    lines: list[Json] = [
        {"description": "詫び", "amount": "500", "tax": {"percentage": "10", "name": "消費税"}}
    ]
    entity = solvimon_id("bile", "tideway-jp")

    note = solvimon.platform.one_off_credit(
        "osaka-bay", lines, sign="positive", currency="JPY", billing_entity_id=entity, final=False
    )

    assert (figures(note), note["status"]) == (("500", "50", "550"), "DRAFT")
    assert (note["timezone"], note["tax_summary"]["country_code"]) == ("Asia/Tokyo", "JP")


def test_one_offs_are_made_by_call_as_drafts_or_final(solvimon: Solvimon) -> None:
    solvimon.platform.finalise(FIRST)
    taxes = [{"percentage": "5", "name": "GST"}, {"percentage": "9.975", "name": "QST"}]

    note = solvimon.post("/invoices", one_off(line(tax_categories=taxes), linked_invoices_ids=[FIRST])).json()
    invoice = solvimon.post("/invoices", one_off(type="ONE_OFF", status="FINAL")).json()

    assert (note["status"], figures(note)) == ("DRAFT", ("-10.00", "-1.50", "-11.50"))
    assert len(note["linked_invoices"]) == 1
    assert (invoice["status"], figures(invoice)) == ("FINAL", ("10.00", "0.00", "10.00"))
    assert invoice["invoice_number"].startswith("INV-")
