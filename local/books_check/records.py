"""Both vendors' records as the fakes hold them, the links between them, and the two sides of a customer."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.system import Connection

Json = dict[str, Any]

DOCUMENT_REFERENCE, CUSTOMER_REFERENCE = "solvimon_invoice_id", "solvimon_customer_id"
"""External reference types under which Rillet keeps Solvimon's ids; credit notes are invoices there."""
LINKS = {
    "customers": "rillet_customer_id",
    "products": "rillet_product_id",
    "billing-entities": "rillet_subsidiary_id",
}
"""Solvimon's custom field that holds the Rillet id, by collection."""
_DOCUMENT_KEY = re.compile(r"#(invoice|credit_memo|customer|payment)#")
_RILLET_COLLECTIONS = ("customers", "invoices", "payments", "credit_memos")
_ADDRESS_FIELDS = {
    "line1": "street",
    "city": "city",
    "state": "state",
    "postal_code": "zip_code",
    "country": "country",
}
"""Solvimon's names for the parts of an address, and ours."""
_SYNCHRONISED = ("name", "name_on_invoice", "address")


@dataclass(frozen=True)
class ConnectionRecords:
    """The records of one connection by collection, oldest first; to be read only: they are the fakes' own."""

    solvimon: Mapping[str, tuple[Json, ...]]
    rillet: Mapping[str, tuple[Json, ...]]


def read_records(connection: Connection) -> ConnectionRecords:
    """Return all records of both sides."""
    platform, organisation = connection.platform, connection.organisation
    with platform.lock, organisation.lock:
        return ConnectionRecords(
            solvimon={name: tuple(records.values()) for name, records in platform.records.items()},
            rillet={name: tuple(getattr(organisation, name).documents()) for name in _RILLET_COLLECTIONS},
        )


def document_records(ledger: Iterable[Json]) -> list[Json]:
    """Return the items of the ledger that are the state of a document or customer."""
    return [item for item in ledger if _DOCUMENT_KEY.search(item["pk"]) and "state" in item]


def rillet_documents(connection: Connection, solvimon_id: str) -> list[Json]:
    """Return Rillet's invoices that refer to a Solvimon invoice, oldest first."""
    return [one for one in connection.organisation.invoices.documents() if solvimon_id in solvimon_ids(one)]


def half_open(connection: Connection, rillet_id: str) -> Decimal:
    """Return half of what is open on an invoice in Rillet, with its currency's decimals."""
    due = Decimal(connection.organisation.invoices.get(rillet_id).document["amount_due"]["amount"])
    return (due / 2).quantize(due)


def solvimon_ids(record: Json, reference: str = DOCUMENT_REFERENCE) -> set[str]:
    """Return the Solvimon ids that a record of Rillet refers to, under one type of external reference."""
    references = record.get("external_references") or ()
    return {str(one["id"]) for one in references if one["type"] == reference}


def rillet_ids(record: Json, collection: str = "customers") -> list[str]:
    """Return the Rillet ids that a Solvimon record of a collection is linked to."""
    fields = record.get("custom_fields") or ()
    return [str(one["value"]) for one in fields if one.get("reference") == LINKS[collection]]


def customer_name(customer: Json) -> str:
    """Return the name of a Solvimon customer, whether it is an organisation or an individual."""
    if "organization" in customer:
        return str(customer["organization"]["legal_name"])
    name = customer["individual"]["name"]
    return " ".join(filter(None, (name.get("first_name"), name.get("infix"), name.get("last_name"))))


def in_solvimon(customer: Json) -> Json:
    """Return what both sides keep, as Solvimon has it."""
    home = customer.get("organization", {}).get("registered_address")
    home = home or customer.get("individual", {}).get("residential_address") or {}
    name = customer_name(customer)
    address = {ours: home.get(theirs) for theirs, ours in _ADDRESS_FIELDS.items()}
    return {"name": name, "name_on_invoice": name, **address, "email": customer.get("email")}


def in_rillet(customer: Json) -> Json:
    """Return the same as Rillet has it."""
    address = {"street": "line1"} | {name: name for name in ("city", "state", "zip_code", "country")}
    home = customer.get("address") or {}
    senders = [one["email"] for one in customer.get("emails", ()) if one["type"] == "MAIN_SENDER"]
    return {
        "name": customer["name"],
        "name_on_invoice": customer.get("name_on_invoice"),
        **{ours: home.get(theirs) for ours, theirs in address.items()},
        "email": ", ".join(senders),
    }


def only_in_rillet(customer: Json) -> Json:
    """Return what a synchronisation must leave alone, as Rillet's API names it."""
    own: Json = {name: value for name, value in customer.items() if name not in _SYNCHRONISED}
    own = {name: value for name, value in own.items() if name not in ("id", "updated_at")}
    own["emails"] = [one for one in own.get("emails", ()) if one["type"] != "MAIN_SENDER"]
    references = own.get("external_references") or ()
    own["external_references"] = [one for one in references if one["type"] != CUSTOMER_REFERENCE]
    return own
