"""The nightly reconciliation of all connections: one durable execution for each."""

from typing import Any

import pytest

from local.demo import second_connection
from local.system import Connection, LocalSystem
from solvimon_rillet.aws.durable_executions import DurableExecutions
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.workflows.durable.steps import Done
from solvimon_rillet.workflows.reconcile.fan_out import STARTED_AT_ONCE, FanOut, execution_name
from tests.support.arrange import ledger_table

pytestmark = pytest.mark.slow

Json = dict[str, Any]


@pytest.fixture
def two(system: LocalSystem, default: Connection) -> LocalSystem:
    """The system with the connection ``default`` and a second one."""
    system.connect(
        second_connection.NAME,
        settings={"fallback_products": second_connection.acme_fallback_products()},
        solvimon=second_connection.acme_solvimon_seed(),
        rillet=second_connection.acme_rillet_seed(),
    )
    return system


def results(system: LocalSystem) -> dict[str, Json]:
    """The answers of the executions of a connection, by its name."""
    system.lambda_api.wait()
    answers = [execution.result.result() for execution in system.runtime.durable_executions.all()]
    return {answer["connection"]: answer for answer in answers if "connection" in answer}


def children(system: LocalSystem) -> list[str]:
    system.lambda_api.wait()
    names = [execution.name for execution in system.runtime.durable_executions.all()]
    return [name for name in names if name.startswith(("default-", second_connection.NAME))]


def test_all_connections_are_compared_each_on_its_own(two: LocalSystem) -> None:
    two.put_secret("default", "solvimon", {"api_key": "wrong"})
    two.runtime.reset()

    answer = two.invoke("reconcile", {})

    by_name = results(two)
    assert (answer["started"], answer["already_started"]) == (2, [])
    assert by_name.keys() == {"default", second_connection.NAME}
    assert "Solvimon" in by_name["default"]["error"]
    assert by_name[second_connection.NAME]["tied_out"] is True
    assert f"/{second_connection.NAME}/" in by_name[second_connection.NAME]["report"]["html"]


def test_a_second_start_in_the_same_night_is_harmless(two: LocalSystem) -> None:
    two.invoke("reconcile", {})
    first = children(two)

    two.invoke("reconcile", {})

    assert len(first) == 2
    assert children(two) == first


def test_the_next_night_starts_all_again(two: LocalSystem) -> None:
    two.invoke("reconcile", {})
    two.lambda_api.wait()
    two.advance(86_400)

    two.invoke("reconcile", {})

    assert len(set(children(two))) == 4


def test_what_is_asked_for_all_is_asked_for_each(two: LocalSystem) -> None:
    two.invoke("reconcile", {"from": "2026-01-01", "to": "2026-01-31"})

    assert {(one["from"], one["to"]) for one in results(two).values()} == {("2026-01-01", "2026-01-31")}


def test_an_unexpected_error_of_one_connection_hurts_no_other(
    two: LocalSystem, counted: list[tuple[str, str, float]]
) -> None:
    two.put_secret("default", "rillet", {"auth": "api_key", "api_key": "revoked"})
    two.runtime.reset()

    two.invoke("reconcile", {})

    by_name = results(two)
    assert by_name[second_connection.NAME]["tied_out"] is True
    assert {name for metric, name, _ in counted if metric == "ReconciliationFailed"} == {"default"}


def test_a_list_that_cannot_be_read_is_counted_for_the_alarm(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, counted: list[tuple[str, str, float]]
) -> None:
    def refuse(*_: object) -> None:
        raise RetryLater("The list of connections cannot be read.", after=900)

    monkeypatch.setattr("solvimon_rillet.connections.connection_list.ConnectionList.names", refuse)

    answer = system.invoke("reconcile", {})

    assert "error" in answer
    assert counted.count(("ReconciliationFailed", "all", 1)) == 1


def test_lambda_that_takes_no_more_is_asked_again_later(
    two: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, calls = DurableExecutions.start, list[str]()

    def refuse_once(self: DurableExecutions, name: str, event: Json) -> bool:
        calls.append(name)
        if len(calls) == 2:
            raise RetryLater("Lambda does not start it (TooManyRequestsException).")
        return start(self, name, event)

    monkeypatch.setattr(DurableExecutions, "start", refuse_once)

    two.invoke("reconcile", {})

    assert len(results(two)) == 2


def test_an_execution_that_an_earlier_version_began_goes_on_as_it_began(
    two: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = Done({"connections": ["default", second_connection.NAME]})
    monkeypatch.setattr(FanOut, "connections", lambda _: earlier)

    answer = two.invoke("reconcile", {})

    assert [one["connection"] for one in answer["connections"]] == ["default", second_connection.NAME]
    assert len(two.runtime.durable_executions.all()) == 1


def test_many_connections_are_started_some_at_a_time(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"company-{number:04}" for number in range(STARTED_AT_ONCE * 2 + 1)]
    listed = {"names": names, "read_at": int(system.clock.now())}
    ledger_table(system).put("(deployment)#connections", listed)
    started: list[tuple[float, Json]] = []

    def start(_: DurableExecutions, _name: str, event: Json) -> bool:
        started.append((system.clock.now(), event))
        return True

    monkeypatch.setattr(DurableExecutions, "start", start)

    answer = system.invoke("reconcile", {})

    assert answer["started"] == len(names)
    assert [event["connection"] for _, event in started] == names
    assert started[-1][0] - started[0][0] >= 120


@pytest.mark.parametrize("connection", ["a", "x" * 32])
def test_the_name_of_an_execution_is_one_that_lambda_takes(connection: str) -> None:
    name = execution_name("solvimon-rillet-reconcile", {"connection": connection}, "2026-11-29")
    other_stack = execution_name("another-reconcile", {"connection": connection}, "2026-11-29")

    assert len(name) <= 64
    assert name.replace("-", "").isalnum()
    assert name != other_stack, "names are unique in an account"
