"""Functions as Lambda runs them: awslambdaric in a clean process, asking a runtime API for its events."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.aws.deployment import DeployedFunction
from local.system import LocalSystem
from tests.packaging.built_functions import BuiltFunctions, connected_to
from tests.packaging.conftest import FUNCTIONS
from tests.packaging.process import FunctionProcess, Sandbox
from tests.packaging.runtime_api import FunctionFailedError
from tests.packaging.scenario import Scenario
from tests.support.secrets import leaked, stored_secrets

pytestmark = pytest.mark.slow


def _function(folder: Path, source: str) -> DeployedFunction:
    folder.mkdir()
    (folder / "greet.py").write_text(source, encoding="utf-8")
    return DeployedFunction("greet", "dev-greet", "arn:greet", folder, {"NAME": "Ada"}, 30, 128)


def _answer(sandbox: Sandbox, function: DeployedFunction, event: Any = None) -> Any:  # noqa: ANN401
    with FunctionProcess(sandbox, function, "eu-central-1") as process:
        return process.invoke(event).value


@pytest.fixture
def scenario(system: LocalSystem, sandbox: Sandbox) -> Iterator[Scenario]:
    """The demo's connection, whose functions run in processes of their own, by this machine's clock."""
    system.clock.set(time.time())
    with BuiltFunctions(system, sandbox, FUNCTIONS) as built:
        yield Scenario(system, built.last_answer)


def test_a_webhook_reaches_rillet_through_functions_in_processes_of_their_own(scenario: Scenario) -> None:
    invocations = list(scenario.export_invoice())

    assert [(each.function, each.as_expected) for each in invocations] == [
        ("receive_webhook", True),
        ("export_invoice", True),
    ]


def test_an_import_runs_as_a_durable_execution_in_a_process_of_its_own(scenario: Scenario) -> None:
    invocation = scenario.import_all("products")

    assert invocation.as_expected
    assert invocation.answer["created"] > 0


def test_no_function_logs_a_secret_at_debug(system: LocalSystem, sandbox: Sandbox) -> None:
    """With an API key, then with tokens of OAuth that are refreshed on the way, and that a vendor refuses."""
    system.clock.set(time.time())
    with BuiltFunctions(system, sandbox, FUNCTIONS) as built:
        invocations = list(Scenario(system, built.last_answer).invoke_all())
        secrets = set(stored_secrets(system).items())
        system.connect("acme", auth="oauth")
        system.authorise("acme")
        secrets |= set(stored_secrets(system).items())
        system.rillet.state.misbehave("status", "GET", "/organizations", status=401)
        system.invoke("connect_rillet", {"connection": "acme", "action": "status"})
        secrets |= set(stored_secrets(system).items())
        log = built.log

    assert {each.function for each in invocations if each.as_expected} == set(FUNCTIONS)
    assert {name.rpartition(" ")[2] for name, _ in secrets} >= {
        *("api_key", "webhook_secret", "webhook_token", "client_secret", "access_token", "refresh_token")
    }
    assert leaked(secrets, log) == []


def test_the_search_finds_what_a_library_logs_at_debug(
    system: LocalSystem, sandbox: Sandbox, tmp_path: Path
) -> None:
    source = (
        "import logging\n"
        "def handler(event, context):\n"
        "    logging.getLogger('botocore.endpoint').debug('sent %s', event['secret'])\n"
    )

    with FunctionProcess(connected_to(system, sandbox), _function(tmp_path / "task", source), "x") as process:
        process.invoke({"secret": 'sk "live" 1'})
        log = process.output()

    assert leaked([("the secret", 'sk "live" 1')], log) == ["the secret"]


def test_a_function_sees_its_event_its_environment_and_its_time(sandbox: Sandbox, tmp_path: Path) -> None:
    source = (
        "import os\n"
        "def handler(event, context):\n"
        "    left = context.get_remaining_time_in_millis()\n"
        "    return [event, os.environ['NAME'], os.environ.get('HOME'), 0 < left <= 30000]\n"
    )

    answer = _answer(sandbox, _function(tmp_path / "task", source), {"one": 1})

    assert answer == [{"one": 1}, "Ada", None, True]


def test_what_a_function_raises_is_reported_with_its_traceback(sandbox: Sandbox, tmp_path: Path) -> None:
    function = _function(tmp_path / "task", "def handler(event, context):\n    return {}['absent']\n")

    with pytest.raises(FunctionFailedError, match=r"greet: KeyError: 'absent'[\s\S]*greet.py"):
        _answer(sandbox, function)


@pytest.mark.parametrize("package", ["pytest", "pydantic"])
def test_a_package_that_no_layer_has_cannot_be_imported(
    sandbox: Sandbox, tmp_path: Path, package: str
) -> None:
    function = _function(tmp_path / "task", f"import {package}\ndef handler(event, context): ...\n")
    bare = replace(sandbox, layers=())

    with pytest.raises(FunctionFailedError, match=f"No module named '{package}'"):
        _answer(bare, function)
    with pytest.raises(FunctionFailedError, match=f"No module named '{package}'"):
        bare.modules("greet.handler", function.code)
