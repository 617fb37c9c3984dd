"""What the Solvimon fake refuses: bodies and queries that break a rule, each with its code and its field."""

import pytest

from local.sample_data import invoice_id
from tests.fakes.solvimon.support import FIRST, KEY, Json, Solvimon, error_of, line, money, one_off, payment

YEN = invoice_id("yen")
CREDIT = f"/invoices/{FIRST}/credit"
ORGANIZATION: Json = {"type": "ORGANIZATION"}
LINE = "periods.0.groups.0.lines"


def period(order: int = 1, **more: object) -> Json:
    return {"periods": [{"period_order": order, **more}]}


def group(order: int = 1, **more: object) -> list[Json]:
    return [{"group_order": order, **more}]


INVALID: list[tuple[str, Json, str]] = [
    ("/customers", {"type": "COMPANY"}, "type"),
    ("/customers", ORGANIZATION | {"reference": "two words"}, "reference"),
    ("/customers", ORGANIZATION | {"email": "no-address"}, "email"),
    ("/customers", ORGANIZATION | {"shoe_size": "44"}, "shoe_size"),
    (
        "/customers",
        ORGANIZATION | {"organization": {"registered_address": {"country": "Nederland"}}},
        "organization.registered_address.country",
    ),
    (
        "/customers",
        ORGANIZATION | {"custom_fields": [{"reference": "rillet_product_id", "value": "1"}]},
        "custom_fields.0",
    ),
    ("/products", {"name": "n" * 257}, "name"),
    ("/products", {"description": "two\nlines"}, "description"),
    ("/billing-entities", {"reference": "x", "tax_id": "NL 12"}, "tax_id"),
    ("/custom-fields", {"reference": "x", "resource_type": "PAYMENT"}, "resource_type"),
    (CREDIT, {"colour": "red"}, "colour"),
    (CREDIT, {"credit_details_source": "OLD"}, "credit_details_source"),
    (CREDIT, {"delivery_date": "2026-11-03T12:00:00.5Z"}, "delivery_date"),
    (CREDIT, {"periods": [{}]}, "periods.0.period_order"),
    (CREDIT, {"groups": group(lines=[{"line_order": 1}])}, "groups"),
    (CREDIT, period(3), "periods.0"),
    (CREDIT, period(amount={"quantity": "x"}), "periods.0.amount.quantity"),
    (CREDIT, period(amount=money("1", "USD")), "periods.0.amount.currency"),
    (CREDIT, period(amount=money("575.01")), "periods.0.amount"),
    (CREDIT, period(amount=money("-1.00")), "periods.0.amount"),
    (CREDIT, period(amount=money("1.00"), groups=group()), "periods.0.amount"),
    (CREDIT, period(groups=group(2)), "periods.0.groups.0"),
    (CREDIT, period(groups=group(lines=[{"line_order": 9}])), f"{LINE}.0"),
    ("/invoices", one_off(type="CREDIT"), "type"),
    ("/invoices", one_off(type="ONE_OFF", linked_invoices_ids=["invo_1"]), "linked_invoices_ids"),
    ("/invoices", one_off(status="PAID"), "status"),
    ("/invoices", one_off(invoice_date="2026-11-03"), "invoice_date"),
    ("/invoices", one_off(line(), line("1", "USD")), f"{LINE}.1.amount_excluding_tax.currency"),
    ("/payments", payment(external_reference="4444-4444"), "external_reference"),
    ("/payments", payment(external_reference="a" * 257), "external_reference"),
    ("/payments", payment(external_reference=7), "external_reference"),
    ("/payments", payment(result="SETTLED"), "result"),
    ("/payments", payment(timestamp="2026-11-02T10:15:00.123Z"), "timestamp"),
    ("/payments", payment(amount="12"), "amount"),
    ("/payments", payment(amount=money("1", "USD")), "amount.currency"),
    ("/payments", payment(status="PAID"), "status"),
]
MISSING: list[tuple[str, Json, str]] = [
    ("/customers", {"reference": "x"}, "type"),
    ("/product-categories", {"name": "Only a name"}, "reference"),
    ("/billing-entities", {"legal_name": "Kaap B.V."}, "reference"),
    ("/webhooks", {"name": "x", "reference": "x"}, "url"),
    ("/invoices", {}, "type"),
    ("/invoices", one_off(customer_reference=None), "customer_id"),
    ("/invoices", one_off(periods=[]), "periods"),
    ("/invoices", one_off(periods=[{"period_order": 1}]), "periods.0.groups"),
    ("/invoices", one_off(periods=[{"groups": [{}]}]), LINE),
    ("/invoices", one_off({"description": "x"}), f"{LINE}.0.amount_excluding_tax"),
    ("/invoices", one_off(line(tax_categories=[{"name": "BTW"}])), f"{LINE}.0.tax_categories.percentage"),
    ("/payments", payment(external_reference=None), "external_reference"),
    ("/payments", payment(result=None), "result"),
]
UNKNOWN: list[tuple[str, Json]] = [
    ("/invoices", one_off(linked_invoices_ids=["invo_1"])),
    ("/invoices", one_off(customer_reference="unknown")),
    ("/invoices", one_off(billing_entity_id="bile_1")),
    ("/invoices", one_off(periods=[{"groups": [{"lines": [line()], "products": [{"id": "prod_1"}]}]}])),
    ("/invoices/invo_none/credit", {}),
    ("/payments", payment(invoice_id="invo_none")),
    ("/payments", payment(customer_id="cust_none")),
]
REFUSED = [
    *[(path, body, 400, "INVALID_FIELD", field) for path, body, field in INVALID],
    *[(path, body, 400, "MISSING_FIELD", field) for path, body, field in MISSING],
    *[(path, body, 404, "RESOURCE_NOT_FOUND", None) for path, body in UNKNOWN],
]


