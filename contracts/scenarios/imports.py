"""Imports that send every kind of request."""

from typing import Any

from contracts.scenarios.world import expect
from local.stack import LocalStack
from tests.imports.support import (
    connect,
    customer,
    customers,
    definition,
    product,
    rillet_id,
    run,
    subsidiary,
    value,
)

Json = dict[str, Any]


def everything(stack: LocalStack) -> None:
    """Import into a platform that has some of it already, then changes, then nothing new."""
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
        run(stack, kind, dry_run=True)
        expect(run(stack, kind)["failures"], [], f"import of {kind}")
    for number, change in ((1, {"status": "INACTIVE"}), (2, {"name": "Renamed"})):
        record = connection.organisation.products.get(rillet_id(number))
        connection.organisation.products.replace(record.id, {**record.document, **change})
    run(stack, "products")
    record = connection.organisation.products.get(rillet_id(1))
    connection.organisation.products.replace(record.id, {**record.document, "status": "ACTIVE"})
    run(stack, "products")
    run(stack, "customers", updated_since="2026-01-01T00:00:00Z")
    for kind in ("customers", "products", "subsidiaries"):
        run(stack, kind, recheck=True)
