"""Lists, messages and names: what hands a thousand connections to AWS's own engine."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from solvimon_rillet.aws.durable_executions import DurableExecutions
from solvimon_rillet.aws.sqs import Queue
from solvimon_rillet.connections.connection_list import ConnectionList
from solvimon_rillet.entrypoints.sweep_queue import fan_out, sweep_messages
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.workflows.durable.steps import Done, Json, Wait
from solvimon_rillet.workflows.reconcile.fan_out import FanOut, execution_name
from solvimon_rillet.workflows.reconcile.request import ReconcileRequest
from solvimon_rillet.workflows.reconcile.workflow import Reconciliation
from solvimon_rillet.workflows.sweep.base import ScanResult
from tests.support.memory_table import MemoryTable

NOW = 1_796_000_000.0
NAMES = [f"company-{number:02}" for number in range(45)]


class Sqs:
    """SQS, which refuses some messages once."""

    def __init__(self, refused: int = 0) -> None:
        self.entries: list[Json] = []
        self.requests = 0
        self._refused = refused

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Json]) -> Json:
        assert len(Entries) <= 10
        self.requests += 1
        failed, self._refused = Entries[: self._refused], 0
        self.entries += [entry for entry in Entries if entry not in failed]
        return {"Failed": [{"Id": entry["Id"]} for entry in failed]}


class Lambda:
    """Lambda, which knows names that have begun."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[Json] = []
        self.error = error

    def invoke(self, **call: Any) -> Json:
        if self.error:
            raise self.error
        if any(call["DurableExecutionName"] == earlier["DurableExecutionName"] for earlier in self.calls):
            raise client_error("DurableExecutionAlreadyStartedException")
        self.calls.append(call)
        return {}


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Invoke")


