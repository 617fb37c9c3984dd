"""What the Rillet fake refuses in an invoice: fields, amounts, references, unknown objects."""

import pytest

from tests.fakes.rillet.support import (
    UNKNOWN_ID,
    Json,
    Rillet,
    full_invoice,
    full_item,
    money,
    recorded_invoice,
    recorded_item,
    reference,
    refusal,
    refused_fields,
    tax_rate,
)

RECORDED = ["REVENUE_RECOGNITION_ONLY", "AR_ONLY"]


def test_the_answer_has_neither_scope_nor_tax_rate_nor_discount_nor_unrounded_price(rillet: Rillet) -> None:
    discount = {"type": "AMOUNT", "amount_off": money("1.00")}
    item = full_item("10.00555", tax_rate=tax_rate())
    item["price"]["discount"] = discount

    created = rillet.create("/invoices", full_invoice(item, scope="FULL"))

    assert "scope" not in created
    assert not {"tax_rate", "price", "discount", "amount_per_unit"} & created["items"][0].keys()
    assert created["items"][0]["gross_rate"] == money("10.01")


@pytest.mark.parametrize("field", ["customer_id", "invoice_date", "items"])
def test_a_full_invoice_needs_its_required_fields(rillet: Rillet, field: str) -> None:
    assert refused_fields(rillet, full_invoice() | {field: None}) == [field]


@pytest.mark.parametrize("scope", RECORDED)
@pytest.mark.parametrize(
    "field", ["customer_id", "invoice_date", "items", "invoice_number", "external_references"]
)
def test_a_recorded_invoice_needs_its_required_fields(rillet: Rillet, scope: str, field: str) -> None:
    assert refused_fields(rillet, recorded_invoice(scope=scope) | {field: None}) == [field]


@pytest.mark.parametrize(
    "field", ["product_id", "description", "quantity", "total_amount", "external_references"]
)
def test_a_recorded_line_needs_its_required_fields(rillet: Rillet, field: str) -> None:
    assert refused_fields(rillet, recorded_invoice(recorded_item() | {field: None})) == [f"items[0].{field}"]


@pytest.mark.parametrize("field", ["country", "description", "type", "percentage"])
def test_a_tax_rate_needs_all_four_fields(rillet: Rillet, field: str) -> None:
    item = full_item(tax_rate=tax_rate() | {field: None})

    assert refused_fields(rillet, full_invoice(item)) == [f"items[0].tax_rate.{field}"]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (full_item() | {"price": None}, "items[0].price"),
        (full_item() | {"description": None}, "items[0].description"),
        (full_item(tax_rate=tax_rate(country="Netherlands")), "items[0].tax_rate.country"),
        (full_item(tax_rate=tax_rate(country="XX")), "items[0].tax_rate.country"),
        (full_item(tax_rate=tax_rate(type="STANDARD")), "items[0].tax_rate.type"),
        (full_item(tax_rate=tax_rate(101)), "items[0].tax_rate.percentage"),
        (full_item(tax_rate=tax_rate() | {"percentage": "21"}), "items[0].tax_rate.percentage"),
        (full_item("ten"), "items[0].price.amount_per_unit.amount"),
        (full_item(currency="EURO"), "items[0].price.amount_per_unit.currency"),
        (full_item(revenue={"period": {"start": "2026-03-01"}}), "items[0].revenue.period.end"),
        (
            full_item(revenue={"period": {"start": "2026-03-02", "end": "2026-03-01"}}),
            "items[0].revenue.period.end",
        ),
        (full_item(revenue={"pattern": "MONTHLY"}), "items[0].revenue.pattern"),
    ],
)
def test_a_wrong_full_line_is_refused_and_the_field_is_named(rillet: Rillet, item: Json, field: str) -> None:
    assert refused_fields(rillet, full_invoice(item)) == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"customer_id": "cust_1"}, "customer_id"),
        ({"subsidiary_id": "bile_1"}, "subsidiary_id"),
        ({"invoice_date": "2026-03-01T00:00:00Z"}, "invoice_date"),
        ({"due_date": "2026-02-30"}, "due_date"),
        ({"items": []}, "items"),
        ({"items": {}}, "items"),
        ({"items": ["Seats"]}, "items[0]"),
        ({"scope": "REVENUE"}, "scope"),
        ({"exchange_rate": {"base": "EUR", "target": "USD", "rate": "1.25"}}, "exchange_rate.date"),
        (
            {"exchange_rate": {"base": "EUR", "target": "USD", "rate": "0", "date": "2026-03-01"}},
            "exchange_rate.rate",
        ),
        ({"external_references": [reference("1")] * 2}, "external_references"),
        ({"external_references": [reference("1") | {"url": "desk"}]}, "external_references[0].url"),
    ],
)
def test_a_wrong_header_is_refused_and_the_field_is_named(rillet: Rillet, change: Json, field: str) -> None:
    assert refused_fields(rillet, full_invoice() | change) == [field]


def test_a_malformed_uuid_is_a_parse_error(rillet: Rillet) -> None:
    problem = refusal(rillet, full_invoice(customer_id="cust_1"))

    assert problem["detail"].endswith(": JSON parse error")


def test_all_that_is_wrong_is_named_at_once(rillet: Rillet) -> None:
    fields = refused_fields(rillet, {"scope": "AR_ONLY", "items": [{}]})

    assert {"customer_id", "invoice_date", "invoice_number", "items[0].total_amount"} <= set(fields)


