"""The schedule's sweep of all connections: one message for each, with its own time and its own failure."""

import json
from typing import Any, NoReturn

import pytest

from local.system import LocalSystem
from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.connection_list import LIST_TTL_SECONDS
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.workflows.sweep.documents import DocumentScan
from tests.integration.sweep.support import Silent, silent

NAMES = ["acme", "globex", "initech"]


@pytest.fixture
def three(system: LocalSystem) -> list[Silent]:
    return [silent(system, name) for name in NAMES]


def calls(system: LocalSystem, action: str) -> int:
    """How often the sweep called an action of AWS."""
    return system.aws.permissions.counted[f"{system.deployment.stack}-sweep", action]


def test_the_schedule_hands_each_connection_to_the_queue_and_sweeps_none(
    system: LocalSystem, three: list[Silent]
) -> None:
    answer = system.invoke("sweep", {})

    queued = [json.loads(body) for body in system.pollers.queues["sweep"].bodies()]
    assert answer == {"summary": {"connections": 3, "queued": 3}, "queued": NAMES}
    assert [message["connection"] for message in queued] == NAMES
    assert len(system.solvimon.state.calls) == len(system.rillet.state.calls) == 0


def test_every_connection_is_swept_from_the_queue(system: LocalSystem, three: list[Silent]) -> None:
    for connection in three:
        connection.finalise("invo_a")

    system.invoke("sweep", {})
    system.settle()

    assert [connection.state_of() for connection in three] == ["exported"] * 3


def test_one_connection_that_raises_an_unexpected_error_hurts_no_other(
    system: LocalSystem,
    three: list[Silent],
    monkeypatch: pytest.MonkeyPatch,
    counted: list[tuple[str, str, float]],
) -> None:
    for connection in three:
        connection.finalise("invo_a")
    scan = DocumentScan.run

    def fail_for_one(self: DocumentScan, *more: Any) -> None:
        if self._connection.name == "globex":
            raise KeyError("here")
        scan(self, *more)

    monkeypatch.setattr(DocumentScan, "run", fail_for_one)
    system.invoke("sweep", {})
    system.settle()

    assert [connection.state_of() for connection in three] == ["exported", "", "exported"]
    assert {name for metric, name, _ in counted if metric == "SweepFailed"} == {"globex"}
    assert system.pollers.queues["sweep"].depth().total == 0


def test_the_list_of_connections_costs_one_read(system: LocalSystem, three: list[Silent]) -> None:
    system.invoke("sweep", {})
    system.advance(900)
    system.aws.permissions.counted.clear()

    system.invoke("sweep", {})

    assert calls(system, "dynamodb:GetItem") == 1
    assert calls(system, "ssm:GetParametersByPath") == 0


def test_a_new_connection_is_in_the_list_within_an_hour(system: LocalSystem, three: list[Silent]) -> None:
    system.invoke("sweep", {})
    silent(system, "hooli")
    system.advance(LIST_TTL_SECONDS)

    assert "hooli" in system.invoke("sweep", {})["queued"]


def test_an_outage_of_parameter_store_leaves_the_last_list(
    system: LocalSystem, three: list[Silent], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Configuration) -> NoReturn:
        raise RetryLater("The list of connections cannot be read.")

    system.invoke("sweep", {})
    system.advance(LIST_TTL_SECONDS)
    monkeypatch.setattr(Configuration, "connections", refuse)

    assert system.invoke("sweep", {})["queued"] == NAMES


def test_a_connection_that_was_removed_is_no_failure_of_the_schedule(
    system: LocalSystem, three: list[Silent], counted: list[tuple[str, str, float]]
) -> None:
    system.invoke("sweep", {})
    system.aws.ssm.delete_parameter(Name=f"/{system.deployment.stack}/globex/settings")
    system.settle()

    assert "SweepFailed" not in [name for name, *_ in counted]


def test_a_message_that_waited_until_a_later_sweep_began_has_nothing_left_to_do(system: LocalSystem) -> None:
    connection = silent(system)
    system.invoke("sweep", {})
    system.advance(900)
    connection.sweep()
    calls_before = len(system.solvimon.state.calls)

    system.deliver("sweep")

    assert len(system.solvimon.state.calls) == calls_before


def test_a_message_that_cannot_be_read_is_set_aside_and_the_others_are_swept(system: LocalSystem) -> None:
    connection = silent(system)
    connection.finalise("invo_a")
    url = system.deployment.queues["sweep"].url
    for body in ("{}", '{"connection": "no name", "asked_at": 1}', "text"):
        system.aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    system.invoke("sweep", {})
    for _ in range(6):
        system.settle()
        system.advance(1800)

    assert connection.state_of() == "exported"
    assert system.pollers.dead_letters["sweep"].depth().total == 3


@pytest.mark.slow
def test_after_a_quiet_day_a_connection_is_swept_as_seldom_as_its_setting_says(system: LocalSystem) -> None:
    connection = silent(system, sweep={"quiet_minutes": 60})
    swept = []
    for _ in range(24 * 4 + 8):
        before = len(system.solvimon.state.calls)
        system.invoke("sweep", {})
        system.deliver("sweep")
        swept.append(len(system.solvimon.state.calls) > before)
        system.advance(900)

    assert all(swept[: 24 * 4])
    assert sum(swept[24 * 4 :]) == 2, "every hour of two hours"
    connection.finalise("invo_new")
    assert connection.swept() == {"invoices": 1}, "a person's own sweep always runs"
