"""The shelving: few files at each root, no name that says two things, and no circle of imports."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from local.system import ROOT

PACKAGE = ROOT / "layers/mapping/solvimon_rillet"
ANYWHERE = {"Json", "logger", "__all__", "T", "M", "R", "main", "create_app"}
"""Names that say the same in every module that has them."""
BY_CONVENTION = {
    "solvimon_rillet/mapping/": {"HEADER_ROWS", "LINE_ROWS", "IMPORT_ROWS"},  # the guide's table of each
    "solvimon_rillet/panel/pages/": {"PAGE", "ROUTES", "show"},  # what the panel asks of the module of a page
    "functions/": {"create_handler"},
    "local/demo/sections/": {"SECTION", "_run"},  # what the script asks of a section
    "local/fake_rillet/": {"blueprint"},
    "local/fake_solvimon/resources/": {"routes"},
}
"""Names that each module of a folder has, by what a framework or the folder's caller asks for."""
VENDORS = (
    "solvimon_rillet/rillet/",
    "solvimon_rillet/solvimon/",
    "local/fake_rillet/",
    "local/fake_solvimon/",
)


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


@pytest.mark.parametrize("folders", [(PACKAGE, ROOT / "functions"), (ROOT / "local",)])
def test_no_name_means_two_things(folders: tuple[Path, ...]) -> None:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            for name, definition in names(path):
                found[name][path.relative_to(folder.parent).as_posix()] = definition

    assert {
        name: sorted(places)
        for name, places in found.items()
        if len(set(places.values())) > 1 and not allowed(name, list(places))
    } == {}


def allowed(name: str, places: list[str]) -> bool:
    """Whether a name is a convention, or has one meaning at each vendor: both have an invoice."""
    vendors = [vendor for place in places for vendor in VENDORS if place.startswith(vendor)]
    return (
        name in ANYWHERE
        or any(
            name in names and all(place.startswith(folder) for place in places)
            for folder, names in BY_CONVENTION.items()
        )
        or len(set(vendors)) == len(places)
    )


def test_imports_make_no_circle() -> None:
    """No module imports itself by way of others, neither inside a function nor for types only."""
    graph = grimp.build_graph("solvimon_rillet", "functions", "local", "tests", cache_dir=None)

    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}

    assert len(imports) > 300
    TopologicalSorter(imports).prepare()  # raises CycleError with the circle
