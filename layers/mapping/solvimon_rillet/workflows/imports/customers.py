"""Rillet customers become Solvimon customers."""

from solvimon_rillet.mapping.customers import (
    rillet_customer_hash,
    solvimon_customer_hash,
    to_solvimon_customer,
)
from solvimon_rillet.mapping.solvimon_fields import one_line
from solvimon_rillet.rillet.models import Customer
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.master_data import Customer as SolvimonCustomer
from solvimon_rillet.workflows.imports.resource import ImportCandidate, ImportedResource, Json, read_row


def _read(row: object, settings: Settings, _category_id: str) -> ImportCandidate:
    customer, own = read_row(row, Customer), settings.reference_types.customer
    return ImportCandidate(
        customer.id,
        one_line(customer.name),
        to_solvimon_customer(customer, settings),
        {
            "rillet_id": customer.id,
            "mailed": bool(customer.send_invoices_automatically),
            "synced_hash": rillet_customer_hash(customer),
        },
        hints=[reference.id for reference in customer.external_references if reference.type == own],
    )


def _eligible(imported: ImportCandidate, current: Json) -> tuple[Json, list[str]]:
    payload = dict(imported.mapped.payload)
    if current.get("type") != "INDIVIDUAL":
        return payload, []
    del payload["organization"]
    return payload, ["It is a person in Solvimon: the name and the address stay as they are there."]


def _link_facts(imported: ImportCandidate, record: Json) -> Json:
    """With both sides' fingerprints, so that an import does not bounce back as an edit."""
    return {**imported.link, "imported_hash": solvimon_customer_hash(SolvimonCustomer.model_validate(record))}


CUSTOMERS = ImportedResource(
    name="customer",
    plural="customers",
    collection="customers",
    field_name="Rillet Customer ID",
    resource_type="CUSTOMER",
    rows=lambda rillet, cursor, since: rillet.customer_rows(cursor, since),
    read=_read,
    eligible=_eligible,
    link_facts=_link_facts,
    filtered=True,
    link_seconds=None,
)
