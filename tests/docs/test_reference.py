"""The generated pages are what the code says, and the code and docs/errors.md agree on every error code."""

import re

import pytest

from docs.generate.reference import DOCS, PAGES
from local.system import ROOT
from solvimon_rillet.errors import Code
from solvimon_rillet.settings import Settings


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_the_one_that_the_code_makes(name: str) -> None:
    committed = (DOCS / name).read_text(encoding="utf-8")

    assert committed == PAGES[name](), "run `make docs` and commit the result"


def test_every_setting_is_documented_with_a_sentence() -> None:
    page = PAGES["settings.md"]()

    for name in Settings.model_fields:
        assert f"`{name}" in page
    for row in page.splitlines():
        if row.startswith("| `"):
            assert row.rstrip(" |").endswith((".", ")")), row


def test_every_code_has_a_row_with_a_meaning_and_a_remedy() -> None:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")

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
