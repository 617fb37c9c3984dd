"""The local system as a fixture: started once for a test process, reset for each test."""

from collections.abc import Iterator

import pytest

from local import demo_data
from local.stack import Connection, LocalStack


@pytest.fixture(scope="session")
def running_stack() -> Iterator[LocalStack]:
    """The local system, started."""
    with LocalStack(quiet=True) as stack:
        yield stack


@pytest.fixture
def stack(running_stack: LocalStack) -> Iterator[LocalStack]:
    """The local system as new."""
    running_stack.reset()
    yield running_stack
    running_stack.stop_workers()


@pytest.fixture
def default(stack: LocalStack) -> Connection:
    """The connection ``default`` in the demo's world."""
    return stack.connect(
        settings={"fallback_products": demo_data.fallback_products()},
        solvimon=demo_data.solvimon_seed(),
        rillet=demo_data.rillet_seed(),
    )
