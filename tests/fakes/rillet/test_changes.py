"""Invoices of the Rillet fake that a call replaces or a user edits."""

import pytest
import requests

from tests.fakes.rillet.support import (
    BANK_ACCOUNT,
    CUSTOMER,
    UNKNOWN_ID,
    UNKNOWN_PRODUCT,
    Json,
    Rillet,
    fields_of,
    full_item,
    kind_of,
    money,
    recorded_item,
    reference,
    tax_rate,
)


def full_update(*items: Json, **more: object) -> Json:
    items_or_one = list(items) or [full_item()]
    return {"invoice_date": "2026-03-02", "items": items_or_one, "bank_account_id": BANK_ACCOUNT, **more}


def recorded_update(invoice: Json, **more: object) -> Json:
    items = [{"id": item["id"]} for item in invoice["items"]]
    return {"scope": "REVENUE_RECOGNITION_ONLY", "invoice_date": "2026-03-02", "items": items, **more}


def put(rillet: Rillet, invoice: Json, body: Json) -> requests.Response:
    return rillet.put(f"/invoices/{invoice['id']}", body)


def test_a_full_invoice_is_replaced_and_what_is_left_out_is_gone(rillet: Rillet) -> None:
    item = full_item("100.00", tax_rate=tax_rate(21))
    more = {"purchase_order_number": "PO", "memo": "Ahoy", "due_date": "2026-04-01"}
    references = [reference("invo_1")]
    invoice = rillet.invoice(item, **more, external_references=references)

    replaced = put(rillet, invoice, full_update(full_item("90.00"))).json()

    assert replaced["total"] == replaced["amount_due"] == money("90.00")
    assert not {"purchase_order_number", "memo"} & replaced.keys()
    assert (replaced["due_date"], replaced["external_references"]) == ("2026-03-02", [])
    assert (replaced["id"], replaced["invoice_number"]) == (invoice["id"], invoice["invoice_number"])
    assert replaced["customer_id"] == CUSTOMER
    assert replaced["bank_account"]["id"] == BANK_ACCOUNT
    assert replaced["updated_at"] > invoice["updated_at"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["items", "invoice_date", "bank_account_id"]),
        (full_update(full_item(currency="USD")), ["items"]),
        (full_update(scope="AR_ONLY"), ["scope"]),
    ],
)
def test_a_wrong_full_update_is_refused_and_the_fields_are_named(
    rillet: Rillet, body: Json, fields: list[str]
) -> None:
    assert fields_of(put(rillet, rillet.invoice(), body)) == fields


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (full_update(UNKNOWN_PRODUCT), "product_not_found"),
        (full_update(bank_account_id=UNKNOWN_ID), "bank_account_not_found"),
        (full_update(external_references=[reference("1", "nowhere")]), "external_reference_type_not_found"),
        (full_update(invoice_date="2026-01-31"), "period_closed"),
        (full_update(full_item("49.99")), "invoice_over_settled"),
    ],
)
def test_a_full_update_obeys_the_organisations_rules(rillet: Rillet, body: Json, kind: str) -> None:
    invoice = rillet.invoice()
    rillet.organisation.pay(invoice["id"], "50.00")
    rillet.organisation.close_period("2026-01-01", "2026-01-31")

    assert kind_of(put(rillet, invoice, body)) == kind
    assert put(rillet, invoice, full_update(full_item("50.00"))).json()["status"] == "PAID"


def test_the_scope_of_an_update_must_be_the_invoices_own(rillet: Rillet) -> None:
    full = rillet.invoice()
    recorded = rillet.recorded()
    receivable = rillet.recorded(scope="AR_ONLY")

    refusals = [
        put(rillet, full, recorded_update(full)),
        put(rillet, recorded, full_update()),
        put(rillet, receivable, full_update()),
        put(rillet, receivable, recorded_update(receivable)),
    ]

    assert {kind_of(response) for response in refusals} == {"invoice_scope_mismatch"}


