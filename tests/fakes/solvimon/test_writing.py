"""The Solvimon fake's writes: rules of fields, upserts, invoices on their way to FINAL and paid."""

import pytest

from local.sample_data import invoice_id, solvimon_seed
from tests.fakes.solvimon.support import Json, Solvimon, error_of

ORGANIZATION = {
    "legal_name": "Kaap Noord B.V.",
    "registered_address": {"city": "Den Helder", "country": "NL"},
}


def test_a_new_customer_gets_an_id_a_time_and_a_status(solvimon: Solvimon) -> None:
    body = {"type": "ORGANIZATION", "reference": "kaap", "organization": ORGANIZATION, "id": "mine"}

    created = solvimon.post("/customers", body)

    assert created.status_code == 201
    customer = created.json()
    assert customer["id"].startswith("cust_")
    assert (customer["created_at"], customer["status"]) == ("2026-11-03T12:00:00Z", "DRAFT")
    assert solvimon.get("/customers/kaap").json() == customer


def test_a_reference_is_unique_and_so_is_a_unique_custom_field_value(solvimon: Solvimon) -> None:
    hanse = solvimon.get("/customers/hansekontor").json()
    link = {"reference": "rillet_customer_id", "value": hanse["custom_fields"][0]["value"]}

    again = solvimon.post("/customers", {"type": "ORGANIZATION", "reference": "hansekontor"})
    linked = solvimon.patch("/customers/zeeland-offshore", {"custom_fields": [link]})
    field = solvimon.post("/custom-fields", {"reference": "rillet_customer_id", "resource_type": "PRODUCT"})

    assert error_of(again) == (409, "RESOURCE_ALREADY_EXISTS", "reference")
    assert again.json()["resource_id"] == hanse["id"]
    assert error_of(linked) == (400, "CUSTOM_FIELD_VALUE_ALREADY_EXISTS", "custom_fields.0")
    assert error_of(field) == (409, "RESOURCE_ALREADY_EXISTS", "reference")


def test_a_product_needs_a_category_that_exists_and_ignores_a_nested_one(solvimon: Solvimon) -> None:
    category = solvimon.get("/product-categories/print").json()

    unknown = solvimon.post("/products", {"name": "Chart", "category_id": "proc_nothing"})
    nested = solvimon.post("/products", {"name": "Chart", "category": category})

    assert error_of(unknown) == (404, "RESOURCE_NOT_FOUND", "category_id")
    assert nested.status_code == 201
    assert "category_id" not in nested.json()


def test_a_patch_replaces_nested_objects_and_lists_whole_and_a_null_clears(solvimon: Solvimon) -> None:
    solvimon.patch(
        "/customers/waddenveer", {"organization": {"legal_name": "Waddenveer N.V."}, "email": None}
    )

    customer = solvimon.get("/customers/waddenveer").json()
    assert customer["organization"] == {"legal_name": "Waddenveer N.V."}
    assert "email" not in customer
    assert customer["custom_fields"]


@pytest.mark.parametrize("put_replaces", [True, False])
def test_a_put_creates_or_updates_by_reference_and_answers_201(
    solvimon: Solvimon, put_replaces: bool
) -> None:
    solvimon.platform.put_replaces = put_replaces
    body = {"type": "ORGANIZATION", "reference": "waddenveer", "organization": ORGANIZATION}

    updated = solvimon.call("PUT", "/customers", body)
    created = solvimon.call("PUT", "/customers", body | {"reference": "kaap"})

    assert (updated.status_code, created.status_code) == (201, 201)
    assert updated.json()["organization"] == ORGANIZATION
    assert updated.json()["status"] == "ACTIVE"
    assert ("custom_fields" in updated.json()) != put_replaces
    assert created.json()["id"] != updated.json()["id"]


