"""Both vendors' records as they are in the fakes' memory, and the links between them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


def solvimon_ids(record: Json, reference: str = DOCUMENT_REFERENCE) -> set[str]:
    """Return the Solvimon ids that a record of Rillet refers to, under one type of external reference."""
    references = record.get("external_references") or ()
    return {str(one["id"]) for one in references if one["type"] == reference}


def rillet_ids(record: Json, collection: str = "customers") -> list[str]:
    """Return the Rillet ids that a Solvimon record of a collection is linked to."""
    fields = record.get("custom_fields") or ()
    return [str(one["value"]) for one in fields if one.get("reference") == LINKS[collection]]