class Steps:
    """Runs steps at once."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        self.done.append(name)
        return work()

    def wait(self, name: str, seconds: int) -> None:
        self.done.append(f"{seconds} s")


def record(body: str, number: int = 0) -> Json:
    return {"messageId": f"m{number}", "body": body}


def test_each_connection_is_one_message_of_its_own_group_with_the_time_of_the_schedule() -> None:
    sqs = Sqs(refused=3)

    answer = fan_out(NAMES, Queue("url", sqs, lambda: NOW, lambda _: None), NOW + 0.9)  # type: ignore[arg-type]

    bodies = [json.loads(entry["MessageBody"]) for entry in sqs.entries]
    assert sorted(body["connection"] for body in bodies) == NAMES
    assert {body["asked_at"] for body in bodies} == {int(NOW)}
    assert [entry["MessageGroupId"] for entry in sqs.entries] == [body["connection"] for body in bodies]
    assert answer["summary"] == {"connections": 45, "queued": 45}
    assert answer["queued"] == NAMES
    assert sqs.requests == 6, "ten messages a request, and what was refused once more"


def test_a_batch_sweeps_each_connection_once_by_its_latest_message() -> None:
    swept: list[tuple[str, float]] = []
    bodies = [("acme", 5), ("globex", 6), ("acme", 9), ("acme", 7)]
    records = [
        record(json.dumps({"connection": name, "asked_at": at}), number)
        for number, (name, at) in enumerate(bodies)
    ]

    def sweep(name: str, asked_at: float) -> ScanResult:
        swept.append((name, asked_at))
        return ScanResult(name)

    answer = sweep_messages(records, sweep)

    assert sorted(swept) == [("acme", 9.0), ("globex", 6.0)]
    assert answer == {"batchItemFailures": []}


@pytest.mark.parametrize(
    "body", ["", "text", "[]", "{}", '{"connection": "a b", "asked_at": 1}', '{"connection": "acme"}']
)
def test_a_message_that_cannot_be_read_fails_alone(body: str) -> None:
    swept: list[str] = []
    good = record('{"connection": "acme", "asked_at": 1}', 1)

    def sweep(name: str, _: float) -> ScanResult:
        swept.append(name)
        return ScanResult(name)

    answer = sweep_messages([record(body), good], sweep)

    assert swept == ["acme"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def test_an_empty_batch_is_no_failure() -> None:
    assert sweep_messages([], lambda name, _: ScanResult(name)) == {"batchItemFailures": []}


def test_a_process_that_dies_in_a_sweep_leaves_its_messages_on_the_queue() -> None:
    with pytest.raises(SystemExit):
        sweep_messages([record('{"connection": "acme", "asked_at": 1}')], Mock(side_effect=SystemExit))


def test_the_list_is_read_from_parameter_store_once_an_hour_and_costs_one_read_otherwise() -> None:
    table, read, now = MemoryTable(), Mock(return_value=["acme", "globex"]), [NOW]
    names = ConnectionList(table, read, lambda: now[0])
    seen = []
    for seconds in (0, 1800, 1799, 1, 3599, 1):
        now[0] += seconds
        names.names()
        seen.append(read.call_count)

    assert seen == [1, 1, 1, 2, 2, 3]
    assert table.reads == ["(deployment)#connections"] * 6


def test_an_empty_list_is_read_again_each_time() -> None:
    read = Mock(return_value=[])
    names = ConnectionList(MemoryTable(), read, lambda: NOW)

    assert (names.names(), names.names()) == ([], [])
    assert read.call_count == 2


def test_an_older_list_stands_in_for_parameter_store_and_without_one_the_error_does() -> None:
    down, now = RetryLater("Parameter Store does not answer."), [NOW]
    read = Mock(side_effect=[down, ["acme", "globex"], down])
    names = ConnectionList(MemoryTable(), read, lambda: now[0])
    with pytest.raises(RetryLater):
        names.names()
    names.names()
    now[0] = NOW + 7200

    assert names.names() == ["acme", "globex"]


def reconcile_all(client: Lambda, steps: Steps | None = None, **request: object) -> Json:
    executions = DurableExecutions("f", client)  # type: ignore[arg-type]
    asked = ReconcileRequest.model_validate(request)
    fan = FanOut(asked, lambda: NAMES, lambda: executions, lambda: NOW)

    none = Mock(side_effect=AssertionError("the schedule's run reconciles nothing itself"))
    return Reconciliation(asked, steps or Steps(), fan, none).run()


def test_twenty_executions_are_started_a_minute_each_once_and_asynchronously() -> None:
    client, steps = Lambda(), Steps()

    answer = reconcile_all(client, steps)

    assert (answer["started"], answer["already_started"], answer["night"]) == (45, [], "2026-11-30")
    assert [json.loads(call["Payload"])["connection"] for call in client.calls] == NAMES
    assert {call["InvocationType"] for call in client.calls} == {"Event"}
    assert {call["FunctionName"] for call in client.calls} == {"f:live"}
    assert len({call["DurableExecutionName"] for call in client.calls}) == 45
    assert steps.done == ["connections", "start 1 to 20", "60 s", "start 21 to 40", "60 s", "start 41 to 45"]


def test_a_second_start_of_the_night_starts_nothing_and_says_so() -> None:
    client = Lambda()
    reconcile_all(client)

    again = reconcile_all(client)

    assert (again["started"], again["already_started"]) == (0, NAMES)
    assert len(client.calls) == 45


def test_what_was_asked_for_all_is_asked_for_each_and_nothing_else() -> None:
    client = Lambda()

    asked = {"from": "2026-10-01", "to": "2026-10-31", "redrive": True}

    reconcile_all(client, None, **asked)

    assert json.loads(client.calls[0]["Payload"]) == {**asked, "connection": NAMES[0]}


def test_a_bare_schedule_asks_for_the_connection_alone() -> None:
    client = Lambda()
    reconcile_all(client)

    assert json.loads(client.calls[0]["Payload"]) == {"connection": NAMES[0]}


@pytest.mark.parametrize(
    "error", [client_error("TooManyRequestsException"), EndpointConnectionError(endpoint_url="x")]
)
def test_lambda_that_does_not_take_it_now_is_asked_again_later(error: Exception) -> None:
    fan = FanOut(
        ReconcileRequest(),
        lambda: NAMES,
        lambda: DurableExecutions("f", Lambda(error)),  # type: ignore[arg-type]
        lambda: NOW,
    )

    assert isinstance(fan.start(NAMES[:2], "2026-11-30"), Wait)


def test_a_list_that_cannot_be_read_now_is_read_again_later() -> None:
    refuse = Mock(side_effect=RetryLater("no", after=7))

    result = FanOut(ReconcileRequest(), refuse, lambda: None, lambda: NOW).connections()  # type: ignore[arg-type, return-value]

    assert result == Wait(7, "no")


def test_the_night_is_fixed_in_a_step() -> None:
    result = FanOut(ReconcileRequest(), lambda: NAMES, lambda: None, lambda: NOW).connections()  # type: ignore[arg-type, return-value]

    assert result == Done({"connections": NAMES, "night": "2026-11-30"})


def test_a_name_depends_on_connection_night_request_and_function_and_on_nothing_else() -> None:
    event = {"connection": "acme", "from": "2026-10-01", "to": "2026-10-31"}
    name = execution_name("f", event, "2026-11-30")

    assert name == execution_name("f", dict(reversed(event.items())), "2026-11-30")
    assert name.startswith("acme-2026-11-30-")
    others = [
        execution_name("g", event, "2026-11-30"),
        execution_name("f", event, "2026-12-01"),
        execution_name("f", {"connection": "acme"}, "2026-11-30"),
        execution_name("f", {**event, "connection": "globex"}, "2026-11-30"),
    ]
    assert len({name, *others}) == 5
    assert max(map(len, [execution_name("f" * 64, {"connection": "x" * 32}, "2026-11-30")])) <= 64
