"""docs/errors.md and the code agree on every error code."""

import re
from pathlib import Path

from solvimon_rillet.errors import Code

ROOT = Path(__file__).parents[2]


def test_every_code_has_a_row_with_a_meaning_and_a_remedy() -> None:
    text = (ROOT / "docs/errors.md").read_text(encoding="utf-8")

    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, flags=re.MULTILINE))

    assert sorted(rows) == sorted(code.value for code in Code)
    for code, row in rows.items():
        meaning, remedy = row.split(" | ")
        assert len(meaning) > 20, code
        assert len(remedy) > 20, code


def test_every_code_is_raised_somewhere() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "layers/mapping/solvimon_rillet").rglob("*.py")
    )

    unused = [code.name for code in Code if f"Code.{code.name}" not in source]

    assert unused == []
