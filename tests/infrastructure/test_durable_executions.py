"""Durable executions as on AWS: begun by name, followed, listed, timed out, set aside."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration

from local.aws.server import REGION
from local.system import LocalSystem
from tests.infrastructure.arrange import raising
from tests.infrastructure.lambda_calls import DAY, IMPORT, begin, executions, invoke, set_aside
from tests.support.arrange import connect_demo
from tests.support.assertions import refused


def test_a_durable_function_runs_asynchronously_by_its_alias_and_can_be_followed(system: LocalSystem) -> None:
    connect_demo(system)

    begun = invoke(system, f"{IMPORT}:live", {}, InvocationType="Event", DurableExecutionName="first")
    system.lambda_api.wait()

    arn = begun["DurableExecutionArn"]
    followed = system.aws.lambda_.get_durable_execution(DurableExecutionArn=arn)
    assert begun["StatusCode"] == 202
    assert (followed["Status"], followed["DurableExecutionName"]) == ("SUCCEEDED", "first")
    assert "created" in json.loads(followed["Result"])["summary"]
    assert followed["StartTimestamp"] <= followed["EndTimestamp"]
    [listed] = executions(system, Statuses=["SUCCEEDED"])
    assert listed["DurableExecutionArn"] == arn
    assert executions(system, Statuses=["FAILED"]) == []
    assert executions(system, DurableExecutionName="second") == []


def test_the_same_name_begins_a_durable_execution_once_and_another_input_is_refused(
    system: LocalSystem,
) -> None:
    connect_demo(system)
    by_name = {"InvocationType": "Event", "DurableExecutionName": "nightly"}

    first = invoke(system, f"{IMPORT}:live", {"dry_run": True}, **by_name)
    again = invoke(system, f"{IMPORT}:live", {"dry_run": True}, **by_name)
    with refused("DurableExecutionAlreadyStartedException"):
        invoke(system, f"{IMPORT}:live", {"dry_run": False}, **by_name)

    assert first["DurableExecutionArn"] == again["DurableExecutionArn"]
    assert len(executions(system)) == 1


def test_an_execution_that_failed_is_listed_with_its_error(system: LocalSystem) -> None:
    system.runtime.replace("import_subsidiaries", lambda environment, clock: raising(ValueError("no")))

    followed = begin(system)

    assert followed["Status"] == "FAILED"
    assert followed["Error"]["ErrorMessage"]
    assert [each["Status"] for each in executions(system, Statuses=["FAILED"])] == ["FAILED"]


def test_the_event_of_an_execution_that_failed_goes_to_the_functions_dead_letter_queue(
    system: LocalSystem,
) -> None:
    system.runtime.replace("import_subsidiaries", lambda environment, clock: raising(ValueError("no")))

    begin(system, {"dry_run": True})

    assert set_aside(system) == [({"dry_run": True}, "ValueError: no")]
    system.reset()
    assert set_aside(system) == []


def test_an_event_whose_function_may_not_send_it_to_its_dead_letter_queue_is_lost(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = system.aws.permissions._policies
    without_sending = [each for each in allowed[IMPORT] if each.action != "sqs:SendMessage"]
    monkeypatch.setitem(allowed, IMPORT, without_sending)
    monkeypatch.setattr(system.aws.permissions, "denied", {})
    system.runtime.replace("import_subsidiaries", lambda environment, clock: raising(ValueError("no")))

    followed = begin(system)

    assert followed["Status"] == "FAILED"
    assert set_aside(system) == []


def durable(system: LocalSystem, run: Callable[[object, DurableContext], object]) -> None:
    """Replace the import of subsidiaries by another durable function."""

    def create(environment: dict[str, str], clock: Callable[[], float]) -> Callable[..., Any]:
        handler: Callable[..., Any] = durable_execution(run)
        return handler

    system.runtime.replace("import_subsidiaries", create)


def test_an_execution_past_its_execution_timeout_ends_as_timed_out_and_its_event_is_set_aside(
    system: LocalSystem,
) -> None:
    def run(event: object, context: DurableContext) -> None:
        for _ in range(9):
            context.wait(Duration.from_hours(5))

    durable(system, run)
    began = system.clock.now()

    followed = begin(system, {"dry_run": True})

    assert (followed["Status"], "Result" in followed) == ("TIMED_OUT", False)
    assert 0 <= system.clock.now() - began - DAY < 60
    assert len(executions(system, Statuses=["TIMED_OUT"])) == 1
    assert set_aside(system) == [
        ({"dry_run": True}, "ExecutionTimedOut: The execution timed out after 86400 seconds.")
    ]


def test_an_import_that_timed_out_is_listed_as_one_without_an_end(system: LocalSystem) -> None:
    connect_demo(system)
    system.rillet.state.misbehave("down")
    functions, function = system.runtime.functions, system.runtime.functions["import_subsidiaries"]
    system.runtime.functions = {**functions, "import_subsidiaries": replace(function, execution_timeout=3600)}
    try:
        system.runtime.start("import_subsidiaries", {}).result.exception()
    finally:
        system.runtime.functions = functions

    system.advance(DAY)

    [run] = system.invoke("sync_status", {"runs": True})["without_end"]
    assert run["state"] == "lost"
    assert [each["Status"] for each in executions(system)] == ["TIMED_OUT"]


def test_an_execution_that_times_out_in_the_middle_of_a_step_saves_no_more_of_it(system: LocalSystem) -> None:
    def run(event: object, context: DurableContext) -> str:
        context.step(lambda _: "done", name="first")
        context.step(lambda _: system.advance(DAY), name="second")
        return "done"

    durable(system, run)

    followed = begin(system)

    [execution] = system.runtime.executions
    saved = [each.name for each in execution.get_assertable_operations() if each.status.value == "SUCCEEDED"]
    assert followed["Status"] == "TIMED_OUT"
    assert saved == ["first"]


def test_a_synchronous_invocation_of_a_durable_function_above_15_minutes_is_refused(
    system: LocalSystem,
) -> None:
    assert system.runtime.functions["import_subsidiaries"].execution_timeout > 900

    with refused(
        "InvalidParameterValueException",
        "You cannot synchronously invoke a durable function with an executionTimeout greater than 15 min",
    ):
        invoke(system, f"{IMPORT}:live")

    assert executions(system) == []


def test_executions_are_listed_by_version_and_without_a_qualifier_those_of_latest(
    system: LocalSystem,
) -> None:
    connect_demo(system)
    for qualifier in ("live", "$LATEST"):
        invoke(system, f"{IMPORT}:{qualifier}", {"dry_run": True}, InvocationType="Event")
    system.lambda_api.wait()
    client: Any = system.aws.lambda_

    [unqualified] = client.list_durable_executions_by_function(FunctionName=IMPORT)["DurableExecutions"]
    [latest], [live], [first] = (executions(system, each) for each in ("$LATEST", "live", "1"))

    assert unqualified == latest
    assert live == first
    assert ":$LATEST/durable-execution/" in latest["DurableExecutionArn"]
    assert live["FunctionArn"] == f"arn:aws:lambda:{REGION}:123456789012:function:{IMPORT}:1"


def test_only_one_status_can_be_asked_for(system: LocalSystem) -> None:
    with refused("InvalidParameterValueException", "more than one status"):
        executions(system, Statuses=["RUNNING", "FAILED"])


def test_executions_are_listed_newest_first_a_page_at_a_time(system: LocalSystem) -> None:
    connect_demo(system)
    for name in ("one", "two", "three"):
        invoke(system, f"{IMPORT}:live", {"dry_run": True}, InvocationType="Event", DurableExecutionName=name)
        system.lambda_api.wait()
    client: Any = system.aws.lambda_

    page = client.list_durable_executions_by_function(FunctionName=f"{IMPORT}:live", MaxItems=2)
    rest = executions(system, Marker=page["NextMarker"])

    assert [each["DurableExecutionName"] for each in page["DurableExecutions"]] == ["three", "two"]
    assert [each["DurableExecutionName"] for each in rest] == ["one"]
    assert executions(system, ReverseOrder=True)[0]["DurableExecutionName"] == "one"
