"""The generated pages are what the code says."""

import pytest

from docs.generate.reference import DOCS, PAGES
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
