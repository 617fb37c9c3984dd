"""The steps of a reconciliation, in order, as an execution of an earlier version has checkpointed them."""

import pytest

from solvimon_rillet.http.client import CountingRateLimiter
from solvimon_rillet.workflows.durable.steps import Json
from solvimon_rillet.workflows.reconcile.fan_out import FanOut
from solvimon_rillet.workflows.reconcile.request import ReconcileRequest
from solvimon_rillet.workflows.reconcile.steps import ReconcileServices, ReconcileSteps
from solvimon_rillet.workflows.reconcile.workflow import Reconciliation
from tests.unit.workflows.test_durable_steps import RecordedSteps

START: Json = {
    "rillet_calls": 1,
    "from": "2026-10-01",
    "to": "2026-10-31",
    "since": "2026-09-30T00:00:00Z",
    "made_at": "2026-11-01T08:00:00Z",
    "subsidiaries": {"s1": "Tideway B.V."},
}
STEPS: list[tuple[str, Json]] = [
    ("begin", START),
    (
        "Solvimon's documents, page 1",
        {"rillet_calls": 0, "documents": 100, "more": True, "earliest": "2026-09-01T00:00:00Z"},
    ),
    ("Solvimon's documents, page 2", {"rillet_calls": 0, "documents": 1, "more": False}),
    ("Rillet's invoices, page 1", {"rillet_calls": 1, "rows": 100, "first": "i1", "cursor": "2"}),
    ("Rillet's invoices, page 2", {"rillet_calls": 1, "rows": 1, "first": "i101", "cursor": None}),
    ("Rillet's credit-memos, page 1", {"rillet_calls": 1, "rows": 0, "first": "page 1", "cursor": None}),
    ("absent, page 1", {"rillet_calls": 2, "asked": 2, "more": False}),
    ("products, page 1", {"rillet_calls": 0, "unready": 0, "more": False}),
    ("billing-entities, page 1", {"rillet_calls": 0, "unready": 0, "more": False}),
    ("customers, page 1", {"rillet_calls": 0, "unready": 1, "more": False}),
]


def replay(request: Json, history: list[tuple[str, Json]]) -> Json:
    """Replay an execution without running any work."""

    def connect() -> tuple[ReconcileServices, CountingRateLimiter]:
        pytest.fail("a replay runs no work")

    def steps_of(connection: str) -> ReconcileSteps:
        return ReconcileSteps(connection, read, "run", connect, lambda *_: None)

    read, steps = ReconcileRequest.model_validate(request), RecordedSteps([*history])
    fan_out = FanOut(read, list, lambda: pytest.fail("a replay starts nothing"), lambda: 0.0)
    answer = Reconciliation(read, steps, fan_out, steps_of).run()
    assert steps.position == len(history)
    return answer


def test_a_reconciliation_of_an_earlier_version_is_replayed_to_its_answer() -> None:
    report: Json = {"rillet_calls": 0, "tied_out": True, "differences": 0, "documents": 101}

    answer = replay({"connection": "default"}, [*STEPS, ("report", report)])

    assert answer == {**report, "rillet_calls": 6, "connection": "default"}


def test_a_connection_that_stops_does_not_stop_another() -> None:
    stop: Json = {"rillet_calls": 1, "stop": {"what": "Rillet refuses the credential.", "remedy": "Fix it."}}
    report: Json = {"rillet_calls": 0, "tied_out": True}
    good = [(f"good: {name}", result) for name, result in (*STEPS, ("report", report))]
    connections: Json = {"connections": ["broken", "good"]}

    answer = replay(
        {}, [("connections", connections), ("broken: begin", stop), ("broken: failed", {}), *good]
    )

    assert answer == {
        "tied_out": False,
        "connections": [
            {
                "tied_out": False,
                "error": "Rillet refuses the credential.",
                "remedy": "Fix it.",
                "rillet_calls": 1,
                "connection": "broken",
            },
            {"tied_out": True, "rillet_calls": 6, "connection": "good"},
        ],
    }
