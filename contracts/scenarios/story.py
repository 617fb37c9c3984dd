"""The demo itself, told to nobody."""

import io

from contracts.scenarios.world import expect
from local.demo import story
from local.demo.screen import Screen
from local.stack import LocalStack


def tell(stack: LocalStack) -> None:
    """Tell the demo's story."""
    outcome = story.tell(stack, Screen(io.StringIO()))
    expect(outcome.problems, (), "the demo")