def test_a_put_finds_by_custom_field_and_needs_something_to_find_by(solvimon: Solvimon) -> None:
    hanse = solvimon.get("/customers/hansekontor").json()
    by_link = {"type": "ORGANIZATION", "reference": "renamed", "custom_fields": hanse["custom_fields"]}

    found = solvimon.call("PUT", "/customers", by_link, custom_field_reference="rillet_customer_id")
    nothing = solvimon.call("PUT", "/customers", {"type": "ORGANIZATION"})
    untyped = solvimon.call("PUT", "/customers", {"reference": "renamed"})
    unknown = solvimon.call("PUT", "/customers", by_link, identifier_field="email")

    assert (found.json()["id"], found.json()["reference"]) == (hanse["id"], "renamed")
    assert error_of(nothing) == (400, "MISSING_REFERENCE", "reference")
    assert error_of(untyped) == (400, "MISSING_FIELD", "type")
    assert error_of(unknown) == (400, "INVALID_FIELD", "identifier_field")


def test_products_and_customers_are_activated_and_archived(solvimon: Solvimon) -> None:
    product = solvimon.post("/products", {"name": "Chart", "reference": "chart"}).json()

    active = solvimon.post("/products/chart/activate").json()
    archived = solvimon.post(f"/products/{product['id']}/archive").json()
    customer = solvimon.post("/customers/waddenveer/archive").json()
    nonsense = solvimon.call("POST", "/customers/waddenveer/promote")

    assert (product["status"], active["status"], archived["status"]) == ("DRAFT", "ACTIVE", "ARCHIVED")
    assert customer["status"] == "ARCHIVED"
    assert nonsense.status_code == 404


def test_custom_fields_are_listed_by_type_and_read_by_id_only(solvimon: Solvimon) -> None:
    listed = solvimon.get("/custom-fields", resource_type="PRODUCT").json()["data"]

    assert [field["reference"] for field in listed] == ["rillet_product_id"]
    assert solvimon.get(f"/custom-fields/{listed[0]['id']}").json() == listed[0]
    assert solvimon.get("/custom-fields/rillet_product_id").status_code == 404


@pytest.mark.parametrize(
    ("definition", "good", "bad"),
    [
        ({"type": "NUMBER"}, {"value": "12.5"}, {"value": "a dozen"}),
        ({"type": "BOOLEAN"}, {"value": "true"}, {"value": "yes"}),
        ({"type": "ENUM", "enum_values": ["A", "B"]}, {"value": "A"}, {"value": "C"}),
        ({"multiple_values": True}, {"values": ["x", "y"]}, {"value": "x"}),
    ],
)
def test_custom_field_values_have_the_type_of_their_field(
    solvimon: Solvimon, definition: Json, good: Json, bad: Json
) -> None:
    field = {"reference": "extra", "resource_type": "CUSTOMER", **definition}
    assert solvimon.post("/custom-fields", field).status_code == 201

    accepted = solvimon.patch("/customers/waddenveer", {"custom_fields": [{"reference": "extra", **good}]})
    refused = solvimon.patch("/customers/waddenveer", {"custom_fields": [{"reference": "extra", **bad}]})

    assert accepted.json()["custom_fields"][0].items() >= good.items()
    assert error_of(refused)[:2] == (400, "INVALID_FIELD")


def test_a_draft_invoice_takes_the_writable_fields_and_ignores_the_others(solvimon: Solvimon) -> None:
    path = f"/invoices/{invoice_id('first')}"

    changed = solvimon.patch(
        path, {"purchase_order_number": "PO-9", "notes": ["Ahoy"], "invoice_number": "X", "tax_summary": None}
    ).json()

    assert (changed["purchase_order_number"], changed["notes"]) == ("PO-9", ["Ahoy"])
    assert "invoice_number" not in changed
    assert changed["tax_summary"]["base_amount"]["quantity"] == "5575.00"
    assert changed["updated_at"] == "2026-11-03T12:00:00Z"


@pytest.mark.parametrize("at", ["2026-11-05T06:54:45Z", "2026-11-05T06:54:45+02:00"])
def test_a_timestamp_with_z_or_an_offset_is_taken(solvimon: Solvimon, at: str) -> None:
    assert solvimon.patch(f"/invoices/{invoice_id('first')}", {"due_date": at}).json()["due_date"] == at


