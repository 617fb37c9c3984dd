"""The local system as a fixture: started once for a test process, reset for each test.

Hypothesis draws the same examples in every run, so that a change is judged by itself; with
``HYPOTHESIS_PROFILE=search`` it looks for new ones. A busy machine is no reason to fail.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local import demo_data
from local.stack import Connection, LocalStack
from tests.least_privilege import (
    note,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]


_STEADY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", _STEADY, derandomize=True, database=None)
settings.register_profile("search", _STEADY)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def running_stack() -> Iterator[LocalStack]:
    """The local system, started."""
    with LocalStack(quiet=True) as stack:
        yield stack
        note(stack)


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
