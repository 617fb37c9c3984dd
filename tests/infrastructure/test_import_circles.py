"""No module imports itself by way of others, neither inside a function nor for types only."""

from graphlib import TopologicalSorter

import grimp


def test_imports_make_no_circle() -> None:
    graph = grimp.build_graph("solvimon_rillet", "functions", "local", "tests", cache_dir=None)

    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}

    assert len(imports) > 300
    TopologicalSorter(imports).prepare()  # raises CycleError with the circle
