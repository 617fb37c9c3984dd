"""Small Solvimon documents of the demo's world: one line, 21 % VAT."""

from decimal import Decimal

from local.sample_data.identity import solvimon_id
from tests.support import builders
from tests.support.builders import Json

FIRST, SECOND, NOTE = "invo_faultsfirst", "invo_faultssecond", "invo_faultsnote"
OTHER = "invo_faultsother"
"""An invoice of another connection."""
_PLANNER = {"id": solvimon_id("prod", "harbour-planner"), "name": "Harbour Planner"}


def invoice(document_id: str = FIRST, net: str = "100.00", **more: object) -> Json:
    """An invoice of 31 January 2040, still a draft and without a number.

    Args:
        document_id: Solvimon's id.
        net: its net amount in euros.
        more: other fields.
    """
    group = builders.taxed(net, f"{Decimal(net) * 21 / 100:.2f}", products=[_PLANNER], type="PRICING")
    return builders.invoice(group) | {
        "id": document_id,
        "invoice_number": None,
        "status": "DRAFT",
        "invoice_date": "2040-01-31T09:00:00Z",
        "due_date": "2040-02-14T09:00:00Z",
        "customer_id": solvimon_id("cust", "maasvlakte-quay"),
        "billing_entity_id": solvimon_id("bile", "tideway-nl"),
        **more,
    }


def credit_note(net: str = "-100.00", of: str = FIRST) -> Json:
    """A credit note of an invoice, one day younger than it."""
    more = {"type": "CREDIT", "invoice_date": "2040-02-01T09:00:00Z", "credit": {"original_invoice_id": of}}
    return invoice(NOTE, net, **more)
