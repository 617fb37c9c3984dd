"""The Rillet twin held against Rillet's own OpenAPI document."""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from local.rillet_twin.calls import Call
from local.rillet_twin.invoice_documents import STATUSES
from tests.twins.rillet_twin_support import (
    ADDRESS,
    BANK_ACCOUNT,
    CUSTOMER,
    NOBODY,
    PRODUCT,
    SUBSIDIARY,
    Json,
    Rillet,
    full_invoice,
    full_item,
    money,
    recorded_invoice,
    recorded_item,
    reference,
    tax_rate,
)

CONTRACTS = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[3] / "shared/contracts/openapi"))
DOCUMENT = CONTRACTS / "rillet-v4.json"
UNREAD_BODIES = ("/health", "/api-key")
CLOSED_SCHEMAS = ("Invoice", "InvoiceItem", "Product", "Subsidiary", "Organization", "Pagination", "Book")

pytestmark = pytest.mark.skipif(
    not DOCUMENT.exists(), reason=f"{DOCUMENT.name} is not in CONTRACTS_DIR ({CONTRACTS})"
)


@cache
def contract() -> Json:
    """Read the OpenAPI document with its schemas made plain JSON Schema."""
    document: Json = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name: plain(schema) for name, schema in schemas.items()}
    for name in CLOSED_SCHEMAS:
        document["components"]["schemas"][name]["additionalProperties"] = False
    return document


