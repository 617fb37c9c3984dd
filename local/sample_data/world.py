"""Tideway, from its YAML files: companies, products, accounts and customers, as both vendors know them."""

from dataclasses import dataclass, field
from typing import Literal

from local.sample_data.identity import Json, rillet_id, solvimon_id
from local.sample_data.rows import rows

CREATED_AT = "2026-09-01T08:00:00Z"
_COMPANY, _PRODUCTS = rows("company"), rows("products")


@dataclass(frozen=True)
class Place:
    """A postal address; Rillet insists on a state, Solvimon does not."""

    line1: str
    city: str
    postal_code: str
    country: str
    state: str = ""
    line2: str = ""

    def solvimon(self) -> Json:
        """Return Solvimon's address."""
        fields = ("line1", "line2", "city", "state", "postal_code", "country")
        return {name: value for name in fields if (value := getattr(self, name))}

    def rillet(self) -> Json:
        """Return Rillet's address."""
        return {
            "zip_code" if name == "postal_code" else name: value for name, value in self.solvimon().items()
        }


def link(reference: str, value: str) -> list[Json]:
    """Return a resource's custom field that holds the Rillet id."""
    return [{"id": solvimon_id("cufi", reference), "reference": reference, "value": value}]


@dataclass(frozen=True)
class Entity:
    """A company of the group: billing entity in Solvimon, subsidiary in Rillet."""

    name: str
    legal_name: str
    currency: str
    timezone: str
    tax_id: str
    place: Place

    def solvimon(self, *, with_link: bool = True) -> Json:
        """Return the billing entity, as an invoice embeds it with or without its custom fields."""
        entity: Json = {
            "object_type": "BILLING_ENTITY",
            "id": solvimon_id("bile", self.name),
            "created_at": CREATED_AT,
            "reference": self.name,
            "status": "ACTIVE",
            "timezone": self.timezone,
            "legal_name": self.legal_name,
            "tax_id": self.tax_id,
            "registered_address": self.place.solvimon(),
        }
        if with_link:
            entity["custom_fields"] = link("rillet_subsidiary_id", rillet_id("subsidiary", self.name))
        return entity

    def rillet(self) -> Json:
        """Return the subsidiary."""
        return {
            "id": rillet_id("subsidiary", self.name),
            "currency": self.currency,
            "timezone": self.timezone,
            "trade_name": self.legal_name,
            "type": "LEGAL_ENTITY",
        }


@dataclass(frozen=True)
class Product:
    """Something sold; `price` is Rillet's list price of it."""

    name: str
    title: str
    description: str
    category: str
    account_code: str
    price: Json
    pattern: Literal["DAILY", "EVEN_PERIOD"] = "DAILY"

    def solvimon(self, *, with_link: bool = True) -> Json:
        """Return the product, as an invoice embeds it with or without its custom fields."""
        product: Json = {
            "object_type": "PRODUCT",
            "id": solvimon_id("prod", self.name),
            "category_id": solvimon_id("proc", self.category),
            "name": self.title,
            "reference": self.name,
            "description": self.description,
            "status": "ACTIVE",
            "product_type": "DEFAULT",
            "tax_category": "STANDARD",
        }
        if with_link:
            product["custom_fields"] = link("rillet_product_id", rillet_id("product", self.name))
        return product

    def rillet(self) -> Json:
        """Return Rillet's product."""
        return {
            "id": rillet_id("product", self.name),
            "name": self.title,
            "description": self.description,
            "price": self.price,
            "include_in_arr_mrr": self.price["type"] != "ONE_TIME",
            "revenue_pattern": self.pattern,
            "status": "ACTIVE",
            "account_code": self.account_code,
            "external_references": [],
        }


@dataclass(frozen=True)
class Customer:
    """Who buys: an organisation, or a person by name; `own` is what only Rillet keeps of them."""

    name: str
    legal_name: str
    email: str
    timezone: str
    place: Place
    tax_id: str = ""
    person: Json | None = None
    in_rillet: bool = True
    own: Json = field(default_factory=dict)

    def solvimon(self, *, with_link: bool = True) -> Json:
        """Return the customer, as an invoice embeds it with or without its custom fields."""
        customer: Json = {
            "object_type": "CUSTOMER",
            "id": solvimon_id("cust", self.name),
            "created_at": CREATED_AT,
            "reference": self.name,
            "status": "ACTIVE",
            "timezone": self.timezone,
            "type": "INDIVIDUAL" if self.person else "ORGANIZATION",
            "email": self.email,
        }
        if self.person:
            customer["individual"] = {"name": self.person, "residential_address": self.place.solvimon()}
        else:
            customer["organization"] = {
                "legal_name": self.legal_name,
                "tax_exempt": False,
                "registered_address": self.place.solvimon(),
            } | ({"tax_id": self.tax_id} if self.tax_id else {})
        if with_link and self.in_rillet:
            customer["custom_fields"] = link("rillet_customer_id", rillet_id("customer", self.name))
        return customer

    def rillet(self) -> Json:
        """Return Rillet's customer."""
        customer: Json = {
            "id": rillet_id("customer", self.name),
            "name": self.legal_name,
            "name_on_invoice": self.legal_name,
            "emails": [{"email": self.email, "type": "MAIN_SENDER"}],
            "external_references": [],
            "payment_terms": 14,
            "send_invoices_automatically": False,
            "send_payment_reminders": False,
            "updated_at": CREATED_AT,
        }
        if self.place.state:
            customer["address"] = self.place.rillet()
        return customer | self.own


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
