"""The template as SAM translates it, and stubs of the local system's functions."""

import pytest

from local.aws.template import translate
from local.system import ROOT, LocalSystem
from tests.infrastructure.arrange import Stub
from tests.infrastructure.views import Template


@pytest.fixture(scope="session")
def template() -> Template:
    """The template in plain CloudFormation."""
    return Template(translate(ROOT / "template.yaml", {}))


@pytest.fixture
def receive_webhook(system: LocalSystem) -> Stub:
    """A stub of the function of this name."""
    return _stub(system, "receive_webhook")


@pytest.fixture
def connect_rillet(system: LocalSystem) -> Stub:
    """A stub of the function of this name."""
    return _stub(system, "connect_rillet")


@pytest.fixture
def export_invoice(system: LocalSystem) -> Stub:
    """A stub of the function of this name."""
    return _stub(system, "export_invoice")


def _stub(system: LocalSystem, workflow: str) -> Stub:
    stub = Stub()
    system.runtime.replace(workflow, stub.build)
    return stub
