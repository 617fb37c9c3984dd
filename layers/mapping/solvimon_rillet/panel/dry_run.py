"""What a dry run would send, as a table: each field of Rillet, its value, and where the value comes from."""

import re
from collections.abc import Mapping
from typing import Any

from solvimon_rillet.panel.reading import Json, section, text


def dry_run_view(result: Json) -> Mapping[str, Any]:
    """The field table of a dry run: Rillet's field, its value, and where the value comes from."""
    sources, payload = section(result, "came_from"), result.get("payload") or result.get("changes") or {}
    fields = [
        {"field": path, "value": value, "source": _source(path, sources)}
        for path, value in _flat(payload, "")
    ]
    totals = section(result, "tie_out")
    return {
        "fields": fields,
        "totals": {name: text(totals, name) for name in ("currency", "net", "tax", "gross")},
        "explanation": [str(each) for each in result.get("explanation") or ()],
    }


def _source(path: str, sources: Json) -> str:
    """The source of a field, or of the object that it is in."""
    while path:
        if path in sources:
            return str(sources[path])
        path = re.sub(r"(\.[^.\[]+|\[\d+\])$", "", path) if re.search(r"[.\[]", path) else ""
    return ""


def _flat(value: Any, path: str) -> list[tuple[str, str]]:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return [
            pair
            for name, part in value.items()
            for pair in _flat(part, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(value, list):
        return [pair for index, part in enumerate(value) for pair in _flat(part, f"{path}[{index}]")]
    return [(path, "" if value is None else str(value).lower() if isinstance(value, bool) else str(value))]