@pytest.mark.parametrize(
    ("currency", "right", "wrong"),
    [
        ("EUR", "10.00", ["10", "10.0", "10.000", "10.005"]),
        ("JPY", "10", ["10.0", "10.00", "10.5"]),
        ("BHD", "10.000", ["10", "10.00", "10.0005"]),
    ],
)
def test_rounded_amounts_have_exactly_the_currencys_decimals(
    rillet: Rillet, currency: str, right: str, wrong: list[str]
) -> None:
    for amount in wrong:
        fields = refused_fields(rillet, recorded_invoice(recorded_item(amount, currency)))
        assert fields == ["items[0].total_amount"]

    assert rillet.create("/invoices", recorded_invoice(recorded_item(right, currency)))


def test_fewer_decimals_pass_when_the_scale_is_not_strict(rillet: Rillet) -> None:
    rillet.organisation.switches.strict_scale = False

    fields = refused_fields(rillet, recorded_invoice(recorded_item("10.005")))
    created = rillet.create("/invoices", recorded_invoice(recorded_item("10")))

    assert fields == ["items[0].total_amount"]
    assert created["total"] == money("10.00")


def test_the_tax_amount_of_a_rate_is_rounded_too(rillet: Rillet) -> None:
    item = full_item(tax_rate=tax_rate(tax_amount=money("21")))

    assert refused_fields(rillet, full_invoice(item)) == ["items[0].tax_rate.tax_amount"]


@pytest.mark.parametrize("scope", RECORDED)
@pytest.mark.parametrize("quantity", [0, -1, 0.000009])
def test_a_recorded_quantity_is_at_least_0_00001(rillet: Rillet, scope: str, quantity: float) -> None:
    item = recorded_item(quantity=quantity)

    assert refused_fields(rillet, recorded_invoice(item, scope=scope)) == ["items[0].quantity"]


def test_a_full_quantity_has_no_bound_and_comes_back_as_sent(rillet: Rillet) -> None:
    items = [full_item("10.00", quantity) for quantity in (0, -1, 0.00001, 2.5)]

    created = rillet.create("/invoices", full_invoice(*items))

    assert [item["quantity"] for item in created["items"]] == [0, -1, 0.00001, 2.5]


def test_negative_amounts_are_accepted(rillet: Rillet) -> None:
    created = rillet.create("/invoices", recorded_invoice(recorded_item("-5.00")))

    assert created["total"] == money("-5.00")


def test_several_currencies_in_one_invoice_are_refused(rillet: Rillet) -> None:
    item = full_item(tax_rate=tax_rate(tax_amount=money("21.00", "USD")))

    assert refused_fields(rillet, full_invoice(item)) == ["items"]
    assert refused_fields(rillet, full_invoice(full_item(), full_item(currency="USD"))) == ["items"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (full_invoice(customer_id=UNKNOWN_ID), "customer_not_found"),
        (full_invoice(subsidiary_id=UNKNOWN_ID), "subsidiary_not_found"),
        (full_invoice(bank_account_id=UNKNOWN_ID), "bank_account_not_found"),
        (recorded_invoice(recorded_item(product_id=UNKNOWN_ID)), "product_not_found"),
    ],
)
def test_an_unknown_object_is_refused(rillet: Rillet, body: Json, kind: str) -> None:
    problem = refusal(rillet, body)

    assert problem["type"].endswith(f"/exception/{kind}")
    assert UNKNOWN_ID in problem["detail"]


@pytest.mark.parametrize(
    "body",
    [
        full_invoice(external_references=[reference("1", "unheard_of")]),
        recorded_invoice(recorded_item(external_references=[reference("1", "unheard_of")])),
    ],
)
def test_an_unregistered_reference_type_is_refused(rillet: Rillet, body: Json) -> None:
    problem = refusal(rillet, body)

    assert problem["type"].endswith("/exception/external_reference_type_not_found")
    assert problem["detail"] == "External reference type does not exist: unheard_of"


def test_a_restricted_type_appears_once_counting_header_and_lines(rillet: Rillet) -> None:
    restricted = reference("1", "restricted_id")
    item = recorded_item(external_references=[restricted])

    problem = refusal(rillet, recorded_invoice(item, external_references=[restricted]))

    assert "multiple references of a restricted type" in problem["detail"]
    assert rillet.create("/invoices", recorded_invoice(item))


def test_a_customer_custom_reference_needs_a_url(rillet: Rillet) -> None:
    bare = reference("1", "CUSTOMER_CUSTOM")

    problem = refusal(rillet, full_invoice(external_references=[bare]))
    created = rillet.create(
        "/invoices", full_invoice(external_references=[bare | {"url": "https://desk.example.com/1"}])
    )

    assert problem["detail"] == "The URL is required for external reference for Customer_Custom"
    assert created["external_references"][0]["url"] == "https://desk.example.com/1"


@pytest.mark.parametrize("scope", RECORDED)
def test_a_rev_rec_organisation_needs_references_on_header_and_lines(rillet: Rillet, scope: str) -> None:
    rillet.organisation.switches.rev_rec = True
    referenced = recorded_item(external_references=[reference("line_1")])
    unaccepted = recorded_item(external_references=[reference("line_1", "not_for_rev_rec")])

    for item in (recorded_item(), unaccepted):
        problem = refusal(rillet, recorded_invoice(referenced, item, scope=scope))
        assert problem["type"].endswith("/exception/external_reference_required")

    assert rillet.create("/invoices", recorded_invoice(referenced, scope=scope))
    assert rillet.create("/invoices", full_invoice())
