"""The guide's three import tables, row by row: from Rillet's record to what arrives in Solvimon."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from local.system import LocalSystem
from solvimon_rillet.mapping import customers, products, subsidiaries
from solvimon_rillet.mapping.field_table import Row
from tests.integration.imports.support import (
    Json,
    connect,
    customer,
    linked,
    product,
    rillet_id,
    run,
    subsidiary,
)

GUIDE = {
    "customers": {
        ("reference", "id"),
        ("email", "emails (MAIN_SENDER)"),
        ("organization.legal_name", "name"),
        ("organization.registered_address.line1", "address.line1"),
        ("organization.registered_address.line2", "address.line2"),
        ("organization.registered_address.city", "address.city"),
        ("organization.registered_address.postal_code", "address.zip_code"),
        ("organization.registered_address.country", "address.country"),
        ("custom_fields", "id"),
    },
    "products": {
        ("name", "name"),
        ("reference", "id"),
        ("description", "description"),
        ("custom_fields", "id"),
    },
    "subsidiaries": {
        ("reference", "id"),
        ("legal_name", "trade_name"),
        ("timezone", "timezone"),
        ("custom_fields", "id"),
    },
}
ARRIVES = {
    "customers": {
        "reference": rillet_id(1),
        "email": "books1@customer.example",
        "organization.legal_name": "Customer 1",
        "organization.registered_address.line1": "Kade 1",
        "organization.registered_address.line2": "Unit 4",
        "organization.registered_address.city": "Rotterdam",
        "organization.registered_address.postal_code": "3011 XD",
        "organization.registered_address.country": "NL",
        "custom_fields": {"rillet_customer_id": rillet_id(1)},
        # Beyond the guide:
        "organization.registered_address.state": "ZH",
        "type": "ORGANIZATION",
        "status": "ACTIVE",
    },
    "products": {
        "name": "Product 1",
        "reference": rillet_id(1),
        "description": "What product 1 is",
        "custom_fields": {"rillet_product_id": rillet_id(1)},
        # Beyond the guide:
        "status": "ACTIVE",
    },
    "subsidiaries": {
        "reference": rillet_id(1),
        "legal_name": "Tideway 1 B.V.",
        "timezone": "Europe/Amsterdam",
        "custom_fields": {"rillet_subsidiary_id": rillet_id(1)},
    },
}
TABLES: dict[str, tuple[Row[Any], ...]] = {
    "customers": customers.IMPORT_ROWS,
    "products": products.IMPORT_ROWS,
    "subsidiaries": subsidiaries.IMPORT_ROWS,
}


def at(record: Mapping[str, Any], path: str) -> object:
    """The value at a path; custom fields as reference and value."""
    found: Any = record
    for step in path.split("."):
        found = found[step]
    return {each["reference"]: each["value"] for each in found} if path == "custom_fields" else found


@pytest.mark.parametrize("kind", GUIDE)
def test_the_table_has_every_row_of_the_guides(kind: str) -> None:
    rows = {(row.target, row.source) for row in TABLES[kind]}

    assert rows >= GUIDE[kind]


@pytest.fixture(scope="module")
def arrived(running_system: LocalSystem) -> dict[str, Json]:
    """What Solvimon has of one row of each kind after the imports."""
    running_system.reset()
    connection = connect(
        running_system, customers=[customer()], products=[product()], subsidiaries=[subsidiary()]
    )
    for kind in ARRIVES:
        run(running_system, kind)
    return {kind: deepcopy(linked(connection, 1, kind)) for kind in ARRIVES}


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in ARRIVES for field in ARRIVES[kind]])
def test_the_field_arrives_in_solvimon(arrived: dict[str, Json], kind: str, field: str) -> None:
    assert at(arrived[kind], field) == ARRIVES[kind][field]


def test_a_product_arrives_in_the_category_rillet_products(system: LocalSystem) -> None:
    connection = connect(system, products=[product()])

    run(system, "products")

    [category] = connection.platform.records["product-categories"].values()
    assert (category["name"], category["reference"]) == ("Rillet Products", "rillet_products")
    assert linked(connection, 1, "products")["category_id"] == category["id"]
