"""A harness around the local system, whose clock is set right again afterwards."""

import time
from collections.abc import Iterator

import pytest

from faults.harness import Harness
from local.stack import LocalStack


@pytest.fixture
def harness(running_stack: LocalStack) -> Iterator[Harness]:
    """A harness that has recorded nothing yet."""
    with Harness.of(running_stack) as made:
        yield made
    running_stack.reset()
    running_stack.clock.set(time.time())
