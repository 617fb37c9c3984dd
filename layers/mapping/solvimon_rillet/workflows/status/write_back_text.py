"""Whether Solvimon shows an exported document's id and number in Rillet, for the document's story."""

from collections.abc import Mapping
from typing import Any

from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.workflows.status.texts import without_email_addresses


def write_back_fields(record: Mapping[str, Any]) -> dict[str, Any]:
    """The field ``in_solvimon``; none for a document that is not in Rillet, or that is not written back."""
    progress = record.get("write_back")
    if not progress or "rillet_id" not in record:
        return {}
    if "at" in progress:
        return {"in_solvimon": f"Solvimon shows Rillet's id since {format_timestamp(progress['at'])}."}
    why = without_email_addresses(f"{progress.get('message', '')} {progress.get('remedy', '')}".strip())
    if "gave_up" in progress:
        return {"in_solvimon": f"{why} Then request the document by its id."}
    due = f"The next try is due at {format_timestamp(progress['next'])}."
    return {"in_solvimon": f"{why} {due}" if why else f"Solvimon does not show Rillet's id yet. {due}"}
