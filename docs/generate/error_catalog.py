"""The layer's catalog of errors, made from the rows of ``docs/errors.md`` by ``make docs``."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "docs" / "errors.md"
TARGET = ROOT / "layers" / "mapping" / "solvimon_rillet" / "workflows" / "status" / "error_catalog.json"


def catalog() -> str:
    """Return the catalog as JSON: by code, its meaning and its remedy."""
    text = SOURCE.read_text(encoding="utf-8").replace("`", "")
    rows = re.findall(r"^\| ([a-z_]+) \| (.+) \| (.+) \|$", text, flags=re.MULTILINE)
    found = {code: {"meaning": meaning, "remedy": remedy} for code, meaning, remedy in sorted(rows)}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Write the file."""
    TARGET.write_text(catalog(), encoding="utf-8")
