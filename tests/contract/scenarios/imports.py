"""Imports that send every kind of request."""

from typing import Any

from local.system import LocalSystem
from tests.contract.scenarios.setup import expect
from tests.integration.imports.support import (
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


def everything(system: LocalSystem) -> None:
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
        system,
        solvimon=old,
        settings={"subsidiaries": {rillet_id(1): "bile_1"}},
        customers=[*customers(3), customer(4, address=None, emails=[])],
        products=[product(1), product(2, description="")],
        subsidiaries=[subsidiary(1), subsidiary(2)],
    )
    for kind in ("customers", "products", "subsidiaries"):
        run(system, kind, dry_run=True)
        expect(run(system, kind)["failures"], [], f"import of {kind}")
    for number, change in ((1, {"status": "INACTIVE"}), (2, {"name": "Renamed"})):
        record = connection.organisation.products.get(rillet_id(number))
        connection.organisation.products.replace(record.id, {**record.document, **change})
    run(system, "products")
    record = connection.organisation.products.get(rillet_id(1))
    connection.organisation.products.replace(record.id, {**record.document, "status": "ACTIVE"})
    run(system, "products")
    run(system, "customers", updated_since="2026-01-01T00:00:00Z")
    for kind in ("customers", "products", "subsidiaries"):
        run(system, kind, recheck=True)
