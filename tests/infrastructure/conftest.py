"""The template as SAM translates it, and stand-ins for the functions of the local stack."""

import pytest

from local.aws.template import translate
from local.system import ROOT, LocalSystem
from tests.infrastructure.stubs import Stub
from tests.infrastructure.views import Template


@pytest.fixture(scope="session")
def template() -> Template:
    """The template in plain CloudFormation."""
    return Template(translate(ROOT / "template.yaml", {}))


@pytest.fixture
def receive_webhook(system: LocalSystem) -> Stub:
    """What stands in for the function of this name."""
    return _stand_in(system, "receive_webhook")


@pytest.fixture
def connect_rillet(system: LocalSystem) -> Stub:
    """What stands in for the function of this name."""
    return _stand_in(system, "connect_rillet")


@pytest.fixture
def export_invoice(system: LocalSystem) -> Stub:
    """What stands in for the function of this name."""
    return _stand_in(system, "export_invoice")


def _stand_in(system: LocalSystem, workflow: str) -> Stub:
    stub = Stub()
    system.runtime.replace(workflow, stub.build)
    return stub
