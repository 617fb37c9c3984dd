"""Tideway: its companies, products, accounts and customers, from their YAML files."""

from local.sample_data.identity import Json, rillet_id, solvimon_id
from local.sample_data.parties import CREATED_AT, Customer, Entity, Place, Product
from local.sample_data.rows import rows

_COMPANY, _PRODUCTS = rows("company"), rows("products")


def _placed(row: Json) -> Json:
    return row | {"place": Place(**row["place"])}


ORGANIZATION: Json = {"id": rillet_id("organization", "tideway"), **_COMPANY["organization"]}
ENTITIES = {name: Entity(name, **_placed(row)) for name, row in _COMPANY["entities"].items()}
DEMO_CUSTOMERS = {name: Customer(name, **_placed(row)) for name, row in rows("customers").items()}
DEMO_PRODUCTS = {name: Product(name, **row) for name, row in _PRODUCTS["products"].items()}

DEMO_CUSTOM_FIELDS: list[Json] = [
    {
        "object_type": "CUSTOM_FIELD",
        "id": solvimon_id("cufi", row["reference"]),
        "reference": row["reference"],
        "name": row["name"],
        "resource_type": row["resource_type"],
        "type": "STRING",
        "multiple_values": False,
        "unique_value": True,
        "copy_value_to_invoice": row["on_invoice"],
    }
    for row in _COMPANY["custom_fields"]
]

CATEGORIES: dict[str, Json] = {
    name: {"object_type": "PRODUCT_CATEGORY", "id": solvimon_id("proc", name), "reference": name, **row}
    for name, row in _PRODUCTS["categories"].items()
}

FALLBACK_PRODUCTS: dict[str, Json] = {
    kind: Product(
        category="",
        account_code="49900",
        price={"type": "ONE_TIME", "amount": {"amount": "0.00", "currency": "EUR"}},
        pattern="EVEN_PERIOD",
        **row,
    ).rillet()
    for kind, row in _PRODUCTS["fallback_products"].items()
}

BANK_ACCOUNTS: list[Json] = [
    {
        "id": rillet_id("bank-account", entity),
        "name": row["name"],
        "currency": ENTITIES[entity].currency,
        "bank_name": row["bank"],
        "subsidiary_id": rillet_id("subsidiary", entity),
        "account_code": row["code"],
        "status": "ACTIVE",
    }
    for entity, row in _COMPANY["banks"].items()
]

ACCOUNTS: list[Json] = [
    {
        "id": rillet_id("account", row["code"]),
        "code": row["code"],
        "name": row["name"],
        "type": row["type"],
        "subtype": "Revenue" if row["type"] == "INCOME" else row["name"],
        "status": "ACTIVE",
        "intercompany": False,
        "updated_at": CREATED_AT,
    }
    for row in (*(bank | {"type": "ASSET"} for bank in _COMPANY["banks"].values()), *_COMPANY["accounts"])
]
