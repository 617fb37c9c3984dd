"""The demo itself, told to nobody."""

import io

from local.demo import story
from local.demo.screen import Screen
from local.system import LocalSystem
from tests.contract.scenarios.world import expect


def tell(system: LocalSystem) -> None:
    """Tell the demo's story."""
    outcome = story.tell(system, Screen(io.StringIO()))
    expect(outcome.problems, (), "the demo")
