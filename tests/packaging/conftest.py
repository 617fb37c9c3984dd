"""The layers of this machine: the packages that the lock names, and our own by its recipe."""

import os
import subprocess
import sys

import pytest

from local.system import ROOT
from tests.packaging.artefacts import PROVIDED, linked, locked_names
from tests.packaging.process import Sandbox

FUNCTIONS = {path.name: path for path in sorted((ROOT / "functions").iterdir()) if path.is_dir()}


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """The two layers and Lambda's own packages, linked from this machine's packages."""
    pytest.importorskip("awslambdaric", reason="Lambda's runtime client exists for Linux only")
    folder = tmp_path_factory.mktemp("lambda")
    dependencies = linked(
        locked_names(ROOT / "layers" / "dependencies" / "requirements.txt"), folder / "dependencies"
    )
    runtime = linked(PROVIDED, folder / "runtime")
    variables = {"PATH": os.environ["PATH"], "ARTIFACTS_DIR": str(folder / "mapping")}
    make = ["make", "--no-print-directory", "-C", str(ROOT / "layers" / "mapping"), "build-MappingLayer"]
    subprocess.run(make, env=variables, check=True, capture_output=True)  # noqa: S603 - our own Makefile
    return Sandbox(sys.executable, (dependencies, folder / "mapping" / "python"), runtime)
