"""Functions are invoked through the AWS endpoint as on AWS: synchronously, asynchronously, by alias."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import boto3
import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration

from local.aws.server import REGION
from local.aws.template import NameTooLongError, load
from local.system import ROOT, LocalSystem
from tests.infrastructure.arrange import Json, Stub, raising
from tests.support.arrange import connect_demo
from tests.support.assertions import refused

EXPORT, IMPORT = "solvimon-rillet-export-invoice", "solvimon-rillet-import-subsidiaries"
DAY = 86_400


def invoke(system: LocalSystem, name: str, event: object = None, **more: str) -> Json:
    """Invoke a function through the AWS endpoint; return what its client gets."""
    client: Any = system.aws.lambda_
    answer: Json = client.invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
    return {**answer, "Payload": json.loads(text) if (text := answer["Payload"].read()) else None}


def executions(system: LocalSystem, qualifier: str = "live", **asked: object) -> list[Json]:
    """The durable executions of the import of subsidiaries that Lambda lists."""
    client: Any = system.aws.lambda_
    listed: Json = client.list_durable_executions_by_function(
        FunctionName=IMPORT, Qualifier=qualifier, **asked
    )
    return listed["DurableExecutions"]  # type: ignore[no-any-return]


def set_aside(system: LocalSystem) -> list[tuple[Json, str]]:
    """The events in the dead-letter queue of executions, each with its error."""
    url = system.deployment.functions["import_subsidiaries"].dead_letters_url
    found = system.aws.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [])
    return [
        (json.loads(each["Body"]), each["MessageAttributes"]["ErrorMessage"]["StringValue"]) for each in found
    ]


def begin(system: LocalSystem, event: object = None) -> Json:
    """Run the import of subsidiaries to its end, and return the execution."""
    begun = invoke(system, f"{IMPORT}:live", event, InvocationType="Event")
    system.lambda_api.wait()
    client: Any = system.aws.lambda_
    followed: Json = client.get_durable_execution(DurableExecutionArn=begun["DurableExecutionArn"])
    return followed


def test_a_synchronous_invocation_answers_what_the_function_answers(
    system: LocalSystem, export_invoice: Stub
) -> None:
    export_invoice.behaviour = lambda event, context: {"got": event, "amount": Decimal("1.10")}

    answer = invoke(system, EXPORT, {"a": 1})

    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["Payload"] == {"got": {"a": 1}, "amount": 1.1}
    assert "FunctionError" not in answer


def test_other_processes_invoke_functions_over_the_socket(system: LocalSystem, export_invoice: Stub) -> None:
    export_invoice.behaviour = lambda event, context: {"got": event}
    another_name = system.aws.url.replace("127.0.0.1", "localhost")  # which is not served in process

    answer = boto3.client("lambda", endpoint_url=another_name).invoke(
        FunctionName=EXPORT, Payload=b'{"a": 1}'
    )

    assert json.loads(answer["Payload"].read()) == {"got": {"a": 1}}


@pytest.mark.parametrize(
    "name", [EXPORT, f"arn:aws:lambda:{REGION}:123456789012:function:{EXPORT}", f"{EXPORT}:$LATEST"]
)
def test_a_function_is_known_by_its_name_its_arn_and_its_version(
    system: LocalSystem, export_invoice: Stub, name: str
) -> None:
    assert invoke(system, name)["StatusCode"] == 200
    assert export_invoice.event == {}


def test_a_function_that_fails_is_reported_to_its_caller(system: LocalSystem, export_invoice: Stub) -> None:
    export_invoice.behaviour = raising(ValueError("no"))

    answer = invoke(system, EXPORT)

    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert answer["Payload"] == {"errorMessage": "no", "errorType": "ValueError"}


def test_an_asynchronous_invocation_is_accepted_before_the_function_answers(
    system: LocalSystem, export_invoice: Stub
) -> None:
    may_end = threading.Event()
    export_invoice.behaviour = lambda event, context: may_end.wait(10)

    answer = invoke(system, EXPORT, {"a": 1}, InvocationType="Event")
    may_end.set()
    system.lambda_api.wait()

    assert (answer["StatusCode"], answer["Payload"]) == (202, None)
    assert export_invoice.event == {"a": 1}


def test_an_asynchronous_event_of_a_function_that_fails_comes_twice_more(
    system: LocalSystem, export_invoice: Stub
) -> None:
    times = list[float]()

    def fail(event: Json, context: object) -> None:
        times.append(system.clock.now())
        raise ValueError("no")

    export_invoice.behaviour = fail

    invoke(system, EXPORT, {"a": 1}, InvocationType="Event")
    system.lambda_api.wait()

    assert export_invoice.events == [{"a": 1}] * 3
    assert [round(later - times[0], -1) for later in times] == [0, 60, 180]


def test_an_asynchronous_event_comes_again_until_the_function_has_done_it(
    system: LocalSystem, export_invoice: Stub
) -> None:
    export_invoice.behaviour = lambda event, context: 1 / (len(export_invoice.events) - 1)

    invoke(system, EXPORT, {"a": 1}, InvocationType="Event")
    system.lambda_api.wait()

    assert export_invoice.events == [{"a": 1}] * 2


def test_a_dry_run_calls_nothing(system: LocalSystem, export_invoice: Stub) -> None:
    assert invoke(system, EXPORT, InvocationType="DryRun")["StatusCode"] == 204
    assert invoke(system, f"{IMPORT}:live", InvocationType="DryRun")["StatusCode"] == 204
    assert export_invoice.events == []
    assert executions(system) == []


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


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        (IMPORT, {"InvocationType": "Event"}, "InvalidParameterValueException"),
        (f"{IMPORT}:dev", {"InvocationType": "Event"}, "ResourceNotFoundException"),
        (f"{EXPORT}:live", {}, "ResourceNotFoundException"),
        ("solvimon-rillet-nothing", {}, "ResourceNotFoundException"),
        (EXPORT, {"DurableExecutionName": "x"}, "InvalidParameterValueException"),
        (f"{IMPORT}:live", {"InvocationType": "Event", "DurableExecutionName": "a b"}, "ValidationException"),
    ],
)
def test_what_lambda_would_not_invoke_is_refused(
    system: LocalSystem, name: str, more: dict[str, str], code: str
) -> None:
    with refused(code):
        invoke(system, name, **more)


def test_events_above_their_size_are_refused(system: LocalSystem, export_invoice: Stub) -> None:
    with refused("RequestEntityTooLargeException", "6291456 bytes"):
        invoke(system, EXPORT, "x" * (6 * 1024 * 1024))
    with refused("RequestEntityTooLargeException", "1048576 bytes"):
        invoke(system, EXPORT, "x" * (1024 * 1024), InvocationType="Event")

    assert invoke(system, EXPORT, "x" * (6 * 1024 * 1024 - 2))["StatusCode"] == 200


def test_an_answer_above_6_mb_is_an_error_for_the_caller(system: LocalSystem, export_invoice: Stub) -> None:
    export_invoice.behaviour = lambda event, context: "x" * (6 * 1024 * 1024)

    answer = invoke(system, EXPORT)

    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Function.ResponseSizeTooLarge"


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


def test_a_stack_whose_functions_would_have_names_above_64_characters_is_refused() -> None:
    load(ROOT / "template.yaml", {}, "", "s" * 44)

    with pytest.raises(NameTooLongError, match="at most 64 characters"):
        load(ROOT / "template.yaml", {}, "", "s" * 45)
