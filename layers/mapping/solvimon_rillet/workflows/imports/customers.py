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
from solvimon_rillet.workflows.imports.resource import ImportCandidate, ImportedResource, Json, parse_row


def _map_customer(row: object, settings: Settings, _category_id: str) -> ImportCandidate:
    customer, own = parse_row(row, Customer), settings.reference_types.customer
    return ImportCandidate(
        customer.id,
        one_line(customer.name),
        to_solvimon_customer(customer, settings),
        {
            "rillet_id": customer.id,
            "mailed": bool(customer.send_invoices_automatically),
            "synced_hash": rillet_customer_hash(customer),
            "rillet_updated_at": customer.updated_at or "",
        },
        hints=[reference.id for reference in customer.external_references if reference.type == own],
    )


def _update_payload(candidate: ImportCandidate, current: Json) -> tuple[Json, list[str]]:
    payload = dict(candidate.mapped.payload)
    if current.get("type") != "INDIVIDUAL":
        return payload, []
    del payload["organization"]
    return payload, ["In Solvimon this is an individual: the name and address there are kept."]


def _customer_link_facts(candidate: ImportCandidate, record: Json) -> Json:
    """With both sides' fingerprints, so that an import does not return to Rillet as an edit."""
    return {
        **candidate.link,
        "imported_hash": solvimon_customer_hash(SolvimonCustomer.model_validate(record)),
    }


CUSTOMERS = ImportedResource(
    name="customer",
    plural="customers",
    collection="customers",
    field_name="Rillet Customer ID",
    resource_type="CUSTOMER",
    list_rows=lambda rillet, cursor, since: rillet.customer_rows(cursor, since),
    map_row=_map_customer,
    update_payload=_update_payload,
    link_facts=_customer_link_facts,
    filtered=True,
    guard=True,
    link_seconds=None,
)
