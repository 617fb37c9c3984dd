"""The causes in the layer are the rows of ``docs/errors.md``, made from them by ``make docs``."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "docs" / "errors.md"
TARGET = ROOT / "layers" / "mapping" / "solvimon_rillet" / "workflows" / "status" / "error_catalog.json"


def catalog() -> str:
    """The file of causes: by code, what it means and what to do."""
    text = SOURCE.read_text(encoding="utf-8").replace("`", "")
    rows = re.findall(r"^\| ([a-z_]+) \| (.+) \| (.+) \|$", text, flags=re.MULTILINE)
    found = {code: {"meaning": meaning, "remedy": remedy} for code, meaning, remedy in sorted(rows)}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Write the file."""
    TARGET.write_text(catalog(), encoding="utf-8")
