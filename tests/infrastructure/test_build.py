"""The layers' recipes, which `sam build` runs, and the folders of the functions."""

import importlib.util
import marshal
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from local.aws.deployment import DeployedFunction
from local.aws.runtime import LambdaRuntime
from local.clock import Clock
from local.system import ROOT
from solvimon_rillet.reconciliation.report import html
from tests.infrastructure.views import Json, Template

DEPENDENCIES = ROOT / "layers" / "dependencies"


class _ShortForms(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as `!Ref`, as their arguments."""


_ShortForms.add_multi_constructor("!", lambda loader, suffix, node: suffix)


@pytest.fixture(scope="session")
def resources() -> Json:
    """The resources as they are written, before SAM translates them."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    found: Json = yaml.load(text, Loader=_ShortForms)["Resources"]  # noqa: S506 - a safe loader, and our own file
    return found


def _make(folder: Path, target: str, artefacts: Path, *options: str) -> str:
    """Run a layer's recipe as SAM does: in its folder, with the target folder in the environment."""
    variables = {"PATH": os.environ["PATH"], "ARTIFACTS_DIR": str(artefacts)}
    command = ["make", "--no-print-directory", *options, target]
    done = subprocess.run(  # noqa: S603 - our own Makefile
        command, cwd=folder, env=variables, check=True, capture_output=True, text=True
    )
    return done.stdout


def _pip_command(tmp_path: Path, python: str) -> list[str]:
    printed = _make(DEPENDENCIES, "build-DependenciesLayer", tmp_path, "--just-print", f"PYTHON={python}")
    return printed.replace("\\\n", " ").splitlines()[0].replace('"', "").split()


def test_every_layer_has_a_recipe_of_its_name(resources: Json) -> None:
    layers = [name for name, each in resources.items() if each["Type"] == "AWS::Serverless::LayerVersion"]

    assert len(layers) == 2
    for name in layers:
        layer = resources[name]
        assert layer["Metadata"]["BuildMethod"] == "makefile"
        recipe = (ROOT / layer["Properties"]["ContentUri"] / "Makefile").read_text(encoding="utf-8")
        assert f"\nbuild-{name}:\n" in recipe


def test_a_function_is_deployed_as_it_is_written(resources: Json) -> None:
    functions = [each for each in resources.values() if each["Type"] == "AWS::Serverless::Function"]

    assert functions
    for function in functions:
        assert function["Metadata"] == {"SkipBuild": True}
        module = function["Properties"]["Handler"].partition(".")[0]
        folder = ROOT / function["Properties"]["CodeUri"]
        assert [path.name for path in folder.iterdir() if path.is_file()] == [f"{module}.py"]


def test_dependencies_are_checked_by_hash_and_never_resolved_or_compiled(tmp_path: Path) -> None:
    command = _pip_command(tmp_path, "python3")

    assert command[:4] == ["python3", "-m", "pip", "install"]
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile"} <= set(command)
    assert command[command.index("-r") + 1] == "requirements.txt"
    assert command[command.index("--target") + 1] == f"{tmp_path}/python"


def test_dependencies_are_those_of_the_functions_runtime_and_processor(
    template: Template, tmp_path: Path
) -> None:
    [(runtime, processor)] = {(f["Runtime"], *f["Architectures"]) for f in template.functions.values()}

    command = _pip_command(tmp_path, "python3")

    platforms = [command[place + 1] for place, part in enumerate(command) if part == "--platform"]
    assert f"python{command[command.index('--python-version') + 1]}" == runtime
    assert processor == "arm64"
    assert platforms
    assert all(platform.endswith("_aarch64") for platform in platforms)


def test_any_python_builds_the_same_layer() -> None:
    """Pip evaluates a marker for the Python that runs it, not for the one that it installs for."""
    lock = (DEPENDENCIES / "requirements.txt").read_text(encoding="utf-8")

    variables = set(re.findall(r"(\w+) [!=<>]=? '", lock))

    assert variables <= {"implementation_name", "platform_python_implementation"}


def _layer_of_one_module(tmp_path: Path, runtime: str) -> Path:
    """Build a layer by the recipe, for a Python runtime of some version; return its artefact."""
    folder, artefacts = tmp_path / "layer", tmp_path / "artefacts"
    package = folder / "solvimon_rillet" / "mapping"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__" / "rows.cpython-38.pyc").touch()  # left behind by Python
    (package / "rows.py").write_text("ROWS = 1\n", encoding="utf-8")
    (folder / "Makefile").symlink_to(ROOT / "layers" / "mapping" / "Makefile")
    _make(folder, "build-MappingLayer", artefacts, f"RUNTIME={runtime}", f"PYTHON={sys.executable}")
    return artefacts


def test_a_layer_has_bytecode_that_outlives_the_upload_and_names_lambdas_own_paths(tmp_path: Path) -> None:
    artefacts = _layer_of_one_module(tmp_path, "{}.{}".format(*sys.version_info))

    [bytecode] = artefacts.rglob("*.pyc")
    head, code = bytecode.read_bytes()[:16], marshal.loads(bytecode.read_bytes()[16:])  # noqa: S302 - ours
    assert head[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(head[4:8], "little") == 0b01  # PEP 552: by hash, and not checked
    assert code.co_filename == "/opt/python/solvimon_rillet/mapping/rows.py"


def test_a_layer_has_no_bytecode_of_another_python_nor_what_python_left_behind(tmp_path: Path) -> None:
    artefacts = _layer_of_one_module(tmp_path, "3.999")

    made = [path.relative_to(artefacts) for path in artefacts.rglob("*") if path.is_file()]
    assert made == [Path("python/solvimon_rillet/mapping/rows.py")]


def test_the_layer_holds_the_template_of_the_reconciliations_page(tmp_path: Path) -> None:
    _make(ROOT / "layers" / "mapping", "build-MappingLayer", tmp_path)

    folder = tmp_path / "python" / "solvimon_rillet" / "reconciliation" / "report"
    assert (folder / html.TEMPLATE).read_bytes() == (Path(html.__file__).parent / html.TEMPLATE).read_bytes()


@pytest.mark.parametrize("layer", ["mapping", "dependencies"])
def test_a_layer_is_built_in_a_path_with_blanks(tmp_path: Path, layer: str) -> None:
    folder = tmp_path / "a path  with blanks" / "layers"
    (folder / layer / "solvimon_rillet").mkdir(parents=True)
    shutil.copy(ROOT / "layers" / layer / "Makefile", folder / layer)
    shutil.copy(ROOT / "layers" / "bytecode.mk", folder)
    # Without packages pip installs nothing; it is the recipe that is tried.
    (folder / layer / "requirements.txt").write_text("", encoding="utf-8")
    artefacts = tmp_path / "artefacts of it"
    variables = {"PATH": os.environ["PATH"], "ARTIFACTS_DIR": str(artefacts)}
    target = f"build-{layer.title()}Layer"
    command = ["make", "--makefile", str(folder / layer / "Makefile"), target, f"PYTHON={sys.executable}"]

    done = subprocess.run(  # noqa: S603 - our own Makefile, started as SAM does
        command, cwd=folder / layer, env=variables, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert layer == "dependencies" or (artefacts / "python" / "solvimon_rillet").is_dir()


def test_running_a_function_here_leaves_nothing_in_its_folder(tmp_path: Path) -> None:
    source = "def create_handler(environment, *, clock):\n    return lambda event, context: 'hello'\n"
    (tmp_path / "greet.py").write_text(source, encoding="utf-8")
    function = DeployedFunction("greet", "greet", "arn", tmp_path, {}, timeout=3, memory_mb=128)

    answer = LambdaRuntime({"greet": function}, (), Clock()).invoke("greet", {})

    assert answer == "hello"
    assert [path.name for path in tmp_path.iterdir()] == ["greet.py"]
