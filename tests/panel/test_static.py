"""The files that browsers load: they are what their page says."""

import hashlib
import re
from pathlib import Path

from local.system import ROOT

STATIC = Path(ROOT) / "layers/mapping/solvimon_rillet/panel/static"
PAGE = (STATIC / "README.md").read_text(encoding="utf-8")


def test_htmx_is_the_file_of_the_version_that_the_page_names() -> None:
    content = (STATIC / "htmx.js").read_bytes()

    version = re.search(r"htmx (2\.\d+\.\d+)", PAGE)

    assert version
    assert f'version:"{version[1]}"' in content.decode()
    assert hashlib.sha256(content).hexdigest() in PAGE
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE.txt").read_text(encoding="utf-8")


def test_every_class_of_a_template_is_in_the_stylesheet_or_a_state() -> None:
    css = (STATIC / "panel.css").read_text(encoding="utf-8")
    templates = STATIC.parent / "templates"

    used = {
        name
        for path in templates.glob("*.j2")
        for group in re.findall(r'class="([^"{}]+)"', path.read_text(encoding="utf-8"))
        for name in group.split()
    }

    assert len(used) > 40
    assert {name for name in used if f".{name}" not in css} == set()
