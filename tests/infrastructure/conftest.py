"""The template as SAM translates it, and stand-ins for the functions of the local stack."""

import pytest

from local.cloud.template import translate
from local.stack import ROOT, LocalStack
from tests.infrastructure.stubs import Stub
from tests.infrastructure.views import Template


@pytest.fixture(scope="session")
def template() -> Template:
    """The template in plain CloudFormation."""
    return Template(translate(ROOT / "template.yaml", {}))


@pytest.fixture
def receive_webhook(stack: LocalStack) -> Stub:
    """What stands in for the function of this name."""
    return _stand_in(stack, "receive_webhook")


@pytest.fixture
def connect_rillet(stack: LocalStack) -> Stub:
    """What stands in for the function of this name."""
    return _stand_in(stack, "connect_rillet")


@pytest.fixture
def export_invoice(stack: LocalStack) -> Stub:
    """What stands in for the function of this name."""
    return _stand_in(stack, "export_invoice")


def _stand_in(stack: LocalStack, workflow: str) -> Stub:
    stub = Stub()
    stack.runtime.replace(workflow, stub.build)
    return stub
