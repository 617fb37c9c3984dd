"""Import subsidiaries: Solvimon's request for a billing entity (Solvimon API v1, Create a billing entity)."""

from dataclasses import dataclass

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.dates import parse_time_zone
from solvimon_rillet.mapping.field_table import Row, fill
from solvimon_rillet.mapping.solvimon_fields import MappedRecord, custom_field, one_line, truncate
from solvimon_rillet.rillet.models import Subsidiary
from solvimon_rillet.settings import Settings


@dataclass(frozen=True, slots=True)
class _SubsidiaryImport:
    """The input of the import rows: a Rillet subsidiary with its cleaned name and time zone."""

    subsidiary: Subsidiary
    settings: Settings
    name: str
    timezone: str | None


# The guide's table "Import Subsidiaries", row by row.
IMPORT_ROWS: tuple[Row[_SubsidiaryImport], ...] = (
    Row("id", "reference", lambda i: i.subsidiary.id, rule="an existing reference stays"),
    Row("trade_name", "legal_name", lambda i: i.name, rule="one line, at most 256 characters"),
    Row(
        "timezone",
        "timezone",
        lambda i: i.timezone,
        rule="an IANA name or one of the setting `time_zones`; left out if it is not known",
    ),
    Row(
        "id",
        "custom_fields",
        lambda i: custom_field(i.settings.custom_fields.subsidiary, i.subsidiary.id),
        rule='the custom field "Rillet Subsidiary ID"; other fields stay',
    ),
)


def to_solvimon_billing_entity(subsidiary: Subsidiary, settings: Settings | None = None) -> MappedRecord:
    """Map a Rillet subsidiary to the request that creates it in Solvimon as a billing entity.

    Raises:
        NeedsAttention: it has no trade name.
    """
    settings = settings or Settings()
    name = one_line(subsidiary.trade_name)
    if not name:
        raise NeedsAttention(
            Code.ROW_INCOMPLETE,
            f"The subsidiary {subsidiary.id} has no trade name.",
            "Name it in Rillet, then import again.",
        )
    notes = []
    if name != truncate(name):
        notes.append("The name is longer than the 256 characters that Solvimon takes, and was cut.")
    timezone = _iana_name(subsidiary, settings)
    if subsidiary.timezone and timezone is None:
        notes.append(
            "The time zone is not known and was left out; name it in the setting time_zones, or set it in "
            "Solvimon."
        )
    subject = _SubsidiaryImport(subsidiary, settings, truncate(name), timezone)
    return MappedRecord(fill(IMPORT_ROWS, subject)[0], tuple(notes))


def to_subsidiary_link(subsidiary: Subsidiary, settings: Settings | None = None) -> MappedRecord:
    """Map a subsidiary whose billing entity is named in the settings: only the link is written."""
    reference = (settings or Settings()).custom_fields.subsidiary
    return MappedRecord({"custom_fields": custom_field(reference, subsidiary.id)})


def _iana_name(subsidiary: Subsidiary, settings: Settings) -> str | None:
    name = settings.time_zones.get(one_line(subsidiary.timezone), one_line(subsidiary.timezone))
    try:
        parse_time_zone(name, {})
    except NeedsAttention:
        return None
    return name or None
