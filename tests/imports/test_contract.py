"""Every request of an import fits the vendors' own OpenAPI documents."""

import json

import pytest

from local.stack import LocalStack
from tests.export import vendor_contracts
from tests.imports.support import (
    Json,
    connect,
    customer,
    customers,
    definition,
    product,
    rillet_id,
    run,
    subsidiary,
    value,
    writes,
)
from tests.twins import solvimon_contract

pytestmark = pytest.mark.skipif(
    vendor_contracts.MISSING or solvimon_contract.MISSING, reason=vendor_contracts.MISSING_REASON
)
SCHEMAS = {
    ("POST", "customers"): "CustomerCreateRequest",
    ("PATCH", "customers"): "CustomerUpdateRequest",
    ("POST", "products"): "ProductCreateRequest",
    ("PATCH", "products"): "ProductUpdateRequest",
    ("POST", "product-categories"): "ProductCategoryCreateRequest",
    ("POST", "billing-entities"): "BillingEntityCreateRequest",
    ("PATCH", "billing-entities"): "BillingEntityUpdateRequest",
    ("POST", "custom-fields"): "CustomFieldCreateRequest",
}


def everything(stack: LocalStack) -> None:
    """Imports that send every kind of request."""
    old: dict[str, list[Json]] = {
        "custom_fields": [definition("customers"), definition("subsidiaries")],
        "customers": [
            {
                "id": "cust_1",
                "type": "ORGANIZATION",
                "reference": "mine",
                "organization": {"legal_name": "Old", "tax_ids": [{"id": "t", "type": "GENERIC_TAX_ID"}]},
                "custom_fields": value(1),
            }
        ],
        "billing_entities": [{"id": "bile_1", "reference": "mine", "legal_name": "Mine"}],
    }
    connection = connect(
        stack,
        solvimon=old,
        settings={"subsidiaries": {rillet_id(1): "bile_1"}},
        customers=[*customers(3), customer(4, address=None, emails=[])],
        products=[product(1), product(2, description="")],
        subsidiaries=[subsidiary(1), subsidiary(2)],
    )
    for kind in ("customers", "products", "subsidiaries"):
        run(stack, kind)
    for number, change in ((1, {"status": "INACTIVE"}), (2, {"name": "Renamed"})):
        record = connection.organisation.products.get(rillet_id(number))
        connection.organisation.products.replace(record.id, {**record.document, **change})
    run(stack, "products")
    record = connection.organisation.products.get(rillet_id(1))
    connection.organisation.products.replace(record.id, {**record.document, "status": "ACTIVE"})
    run(stack, "products")
    run(stack, "customers", updated_since="2026-01-01T00:00:00Z")


def test_every_request_fits_the_vendors_documents(stack: LocalStack) -> None:
    everything(stack)

    kinds: set[str | tuple[str, str]] = set()
    for call in writes(stack):
        _, _, collection, *rest = call.path.split("/")
        assert vendor_contracts.solvimon_knows(call.method, call.path), call.path
        if rest and call.method == "POST":
            kinds.add(rest[-1])
            continue
        kinds.add((call.method, collection))
        wrong = solvimon_contract.errors_in(json.loads(call.body), SCHEMAS[call.method, collection])
        assert wrong == [], f"{call.method} {call.path}: {wrong}"
    for call in stack.solvimon.state.calls:
        assert vendor_contracts.solvimon_knows(call.method, call.path), call.path
    for asked in stack.rillet.state.calls:
        assert vendor_contracts.errors_in(asked) == [], asked.path
    assert kinds == {*SCHEMAS, "archive", "activate"}
