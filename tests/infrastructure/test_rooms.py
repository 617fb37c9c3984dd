"""The shelving of the layer: few files at each root, and no name that says two things."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.system import ROOT

PACKAGE = ROOT / "layers/mapping/solvimon_rillet"
BY_CONVENTION = {
    *("Json", "logger", "__all__", "T", "M", "R"),
    *("HEADER_ROWS", "LINE_ROWS", "IMPORT_ROWS"),  # the guide's table of the module's document
    *("PAGE", "ROUTES", "show"),  # what the panel asks of each module of a page
}
"""The same in every module that has it."""
OF_VENDORS = ("rillet/", "solvimon/")


def names(path: Path) -> Iterator[tuple[str, str]]:
    """The names that a module defines at its top, each with its definition."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, ast.unparse(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((each.id, ast.unparse(node)) for each in targets if isinstance(each, ast.Name))


@pytest.mark.parametrize(("folder", "most"), [("", 8), ("workflows", 6)])
def test_a_root_has_few_files_beside_its_folders(folder: str, most: int) -> None:
    files = [path.name for path in (PACKAGE / folder).glob("*.py") if path.name != "__init__.py"]

    assert len(files) <= most, files


def test_no_name_means_two_things() -> None:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, definition in names(path):
            found[name][path.relative_to(PACKAGE).as_posix()] = definition

    several = {
        name: sorted(places)
        for name, places in found.items()
        if len(set(places.values())) > 1
        and name not in BY_CONVENTION
        # Each vendor has an invoice of its own, in its own package.
        and not all(place.startswith(OF_VENDORS) for place in places)
    }
    assert several == {}
