"""Rillet's id, number and address of a document, as Solvimon shows them on its invoice or credit note."""

from solvimon_rillet.mapping.solvimon_fields import custom_value, without_custom_field
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice

ID_NAME = "Rillet Invoice ID"
NUMBER_NAME = "Rillet Invoice Number"


def to_solvimon_write_back(
    document: Invoice, rillet_id: str, rillet_number: str, settings: Settings
) -> dict[str, object]:
    """The PATCH that makes an invoice or credit note show its document in Rillet.

    Lists are sent whole, with the values of others: Solvimon does not say whether PATCH merges them (dossier,
    trap 31).

    Args:
        document: as read from Solvimon.
        rillet_id: of the invoice or credit memo in Rillet.
        rillet_number: its number there; empty if it has none.
        settings: of the connection.

    Returns:
        The body of the PATCH; empty when Solvimon shows all of it already.
    """
    body: dict[str, object] = {}
    fields = settings.custom_fields
    wanted = {fields.invoice: rillet_id, **({fields.invoice_number: rillet_number} if rillet_number else {})}
    present = {"custom_fields": document.custom_fields}
    if any(custom_value(present, reference) != value for reference, value in wanted.items()):
        kept = document.custom_fields
        for reference in wanted:
            kept = without_custom_field(kept, reference)
        body["custom_fields"] = [*kept, *({"reference": r, "value": v} for r, v in wanted.items())]
    address = settings.rillet.document_link(rillet_id, is_credit_memo=document.is_credit_note)
    if address and (integration := settings.solvimon.integration_id):
        link = {"id": integration, "link_details": [{"url": address, "custom_field_name": ID_NAME}]}
        if link not in document.linked_integrations:
            others = [each for each in document.linked_integrations if each.get("id") != integration]
            body["linked_integrations"] = [*others, link]
    return body
