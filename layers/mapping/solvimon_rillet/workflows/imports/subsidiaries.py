"""Rillet subsidiaries become Solvimon billing entities."""

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.solvimon_fields import one_line
from solvimon_rillet.mapping.subsidiaries import to_solvimon_billing_entity, to_subsidiary_link
from solvimon_rillet.rillet.models import Subsidiary
from solvimon_rillet.settings import Settings
from solvimon_rillet.workflows.imports.resource import (
    ImportCandidate,
    ImportedResource,
    ListRecords,
    parse_row,
)


def _map_subsidiary(row: object, settings: Settings, _category_id: str) -> ImportCandidate:
    """A billing entity that the settings name is linked only; its other fields stay."""
    subsidiary = parse_row(row, Subsidiary)
    pinned = settings.subsidiaries.get(subsidiary.id)
    return ImportCandidate(
        subsidiary.id,
        one_line(subsidiary.trade_name),
        to_subsidiary_link(subsidiary, settings)
        if pinned
        else to_solvimon_billing_entity(subsidiary, settings),
        {"rillet_id": subsidiary.id, "currency": subsidiary.currency},
        pinned=pinned,
    )


def _check_before_create(candidate: ImportCandidate, entities: ListRecords) -> None:
    """Refuse to create a second billing entity with the legal name of one that was created by hand."""
    for entity in entities():
        name = entity.get("legal_name")
        if one_line(name).casefold() == candidate.name.casefold():
            raise NeedsAttention(
                Code.BILLING_ENTITY_EXISTS,
                f"Solvimon has a billing entity of this name, {entity['id']}, not linked to this one.",
                f'Link them in the settings: "subsidiaries": {{"{candidate.id}": "{entity["id"]}"}}; or give '
                "one of them another name. Then import again.",
                quoted=str(name),
            )


SUBSIDIARIES = ImportedResource(
    name="subsidiary",
    plural="subsidiaries",
    collection="billing-entities",
    field_name="Rillet Subsidiary ID",
    resource_type="BILLING_ENTITY",
    list_rows=lambda rillet, _cursor, _since: rillet.subsidiary_rows(),
    map_row=_map_subsidiary,
    check_before_create=_check_before_create,
    has_status=False,
)
