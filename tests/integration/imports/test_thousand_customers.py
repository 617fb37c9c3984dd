"""What an import costs: one Rillet call for a hundred rows, and no Solvimon write for what is the same."""

import pytest

from local.system import LocalSystem
from tests.integration.imports.support import (
    connect,
    counts,
    customers,
    edit,
    forget_calls,
    in_solvimon,
    listings,
    run,
    writes,
)

pytestmark = pytest.mark.slow


def again(system: LocalSystem) -> tuple[str, int, int]:
    """Import once more: what it says, the calls to Rillet, and the writes to Solvimon."""
    forget_calls(system)
    answer = run(system)
    return answer["summary"], listings(system), len(writes(system))


def test_a_thousand_customers_cost_ten_rillet_calls_and_a_write_each_and_the_second_time_none(
    system: LocalSystem,
) -> None:
    connection = connect(system, customers=customers(1000))

    first = run(system)

    assert first["summary"] == (
        "seen 1,000, created 1,000, updated 0, unchanged 0, failed 0, Rillet calls 10"
    )
    assert listings(system) == 10
    assert len(in_solvimon(connection)) == 1000
    assert first["solvimon_writes"] == len(writes(system)) == 1001  # with the custom field

    summary, calls, written = again(system)

    assert summary == "seen 1,000, created 0, updated 0, unchanged 1,000, failed 0, Rillet calls 10"
    assert (calls, written) == (10, 0)
    assert [call.path for call in system.solvimon.state.calls] == ["/v1/custom-fields"]

    for number in (3, 333, 999):
        edit(connection, number, name=f"Renamed {number}")
    summary, calls, written = again(system)

    assert summary == "seen 1,000, created 0, updated 3, unchanged 997, failed 0, Rillet calls 10"
    assert (calls, written) == (10, 3)
    names = {record["organization"]["legal_name"] for record in in_solvimon(connection)}
    assert names >= {"Renamed 3", "Renamed 333", "Renamed 999"}


def test_the_steps_are_pages_and_their_results_stay_small(system: LocalSystem) -> None:
    connect(system, customers=customers(250))

    answer = run(system)

    [execution] = system.runtime.executions
    steps = [operation for operation in execution.operations if operation.step_details]
    assert [step.name for step in steps] == ["begin", "page 1", "page 2", "page 3", "finish"]
    assert max(len(step.step_details.result or "") for step in steps if step.step_details) < 4000
    assert counts(answer) == {"created": 250}


def test_an_import_takes_turns_with_others_and_waits_instead_of_being_refused(system: LocalSystem) -> None:
    connect(system, customers=customers(40))
    system.rillet.state.rate_limit = 5
    settings = system.connections["default"].settings
    pacing = {"requests": 5, "window_seconds": 60, "margin_seconds": 0}
    system.put_settings("default", {**settings, "rillet": {**settings["rillet"], "pacing": pacing}})
    begun = system.clock.now()

    answers = [run(system) for _ in range(5)]

    assert [answer["rillet_calls"] for answer in answers] == [1] * 5
    assert not [call for call in system.rillet.state.calls if call.status == 429]
    assert system.clock.now() - begun > 6
    waits = [o.name or "" for e in system.runtime.executions for o in e.operations if o.wait_details]
    assert waits
    assert all(name.startswith("page 1: Rillet's rate limit is used up") for name in waits)
