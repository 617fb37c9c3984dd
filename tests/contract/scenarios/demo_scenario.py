"""The demo, with its output thrown away."""

import io

from local.demo import story
from local.demo.screen import Screen
from local.system import LocalSystem
from tests.contract.scenarios.setup import expect


def run(system: LocalSystem) -> None:
    """Run the demo."""
    outcome = story.tell(system, Screen(io.StringIO()))
    expect(outcome.problems, (), "the demo")
