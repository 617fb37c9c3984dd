"""``make packaging``: builds what is deployed, runs it as AWS would, and prints ``PACKAGING {json}``."""

import json
import platform
import sys
from pathlib import Path

from local.system import LocalSystem
from tests.packaging.artefacts import Artefacts, lambdas_python, sam_build, surroundings
from tests.packaging.fleet import Fleet
from tests.packaging.process import Surroundings
from tests.packaging.tour import Tour, Visit, prepared

_LIMIT = 250 * 1024 * 1024
"""Bytes that a function with its layers may take unzipped (Lambda quotas)."""
_SKIPPED = "python3.13, which Lambda runs, is not on this machine: Python {} stands in for it"


def main() -> None:
    """Build, import, invoke; the exit code says whether all is well."""
    if platform.system() != "Linux":
        sys.stdout.write('PACKAGING {"skipped": "Lambda\'s runtime client exists for Linux only"}\n')
        return
    python = lambdas_python()
    artefacts = sam_build(python)
    where, note = surroundings(artefacts, python or sys.executable)
    sizes = {layer: artefacts.size(layer) for layer in artefacts.layers}
    unzipped = sum(size.unzipped for size in sizes.values())
    strangers = {name: _strangers(where, name, code) for name, code in artefacts.functions.items()}
    visits = _tour(where, artefacts)
    failed = [visit.function for visit in visits if not visit.as_expected]
    told = {
        "functions": len(artefacts.functions),
        "imported_alone": sum(not found for found in strangers.values()),
        "invoked_under_awslambdaric": len({visit.function for visit in visits}),
        "answered_as_expected": len(visits) - len(failed),
        "failed": failed,
        "layers_mb": {
            layer: {"zipped": _mb(size.zipped), "unzipped": _mb(size.unzipped)}
            for layer, size in sizes.items()
        },
        "unzipped_mb_of_250": _mb(unzipped),
        "python": "3.13" if python else _SKIPPED.format(platform.python_version()),
        "ran_on": note,
    }
    for name, found in strangers.items():
        for file in found:
            sys.stderr.write(f"{name} imports what Lambda does not have: {file}\n")
    for visit in visits:
        sys.stdout.write(f"{'ok  ' if visit.as_expected else 'FAIL'} {visit.function}: {_short(visit)}\n")
    sys.stdout.write(f"PACKAGING {json.dumps(told)}\n")
    if any(strangers.values()) or failed or len(visits) != len(artefacts.functions) or unzipped > _LIMIT:
        sys.exit(1)


def _strangers(where: Surroundings, name: str, code: Path) -> list[str]:
    """Files that a function loads from elsewhere than its artefact, the layers and Lambda's runtime."""
    own = (code, *where.layers, where.runtime, Path(__file__).with_name("launch.py"))
    known = tuple(str(path) for path in (*own, where.standard_library()))
    files = where.modules(f"{name}.handler", code).values()
    return [file for file in files if file.startswith("/") and not file.startswith(known)]


def _tour(where: Surroundings, artefacts: Artefacts) -> list[Visit]:
    with LocalSystem() as system, Fleet(system, where, artefacts.functions) as fleet:
        connection = prepared(system)
        return list(Tour(system, connection, lambda function: fleet.answers[function][-1]).visits())


def _short(visit: Visit) -> str:
    text = json.dumps(visit.answer, default=str)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _mb(size: int) -> float:
    return round(size / 1024 / 1024, 1)


if __name__ == "__main__":
    main()
