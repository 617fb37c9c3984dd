"""The demo, with its output thrown away."""

import io

from local.demo import script
from local.demo.console import Console
from local.system import LocalSystem
from tests.contract.scenarios.setup import expect


def run(system: LocalSystem) -> None:
    """Run the demo."""
    result = script.run_sections(system, Console(io.StringIO()))
    expect(result.problems, (), "the demo")
