"""Execution environments: what a function is given, and how long its environment lives."""

import pytest

from local.aws.runtime import Killed
from local.system import LocalSystem
from tests.infrastructure.arrange import Stub, raising

NAME = "export_invoice"


def test_the_context_knows_the_function_and_its_time(system: LocalSystem, export_invoice: Stub) -> None:
    system.invoke(NAME, {"invoice_ids": ["invo_1"]})

    [context] = export_invoice.contexts
    assert context.function_name == "solvimon-rillet-export-invoice"
    assert context.invoked_function_arn.endswith(":function:solvimon-rillet-export-invoice")
    assert context.memory_limit_in_mb == 512
    assert 59_000 < context.get_remaining_time_in_millis() <= 60_000
    assert context.aws_request_id


def test_an_environment_is_kept_for_the_next_event_and_dropped_when_the_function_dies(
    system: LocalSystem, export_invoice: Stub
) -> None:
    system.invoke(NAME, {})
    system.invoke(NAME, {})
    warm = len(export_invoice.environments)
    export_invoice.behaviour = raising(Killed())

    with pytest.raises(Killed):
        system.invoke(NAME, {})
    export_invoice.behaviour = lambda event, context: {}
    system.invoke(NAME, {})

    assert warm == 1
    assert len(export_invoice.environments) == 2


def test_functions_use_the_clock_of_the_local_system(system: LocalSystem, export_invoice: Stub) -> None:
    system.invoke(NAME, {})
    [clock] = export_invoice.clocks
    before = clock()

    system.advance(3600)

    assert clock() == pytest.approx(before + 3600, abs=5)