def plain(schema: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    """Turn `nullable` and `discriminator`, which JSON Schema does not know, into what it does know."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {
        name: plain(part)
        for name, part in schema.items()
        if name not in ("nullable", "discriminator", "example")
    }
    if "discriminator" in schema:
        converted.pop("oneOf")
        converted |= by_discriminator(schema["discriminator"])
    return {"anyOf": [converted, {"type": "null"}]} if schema.get("nullable") else converted


def by_discriminator(discriminator: Json) -> Json:
    """Choose the variant by its property; the first variant is the one without it."""
    name, mapping = discriminator["propertyName"], discriminator["mapping"]
    variants = [
        {"if": {"required": [name], "properties": {name: {"const": value}}}, "then": {"$ref": target}}
        for value, target in mapping.items()
    ]
    absent = {"if": {"not": {"required": [name]}}, "then": {"$ref": next(iter(mapping.values()))}}
    return {"properties": {name: {"enum": list(mapping)}}, "allOf": [*variants, absent]}


def check(schema: Json, value: object) -> None:
    whole = schema | {"components": contract()["components"]}
    checker = jsonschema.Draft202012Validator(
        whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    checker.validate(value)


def operation(call: Call) -> Json:
    """Find the operation that a call used."""
    paths: Json = contract()["paths"]
    for template, operations in paths.items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), call.path):
            found: Json = operations[call.method.lower()]
            return found
    raise AssertionError(f"{call.path} is not in the contract")


def check_answer(call: Call) -> None:
    responses = operation(call)["responses"]
    response = responses.get(str(call.status)) or responses["default"]
    if "content" not in response:
        assert call.response_body is None or call.path in UNREAD_BODIES
        return
    check(response["content"]["application/json"]["schema"], call.response_body)


def check_request(call: Call) -> None:
    check(operation(call)["requestBody"]["content"]["application/json"]["schema"], call.request_body)


@pytest.fixture(scope="module")
def running() -> Iterator[Rillet]:
    with Rillet() as rillet:
        yield rillet


@pytest.fixture
def rillet(running: Rillet) -> Rillet:
    return running.renew()


PRICES: list[Json] = [
    {"type": "ONE_TIME", "amount": money("0.00")},
    {"type": "FIXED_RECURRING", "amount": money("9.99"), "interval_months": 12},
    {
        "type": "USAGE",
        "interval_months": 1,
        "billing_scheme": {"type": "PER_UNIT", "amount": money("0.001"), "units": 1},
    },
    {
        "type": "USAGE",
        "interval_months": 1,
        "billing_scheme": {
            "type": "TIERED",
            "mode": "METERED",
            "tiers": [{"up_to": 10, "flat_price": money("5"), "per_unit_price": money("0.1")}],
        },
    },
]


def customer_requests() -> Iterator[Json]:
    yield {"name": "Carol"}
    yield {
        "name": "Dave",
        "name_on_invoice": "Dave Ltd",
        "address": ADDRESS | {"line2": "2nd floor"},
        "shipping_address": ADDRESS,
        "emails": [{"email": "d@example.com", "type": kind} for kind in ("MAIN_SENDER", "CC", "BCC")],
        "external_references": [reference("cust_1", "solvimon_customer_id") | {"url": "https://e.example/1"}],
        "payment_terms": 14,
        "send_invoices_automatically": True,
        "send_payment_reminders": True,
        "fields": [{"field_id": NOBODY, "field_value_id": NOBODY}],
    }


def product_requests() -> Iterator[Json]:
    for price in PRICES:
        yield {
            "name": "Product",
            "description": "",
            "price": price,
            "include_in_arr_mrr": True,
            "revenue_pattern": "EVEN_PERIOD",
            "account_code": "40000",
            "external_references": [reference("prod_1")],
        }


def invoice_requests() -> Iterator[Json]:
    revenue = {
        "period": {"start": "2026-02-01", "end": "2026-02-28"},
        "pattern": "DAILY",
        "account_code": "1",
    }
    rate = {"base": "EUR", "target": "USD", "rate": "1.25", "date": "2026-03-01"}
    discounted = full_item("10.0055", 2.5, revenue=revenue, tax_rate=tax_rate(9, tax_amount=money("2.00")))
    discounted["price"]["discount"] = {"type": "PERCENTAGE", "percentage_off": 10}
    yield full_invoice()
    yield full_invoice(
        discounted,
        full_item("-5", fields=[{"field_id": NOBODY, "field_value_id": NOBODY}], tax_rate=tax_rate(0)),
        scope="FULL",
        subsidiary_id=SUBSIDIARY,
        due_date="2026-03-31",
        purchase_order_number="PO-1",
        memo="Line one\nLine two",
        bank_account_id=BANK_ACCOUNT,
        exchange_rate=rate,
        external_references=[reference("invo_1")],
    )
    item = recorded_item(
        "5.00", tax_amount=money("1.05"), revenue=revenue, external_references=[reference("1")]
    )
    yield recorded_invoice(item, exchange_rate=rate, due_date="2026-03-31")
    yield recorded_invoice(scope="AR_ONLY", tax_amount=money("21.00"))


def read_everything(rillet: Rillet) -> None:
    for path in (
        *("/health", "/api-key", "/organizations/self", "/subsidiaries", f"/subsidiaries/{SUBSIDIARY}"),
        *("/customers", "/customers?limit=1", f"/customers/{CUSTOMER}", "/products", f"/products/{PRODUCT}"),
        *("/invoices", "/invoices?limit=1", "/books/periods/last-closed"),
        *("/tax-rates", "/accounts", "/fields"),
    ):
        assert rillet.get(path).status_code == 200, path


def refuse_something_everywhere(rillet: Rillet) -> None:
    for response in (
        rillet.get("/customers", limit="0"),
        rillet.get(f"/subsidiaries/{NOBODY}"),
        rillet.get(f"/invoices/{NOBODY}"),
        rillet.call("GET", "/customers", api_key="unknown"),
        rillet.call("GET", "/customers", headers={"X-Rillet-API-Version": "3"}),
        rillet.call("POST", "/customers", {"name": "x"}, api_key="read-only-key"),
        rillet.post("/customers", {}),
        rillet.post("/products", {}),
        rillet.post("/invoices", {}),
        rillet.post("/invoices", full_invoice(customer_id=NOBODY)),
        rillet.post("/invoices", full_invoice(external_references=[reference("1", "unknown")])),
    ):
        assert response.status_code >= 400


def test_every_answer_of_the_twin_fits_rillets_own_schemas(rillet: Rillet) -> None:
    rillet.get("/books/periods/last-closed")
    rillet.organisation.close_period("2026-01-01", "2026-01-31")
    rillet.state.load(
        {
            "organization": {"id": rillet.organisation.id},
            "fields": [{"name": "Team", "values": [{"id": NOBODY, "name": "A", "deactivated": False}]}],
        }
    )
    for path, bodies in (
        ("/customers", customer_requests()),
        ("/products", product_requests()),
        ("/invoices", invoice_requests()),
    ):
        for body in bodies:
            created = rillet.create(path, body)
            if path != "/invoices":
                rillet.call("PUT", f"{path}/{created['id']}", body)
            rillet.get(f"{path}/{created['id']}")
    invoice = next(iter(rillet.organisation.invoices)).id
    read_everything(rillet)
    refuse_something_everywhere(rillet)
    rillet.call("DELETE", f"/invoices/{invoice}")

    for call in rillet.state.calls:
        check_answer(call)
    used = {(call.method, operation(call)["operationId"]) for call in rillet.state.calls}
    assert len(used) == 21


def test_the_requests_that_the_twin_accepts_are_valid_by_rillets_own_schemas(rillet: Rillet) -> None:
    for path, bodies in (
        ("/customers", customer_requests()),
        ("/products", product_requests()),
        ("/invoices", invoice_requests()),
    ):
        for body in bodies:
            rillet.create(path, body)

    for call in rillet.state.calls:
        check_request(call)


@pytest.mark.parametrize(
    "body",
    [
        full_invoice() | {"customer_id": None},
        full_invoice(full_item(tax_rate={"percentage": 21})),
        recorded_invoice(recorded_item(quantity=0)),
        recorded_invoice() | {"external_references": None},
    ],
)
def test_what_rillets_schemas_refuse_the_twin_refuses(rillet: Rillet, body: Json) -> None:
    response = rillet.post("/invoices", body)

    with pytest.raises(jsonschema.ValidationError):
        check_request(rillet.state.calls[0])
    assert response.status_code == 400


def test_the_twin_knows_all_invoice_statuses() -> None:
    assert list(STATUSES) == contract()["components"]["schemas"]["InvoiceStatus"]["enum"]
