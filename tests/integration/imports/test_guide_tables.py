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

ADDRESS = "organization.registered_address"
GUIDE: dict[str, dict[str, tuple[str, object]]] = {
    "customers": {
        "reference": ("id", rillet_id(1)),
        "email": ("emails (MAIN_SENDER)", "books1@customer.example"),
        "organization.legal_name": ("name", "Customer 1"),
        f"{ADDRESS}.line1": ("address.line1", "Kade 1"),
        f"{ADDRESS}.line2": ("address.line2", "Unit 4"),
        f"{ADDRESS}.city": ("address.city", "Rotterdam"),
        f"{ADDRESS}.postal_code": ("address.zip_code", "3011 XD"),
        f"{ADDRESS}.country": ("address.country", "NL"),
        "custom_fields": ("id", {"rillet_customer_id": rillet_id(1)}),
    },
    "products": {
        "name": ("name", "Product 1"),
        "reference": ("id", rillet_id(1)),
        "description": ("description", "What product 1 is"),
        "custom_fields": ("id", {"rillet_product_id": rillet_id(1)}),
    },
    "subsidiaries": {
        "reference": ("id", rillet_id(1)),
        "legal_name": ("trade_name", "Tideway 1 B.V."),
        "timezone": ("timezone", "Europe/Amsterdam"),
        "custom_fields": ("id", {"rillet_subsidiary_id": rillet_id(1)}),
    },
}
"""Solvimon's field, Rillet's field, and what arrives."""
ARRIVES = [
    *((kind, target, arrives) for kind, rows in GUIDE.items() for target, (_, arrives) in rows.items()),
    # Beyond the guide:
    ("customers", f"{ADDRESS}.state", "ZH"),
    ("customers", "type", "ORGANIZATION"),
    ("customers", "status", "ACTIVE"),
    ("products", "status", "ACTIVE"),
]
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

    assert rows >= {(target, source) for target, (source, _) in GUIDE[kind].items()}


@pytest.fixture(scope="module")
def arrived(running_system: LocalSystem) -> dict[str, Json]:
    """What Solvimon has of one row of each kind after the imports."""
    running_system.reset()
    connection = connect(
        running_system, customers=[customer()], products=[product()], subsidiaries=[subsidiary()]
    )
    for kind in GUIDE:
        run(running_system, kind)
    return {kind: deepcopy(linked(connection, 1, kind)) for kind in GUIDE}


@pytest.mark.parametrize(("kind", "field", "arrives"), ARRIVES)
def test_the_field_arrives_in_solvimon(
    arrived: dict[str, Json], kind: str, field: str, arrives: object
) -> None:
    assert at(arrived[kind], field) == arrives


def test_a_product_arrives_in_the_category_rillet_products(system: LocalSystem) -> None:
    connection = connect(system, products=[product()])

    run(system, "products")

    [category] = connection.platform.records["product-categories"].values()
    assert (category["name"], category["reference"]) == ("Rillet Products", "rillet_products")
    assert linked(connection, 1, "products")["category_id"] == category["id"]