@pytest.mark.parametrize(("path", "body", "status", "code", "field"), REFUSED)
def test_a_body_that_breaks_a_rule_is_refused_with_its_field(
    solvimon: Solvimon, path: str, body: Json, status: int, code: str, field: str | None
) -> None:
    solvimon.platform.finalise(FIRST)
    before = {name: len(records) for name, records in solvimon.platform.records.items()}

    response = solvimon.post(path, body)

    assert error_of(response) == (status, code, field)
    assert {name: len(records) for name, records in solvimon.platform.records.items()} == before


@pytest.mark.parametrize("at", ["2026-11-05T06:54:45.157Z", "2026-11-05", "2026-13-05T00:00:00Z", 5])
def test_a_timestamp_with_milliseconds_or_of_another_form_is_refused(solvimon: Solvimon, at: object) -> None:
    response = solvimon.patch(f"/invoices/{YEN}", {"due_date": at})

    assert error_of(response) == (400, "INVALID_FIELD", "due_date")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"order_by": "updated_at"}, "order_by"),
        ({"order_direction": "down"}, "order_direction"),
        ({"page": "0"}, "page"),
        ({"limit": "many"}, "limit"),
        ({"paid": "yes"}, "paid"),
        ({"invoice_date": "2026-10-01T00:00:00Z"}, "invoice_date"),
        ({"invoice_date": "[2026-10-01T00:00:00.000Z,2026-11-01T00:00:00Z]"}, "invoice_date"),
    ],
)
def test_a_wrong_query_is_refused_with_its_field(
    solvimon: Solvimon, query: dict[str, str], field: str
) -> None:
    assert error_of(solvimon.get("/invoices", **query)) == (400, "INVALID_FIELD", field)


@pytest.mark.parametrize("api_key", [None, "", "wrong"])
def test_a_missing_or_wrong_key_is_unauthorised(solvimon: Solvimon, api_key: str | None) -> None:
    response = solvimon.call("GET", "/invoices", api_key=api_key)

    assert error_of(response) == (401, "UNAUTHORISED", None)
    assert response.json()["type"] == "INVALID_REQUEST"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v2/invoices", 400, "UNSUPPORTED_VERSION"),
        ("/invoices", 400, "MISSING_VERSION"),
        ("/v1/parrots", 404, "RESOURCE_NOT_FOUND"),
    ],
)
def test_a_path_that_does_not_exist_is_an_api_error_too(
    solvimon: Solvimon, path: str, status: int, code: str
) -> None:
    response = solvimon.session.get(solvimon.fake.origin + path, headers={"X-API-KEY": KEY}, timeout=10)

    assert error_of(response)[:2] == (status, code)


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("text/plain", b"{}", "UNSUPPORTED_MEDIA_TYPE"),
        ("application/json", b"{", "BAD_REQUEST"),
        ("application/json", b"[]", "BAD_REQUEST"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    solvimon: Solvimon, content_type: str, body: bytes, code: str
) -> None:
    headers = {"X-API-KEY": KEY, "Content-Type": content_type}

    response = solvimon.session.post(f"{solvimon.fake.url}/customers", data=body, headers=headers, timeout=10)

    assert error_of(response)[:2] == (400, code)
