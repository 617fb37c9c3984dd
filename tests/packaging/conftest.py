"""The layers of this machine: the packages that the lock names, and our own by its recipe."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.system import ROOT
from tests.packaging.artefacts import PROVIDED
from tests.packaging.links import linked, locked_names
from tests.packaging.process import Surroundings

FUNCTIONS = {path.name: path for path in sorted((ROOT / "functions").iterdir()) if path.is_dir()}


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Surroundings:
    """Where functions run: nothing but the two layers and what Lambda brings, of this machine's packages."""
    pytest.importorskip("awslambdaric", reason="Lambda's runtime client exists for Linux only")
    folder = tmp_path_factory.mktemp("lambda")
    dependencies = linked(
        locked_names(ROOT / "layers" / "dependencies" / "requirements.txt"), folder / "dependencies"
    )
    runtime = linked(PROVIDED, folder / "runtime")
    return Surroundings(sys.executable, (dependencies, _mapping(folder / "mapping")), runtime)


def _mapping(folder: Path) -> Path:
    command = ["make", "--no-print-directory", "build-MappingLayer"]
    told = {"PATH": os.environ["PATH"], "ARTIFACTS_DIR": str(folder)}
    subprocess.run(  # noqa: S603 - our own Makefile
        command, cwd=ROOT / "layers" / "mapping", env=told, check=True, capture_output=True
    )
    return folder / "python"
