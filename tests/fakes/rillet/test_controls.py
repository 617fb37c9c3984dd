"""The Rillet fake's own controls: faults, seeds and counts."""

from typing import Any

import pytest

from tests.fakes.rillet.support import Rillet


def test_faults_are_put_in_force_and_removed(rillet: Rillet) -> None:
    rillet.state.misbehave("status", "GET", "/customers", times=2, status=500)

    shown = rillet.state.faults.describe()
    status = rillet.get("/customers").status_code
    rillet.state.behave()

    assert shown == [{"kind": "status", "method": "GET", "path": "/customers", "remaining": 2}]
    assert status == 500
    assert rillet.get("/customers").status_code == 200


def test_a_fault_or_a_switch_that_does_not_exist_is_refused(rillet: Rillet) -> None:
    wrong: Any = "explode"
    with pytest.raises(ValueError, match="explode"):
        rillet.state.misbehave(wrong)
    with pytest.raises(ValueError, match="colour"):
        rillet.state.load({"organization": {"switches": {"colour": "blue"}}})


def test_the_rate_limit_can_be_changed_and_refusals_are_counted(rillet: Rillet) -> None:
    rillet.state.rate_limit, rillet.state.rate_window = 1, 10

    statuses = [rillet.get("/api-key").status_code for _ in range(2)]

    counts = rillet.organisation.counts
    assert statuses == [200, 429]
    assert (counts.calls, counts.refused, counts.replays) == (2, 1, 0)


def test_a_reset_removes_everything(rillet: Rillet) -> None:
    rillet.state.misbehave("down")

    rillet.state.reset()

    assert rillet.get("/customers").status_code == 401


def test_a_load_for_a_known_organisation_adds_to_it(rillet: Rillet) -> None:
    seed = {
        "organization": {"id": rillet.organisation.id, "switches": {"full_scope_number": "kept"}},
        "customers": [{"name": "Carol"}],
    }

    rillet.state.load(seed)

    assert len(rillet.organisation.customers) == 2
    assert len(rillet.organisation.subsidiaries) == 2
    assert rillet.organisation.switches.full_scope_number == "kept"
