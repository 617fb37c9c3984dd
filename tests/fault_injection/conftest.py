"""A harness around the local system, whose clock is set right again afterwards."""

import time
from collections.abc import Iterator

import pytest

from local.system import LocalSystem
from tests.fault_injection.harness import Harness


@pytest.fixture
def harness(running_system: LocalSystem) -> Iterator[Harness]:
    """A harness that has recorded nothing yet."""
    with Harness.of(running_system) as made:
        yield made
    running_system.reset()
    running_system.clock.set(time.time())
