"""Small Solvimon documents of the demo's world: one line, 21 % VAT."""

from decimal import Decimal

from tests.support.builders import Json, document

FIRST, SECOND, NOTE = "invo_faultsfirst", "invo_faultssecond", "invo_faultsnote"
OTHER = "invo_faultsother"
"""An invoice of another connection."""


def invoice(document_id: str = FIRST, net: str = "100.00", **more: object) -> Json:
    """An invoice of 31 January 2040, still a draft and without a number.

    Args:
        document_id: Solvimon's id.
        net: its net amount in euros.
        more: other fields.
    """
    dates = {"invoice_date": "2040-01-31T09:00:00Z", "due_date": "2040-02-14T09:00:00Z"}
    return document(document_id, net, f"{Decimal(net) * 21 / 100:.2f}", **dates | more)


def credit_note(net: str = "-100.00", of: str = FIRST) -> Json:
    """A credit note of an invoice, one day younger than it."""
    more = {"type": "CREDIT", "invoice_date": "2040-02-01T09:00:00Z", "credit": {"original_invoice_id": of}}
    return invoice(NOTE, net, **more)
