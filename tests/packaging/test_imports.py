"""What a function does not need it does not import; each is imported in a clean process with its layers."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.packaging.conftest import FUNCTIONS
from tests.packaging.process import Sandbox

pytestmark = pytest.mark.slow

DURABLE = "aws_durable_execution_sdk_python"
EXPORTS = ("export_invoice", "export_credit_memo", "sync_customer", "mark_invoice_paid")
IMPORTS = ("import_customers", "import_products", "import_subsidiaries")
SELDOM = (
    "authlib",
    "jinja2",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.parser",
)
LATER = {
    "receive_webhook": (*SELDOM, "requests", "pydantic", DURABLE, "solvimon_rillet.settings"),
    "connect_rillet": (*SELDOM, DURABLE, "solvimon_rillet.reconciliation"),
    "configure": (*SELDOM, DURABLE, "solvimon_rillet.reconciliation"),
    "link_records": (*SELDOM, DURABLE, "solvimon_rillet.reconciliation"),
    "sync_status": (*SELDOM, "requests", DURABLE, "solvimon_rillet.workflows.status.manual_resolution"),
    "panel": ("authlib", "jinja2", DURABLE, "requests", "solvimon_rillet.workflows"),
    "sweep": (*SELDOM, DURABLE, "solvimon_rillet.reconciliation"),
    "reconcile": (*SELDOM, "solvimon_rillet.workflows.imports.steps"),
    **dict.fromkeys(EXPORTS, (*SELDOM, DURABLE, "requests", "solvimon_rillet.workflows.export.redrive")),
    **dict.fromkeys(IMPORTS, (*SELDOM, "solvimon_rillet.reconciliation")),
}
"""What is not there yet after a handler was imported, by function."""
Loaded = Callable[[str], dict[str, str]]
_SHARED = {"outcome", "requested_by"}


@pytest.fixture(scope="session")
def loaded(sandbox: Sandbox) -> Loaded:
    """The modules that a function's handler brings with it, each with its file."""
    return cache(lambda name: sandbox.modules(f"{name}.handler", FUNCTIONS[name]))


@pytest.fixture(params=sorted(FUNCTIONS))
def function(request: pytest.FixtureRequest) -> str:
    """The name of each function in turn."""
    name: str = request.param
    return name


def test_a_handler_finds_all_it_imports_in_its_artefact_the_layers_and_lambdas_runtime(
    sandbox: Sandbox, loaded: Loaded, function: str
) -> None:
    files = loaded(function).values()

    assert len([file for file in files if file.startswith("/")]) > 100
    assert sandbox.unavailable(FUNCTIONS[function], files) == []


def test_a_handler_imports_nothing_that_it_needs_only_later_or_never(loaded: Loaded, function: str) -> None:
    modules = loaded(function)

    assert function in modules
    early = [name for name in LATER[function] if any(f"{each}.".startswith(f"{name}.") for each in modules)]
    assert early == []


@pytest.mark.parametrize("function", ["receive_webhook", *EXPORTS])
def test_a_handler_imports_no_workflow_but_its_own(loaded: Loaded, function: str) -> None:
    prefix = "solvimon_rillet.workflows."

    workflows = {name.removeprefix(prefix) for name in loaded(function) if name.startswith(prefix)}

    assert workflows <= {function, *_SHARED}