def test_a_recorded_invoice_keeps_its_money_whatever_the_update_says(rillet: Rillet) -> None:
    lines = [recorded_item("60.00", external_references=[reference("l1")]), recorded_item("40.00")]
    rate = {"base": "EUR", "target": "USD", "rate": "1.25", "date": "2026-03-01"}
    invoice = rillet.recorded(*lines, exchange_rate=rate, tax_amount=money("21.00"))
    body = recorded_update(invoice, invoice_number="S-1002", due_date="2026-04-01")
    body["items"][0] |= {"description": "Renamed", "revenue": {"pattern": "EVEN_PERIOD"}}
    body["items"][1] |= {"total_amount": money("9.00"), "quantity": 7}

    replaced = put(rillet, invoice, body).json()

    first, second = replaced["items"]
    assert (first["description"], first["revenue"]["pattern"]) == ("Renamed", "EVEN_PERIOD")
    assert first["revenue"]["period"] == {"start": "2026-03-02", "end": "2026-03-02"}
    assert first["external_references"] == [reference("l1")]
    assert (second["total_amount"], second["quantity"]) == (money("40.00"), 1)
    assert (second["description"], replaced["total"]) == ("Seats", money("121.00"))
    assert (replaced["invoice_number"], replaced["due_date"]) == ("S-1002", "2026-04-01")
    assert (replaced["payment_terms"], replaced["external_references"]) == (30, [])
    assert "exchange_rate" not in replaced


def test_a_recorded_update_names_every_item_of_the_invoice(rillet: Rillet) -> None:
    invoice = rillet.recorded(recorded_item("60.00"), recorded_item("40.00"))
    one = recorded_update(invoice)["items"][:1]

    for items in (one, [*one, {"id": UNKNOWN_ID}], [*one, {}], [*one, *one]):
        response = put(rillet, invoice, recorded_update(invoice) | {"items": items})
        assert "items" in response.json()["violations"][-1]["field"]
    assert rillet.read(f"/invoices/{invoice['id']}") == invoice


def test_a_revenue_recognising_organisation_checks_updates_too(rillet: Rillet) -> None:
    invoice = rillet.recorded(recorded_item(external_references=[reference("1")]))
    rillet.switch(rev_rec=True)

    without = put(rillet, invoice, recorded_update(invoice))
    with_reference = put(rillet, invoice, recorded_update(invoice, external_references=[reference("i")]))

    assert kind_of(without) == "external_reference_required"
    assert with_reference.status_code == 200


@pytest.mark.parametrize(
    ("by", "status", "due"), [("0.01", "PARTIALLY_PAID", "0.01"), ("-0.01", "PAID", "-0.01")]
)
def test_users_change_an_invoice_by_a_cent(rillet: Rillet, by: str, status: str, due: str) -> None:
    invoice = rillet.invoice(full_item("100.00", tax_rate=tax_rate(21)))
    rillet.organisation.pay(invoice["id"])

    edited = rillet.organisation.edit_invoice(invoice["id"], amount_by=by, memo="By hand")

    assert edited == rillet.read(f"/invoices/{invoice['id']}")
    assert (edited["status"], edited["amount_due"], edited["memo"]) == (status, money(due), "By hand")
    assert edited["net_amount"] == edited["subtotal"] == edited["items"][0]["total_amount"]
    assert float(edited["total"]["amount"]) == pytest.approx(121 + float(by))
    assert edited["taxed_amount"] == money("21.00")


@pytest.mark.parametrize("field", ["amount_due", "status", "id", "colour"])
def test_users_cannot_change_what_follows_from_the_rest(rillet: Rillet, field: str) -> None:
    invoice = rillet.invoice()

    with pytest.raises(ValueError, match=f"cannot edit {field}"):
        rillet.organisation.edit_invoice(invoice["id"], **{field: "x"})