def test_a_final_invoice_can_be_marked_paid_and_reopened_but_not_rewritten(solvimon: Solvimon) -> None:
    path = f"/invoices/{invoice_id('first')}"
    solvimon.platform.finalise(invoice_id("first"))

    def state(invoice: Json) -> tuple[bool, str, str]:
        return invoice["paid"], invoice["payment_status"], invoice["paid_invoice_amount"]["quantity"]

    assert state(solvimon.patch(path, {"paid": True}).json()) == (True, "PAID", "6745.75")
    assert state(solvimon.patch(path, {"payment_status": "UNPAID"}).json()) == (False, "UNPAID", "0.00")
    partly = solvimon.patch(path, {"paid": False, "payment_status": "PARTIALLY_PAID"}).json()
    assert state(partly)[:2] == (False, "PARTIALLY_PAID")
    for change in ({"notes": ["late"]}, {"due_date": "2026-12-01T00:00:00Z"}, {"status": "DRAFT"}):
        assert error_of(solvimon.patch(path, change))[:2] == (400, "INVALID_OPERATION")


def test_finalising_numbers_the_invoice_in_its_series_and_copies_the_links(solvimon: Solvimon) -> None:
    first = solvimon.platform.finalise(invoice_id("first"))
    german = solvimon.platform.finalise(invoice_id("reverse-charge"))
    dutch = solvimon.platform.finalise(invoice_id("usage-tiers"))

    assert (first["status"], first["invoice_number"]) == ("FINAL", "INV-2026-11-000001")
    assert first["updated_to_final_at"] == "2026-11-03T12:00:00Z"
    # Both are dated the last evening of a month in UTC, the first of the next at home.
    assert (german["invoice_number"], dutch["invoice_number"]) == ("INV-2026-10-000001", "INV-2026-11-000002")
    assert {value["reference"] for value in first["other_custom_fields"]} == {
        "rillet_customer_id",
        "rillet_subsidiary_id",
    }


@pytest.mark.parametrize(
    ("timezone", "month"),
    [("Asia/Tokyo", "11"), ("GMT+1", "11"), ("UTC-2", "10"), ("Europe/Atlantis", "10"), (None, "10")],
)
def test_the_month_of_a_number_is_that_of_the_invoices_own_time_zone(
    solvimon: Solvimon, timezone: str | None, month: str
) -> None:
    invoice = solvimon.platform.records["invoices"][invoice_id("first")]
    invoice |= {"timezone": timezone, "invoice_date": "2026-10-31T23:30:00Z"}

    assert solvimon.platform.finalise(invoice["id"])["invoice_number"] == f"INV-2026-{month}-000001"


def test_a_status_patch_finalises_and_final_is_for_good(solvimon: Solvimon) -> None:
    path = f"/invoices/{invoice_id('yen')}"

    final = solvimon.patch(path, {"status": "FINAL"}).json()
    again = solvimon.patch(path, {"status": "FINAL"})
    backwards = solvimon.patch(path, {"status": "OPEN"})

    assert (final["status"], final["invoice_number"]) == ("FINAL", "INV-2026-11-000001")
    assert again.status_code == 200
    assert error_of(backwards) == (400, "INVALID_OPERATION", "status")
    assert error_of(solvimon.patch(f"/invoices/{invoice_id('first')}", {"status": "PAID"}))[2] == "status"


def test_a_credit_note_has_its_own_series(solvimon: Solvimon) -> None:
    note = solvimon_seed()["invoices"][0] | {"id": "invo_credit", "type": "CREDIT"}
    bill = note | {"id": "invo_seller", "type": "STANDARD", "billing_type": "SELF_BILLING"}
    solvimon.platform.load({"invoices": [note, bill]})

    numbers = [solvimon.platform.finalise(id)["invoice_number"] for id in ("invo_credit", "invo_seller")]

    assert numbers == ["CRE-2026-11-000001", "SINV-2026-11-000001"]
