"""Functions are invoked as on AWS: synchronously, asynchronously, by alias, each with its environment."""

import json
import threading
from decimal import Decimal

import boto3
import pytest

from local.aws.runtime import Killed
from local.aws.server import REGION
from local.aws.template import NameTooLongError, load
from local.system import ROOT, LocalSystem
from tests.infrastructure.arrange import Json, Stub, raising
from tests.infrastructure.lambda_calls import EXPORT, IMPORT, executions, invoke
from tests.support.assertions import refused


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


def test_a_stack_whose_functions_would_have_names_above_64_characters_is_refused() -> None:
    load(ROOT / "template.yaml", {}, "", "s" * 44)

    with pytest.raises(NameTooLongError, match="at most 64 characters"):
        load(ROOT / "template.yaml", {}, "", "s" * 45)


# Execution environments


def test_the_context_knows_the_function_and_its_time(system: LocalSystem, export_invoice: Stub) -> None:
    system.invoke("export_invoice", {"invoice_ids": ["invo_1"]})

    [context] = export_invoice.contexts
    assert context.function_name == "solvimon-rillet-export-invoice"
    assert context.invoked_function_arn.endswith(":function:solvimon-rillet-export-invoice")
    assert context.memory_limit_in_mb == 512
    assert 59_000 < context.get_remaining_time_in_millis() <= 60_000
    assert context.aws_request_id


def test_an_environment_is_kept_for_the_next_event_and_dropped_when_the_function_dies(
    system: LocalSystem, export_invoice: Stub
) -> None:
    system.invoke("export_invoice", {})
    system.invoke("export_invoice", {})
    warm = len(export_invoice.environments)
    export_invoice.behaviour = raising(Killed())

    with pytest.raises(Killed):
        system.invoke("export_invoice", {})
    export_invoice.behaviour = lambda event, context: {}
    system.invoke("export_invoice", {})

    assert warm == 1
    assert len(export_invoice.environments) == 2


def test_functions_use_the_clock_of_the_local_system(system: LocalSystem, export_invoice: Stub) -> None:
    system.invoke("export_invoice", {})
    [clock] = export_invoice.clocks
    before = clock()

    system.advance(3600)

    assert clock() == pytest.approx(before + 3600, abs=5)
