"""`sam build`, and a sandbox in which this machine runs its result."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import yaml

from local.system import ROOT
from tests.packaging.process import Sandbox

BUILD = ROOT / ".aws-sam" / "build"
_HERE = ROOT / "build" / "packaged"
_DEPENDENCIES = ROOT / "layers" / "dependencies"
_LAMBDA = ("3.13", "aarch64")
# What Lambda's runtime for Python has in addition to the standard library.
PROVIDED = (
    "awslambdaric",
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "simplejson",
    "six",
    "snapshot-restore-py",
    "urllib3",
)
Json = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """Bytes of a layer, as uploaded and as unpacked on Lambda's disk."""

    zipped: int
    unzipped: int


@dataclass(frozen=True)
class Artefacts:
    """The folders that are deployed.

    Attributes:
        functions: folder of each function, by workflow.
        layers: folder of each layer, by its name in the template, in the order in which Lambda unpacks them.
    """

    functions: dict[str, Path]
    layers: dict[str, Path]

    def size(self, layer: str) -> Size:
        """Return the size of a layer."""
        files = [path for path in self.layers[layer].rglob("*") if path.is_file()]
        with TemporaryFile() as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in files:
                    archive.write(path, path.relative_to(self.layers[layer]))
            return Size(file.tell(), sum(path.stat().st_size for path in files))


def sam_build(python: str | None) -> Artefacts:
    """Run `sam build`.

    Args:
        python: a Python of the runtime's version, which makes the bytecode.
    """
    variables = {**os.environ, "SAM_CLI_TELEMETRY": "0", "RUNTIME_PYTHON": python or ""}
    sam = Path(sys.executable).with_name("sam")
    _run([str(sam), "build", "--no-cached", "--build-dir", str(BUILD)], variables)
    return built(BUILD)


def built(folder: Path) -> Artefacts:
    """Read what `sam build` left in a folder."""
    template = yaml.safe_load((folder / "template.yaml").read_text(encoding="utf-8"))
    resources: dict[str, Json] = template["Resources"]
    functions, layers = {}, {}
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            workflow = properties["Handler"].partition(".")[0]
            functions[workflow] = (folder / properties["CodeUri"]).resolve()
        elif resource["Type"] == "AWS::Serverless::LayerVersion":
            layers[name] = (folder / properties["ContentUri"]).resolve()
    order = template["Globals"]["Function"]["Layers"]
    return Artefacts(functions, {layer["Ref"]: layers[layer["Ref"]] for layer in order})


def lambdas_python() -> str | None:
    """A Python of the version that Lambda runs, if there is one on this machine."""
    homes = [Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python"]
    version = _LAMBDA[0]
    named = [os.environ.get("RUNTIME_PYTHON"), sys.executable, shutil.which(f"python{version}")]
    found = [str(path) for home in homes for path in sorted(home.glob(f"*{version}*/bin/python{version}"))]
    return next((python for python in (*named, *found) if python and _version(python) == version), None)


def sandbox_for(artefacts: Artefacts, python: str) -> tuple[Sandbox, str]:
    """Return a sandbox in which a Python of this machine runs the functions, and how it was made.

    The layer of dependencies has the compiled parts of Lambda's processor. Elsewhere it is built once more by
    the same recipe, from the same pins and hashes, for the machine and the Python at hand.
    """
    version, machine = _version(python), platform.machine()
    provided = _once(version, machine, _locked(PROVIDED), "runtime", python)
    layers, note = dict(artefacts.layers), f"the layers as built ({machine}, Python {version})"
    if (version, machine) != _LAMBDA:
        text = (_DEPENDENCIES / "requirements.txt").read_text(encoding="utf-8")
        layers["DependenciesLayer"] = _once(version, machine, text, "dependencies", python)
        note = (
            f"the layer of dependencies, which is for {_LAMBDA[1]} and Python {_LAMBDA[0]}, was built again "
            f"from the same pins and hashes for {machine} and Python {version}"
        )
    return Sandbox(python, tuple(path / "python" for path in layers.values()), provided / "python"), note


def linked(names: Iterable[str], folder: Path) -> Path:
    """Fill a folder with links to the packages of some distributions.

    Args:
        names: distributions that are installed here.
        folder: is created.
    """
    folder.mkdir(parents=True)
    for name in names:
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            (folder / top).symlink_to(Path(str(found.locate_file(top))))
    return folder


def locked_names(requirements: Path) -> list[str]:
    """Return the distributions that a lock pins."""
    return re.findall(r"^([\w.-]+)==", requirements.read_text(encoding="utf-8"), re.MULTILINE)


def _once(version: str, machine: str, requirements: str, name: str, python: str) -> Path:
    """Install locked packages by the layer's recipe, unless that was done before."""
    recipe = (_DEPENDENCIES / "Makefile").read_text(encoding="utf-8")
    key = hashlib.sha256("\n".join([version, machine, recipe, requirements]).encode()).hexdigest()[:12]
    folder = _HERE / f"{name}-{key}"
    if folder.exists():
        return folder
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    pinned = unfinished / "requirements.txt"
    pinned.write_text(requirements, encoding="utf-8")
    assignments = {
        "ARTIFACTS_DIR": unfinished,
        "PYTHON": sys.executable,
        "RUNTIME": version,
        "RUNTIME_PYTHON": python,
        "PLATFORMS": f"manylinux2014_{machine} manylinux_2_28_{machine}",
        "REQUIREMENTS": pinned,
    }
    given = [f"{key}={value}" for key, value in assignments.items()]
    _run(["make", "-C", str(_DEPENDENCIES), "build-DependenciesLayer", *given], os.environ.copy())
    return unfinished.rename(folder)


def _locked(names: tuple[str, ...]) -> str:
    """The lines of the tools' lock that pin some packages, with their hashes."""
    lock = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    pins = re.finditer(r"^([\w.-]+)(?:\[.*\])?(==.*(?:\n    --hash=.*)+)", lock, re.MULTILINE)
    found = {pin[1]: pin[1] + pin[2] for pin in pins}
    return "\n".join(found[name] for name in names) + "\n"


def _version(python: str) -> str:
    command = [python, "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""


def _run(command: list[str], variables: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
