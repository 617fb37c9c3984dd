"""The local system as a fixture: started once for a test process, reset for each test.

Hypothesis draws the same examples in every run, so that only a change can alter a result; more of them with
``HYPOTHESIS_PROFILE=thorough``, and new ones with ``search``. A busy machine is no reason to fail.
"""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local.http_in_process import http_in_process
from local.system import Connection, LocalSystem
from tests.support.arrange import connect_demo
from tests.support.least_privilege import (
    note,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]


_STEADY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", _STEADY, derandomize=True, database=None)
settings.register_profile("thorough", _STEADY, derandomize=True, database=None)
settings.register_profile("search", _STEADY)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


# Python's collector walks through every module and collected test again and again: a fifth of a run.
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that wait for a browser: at the end, one worker would run them alone."""
    items.sort(key=lambda item: "panel_browser" not in item.path.parts)


def pytest_collection_finish() -> None:
    """Leave what is there for good out of all later collections, which may come less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 100)
    gc.enable()


@pytest.fixture(scope="session")
def running_system() -> Iterator[LocalSystem]:
    """The local system, started; its vendors and its gateway are called without sockets."""
    with LocalSystem(quiet=True) as system, http_in_process(system):
        yield system
        note(system)


@pytest.fixture
def system(running_system: LocalSystem) -> Iterator[LocalSystem]:
    """The local system as new."""
    running_system.reset()
    yield running_system
    running_system.stop_workers()


@pytest.fixture
def default(system: LocalSystem) -> Connection:
    """The connection ``default``; both sides hold the demo's records."""
    return connect_demo(system)
