"""What an import can be asked for."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, model_validator

from solvimon_rillet.ledger.actor import RequestedBy
from solvimon_rillet.mapping.texts import is_rillet_id
from solvimon_rillet.workflows.imports.resource import ImportedResource


def _rillet_id(value: object) -> object:
    if isinstance(value, str) and is_rillet_id(value.strip()):
        return value.strip().lower()
    raise ValueError("should be a Rillet id (a UUID)")


RilletId = Annotated[str, BeforeValidator(_rillet_id)]
IMPORT_EXAMPLE = {"connection": "default", "updated_since": "2026-01-01T00:00:00Z", "dry_run": True}
WATERMARK_OVERLAP = 600
"""Seconds before the watermark that an incremental import reads again: clocks differ, and rows change while
they are read."""


class ImportRequest(RequestedBy):
    """The event of an import function."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    connection: str = "default"
    updated_since: AwareDatetime | None = Field(default=None, description="Only rows that changed later.")
    incremental: bool = Field(
        default=False, description="Only rows that changed since the last complete run."
    )
    recheck: bool = Field(default=False, description="Look at every record in Solvimon, changed or not.")
    only: list[RilletId] = Field(default=[], max_length=1000, description="Rillet ids of the rows to import.")
    dry_run: bool = False

    @model_validator(mode="after")
    def _updated_since_or_incremental(self) -> "ImportRequest":
        if self.incremental and self.updated_since:
            raise ValueError("give updated_since or incremental, not both")
        return self


def changed_since(
    request: ImportRequest, resource: ImportedResource, watermark: int | None
) -> tuple[str | None, list[str]]:
    """The moment after which rows must have changed (RFC 3339; ``None`` for all rows), and notes about it.

    Args:
        request: the request.
        resource: what is imported.
        watermark: unix seconds up to which earlier imports have read everything.
    """
    since = request.updated_since
    if request.incremental and watermark is not None:
        since = datetime.fromtimestamp(watermark - WATERMARK_OVERLAP, UTC)
    if (since or request.incremental) and not resource.filtered:
        return None, [
            f"Rillet does not say when {resource.plural} changed, so all were read; unchanged ones cost "
            "nothing."
        ]
    if request.incremental and since is None:
        return None, ["No earlier run was complete, so all rows were read."]
    return since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if since else None, []
