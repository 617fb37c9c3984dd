"""Messages reach a function as Lambda's event source delivers them."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.aws.pollers import BatchDelivery
from local.aws.queues import Depth
from local.aws.runtime import Killed
from local.system import LocalSystem
from tests.infrastructure.arrange import Behaviour, Json, Stub, raising

NAME = "export_invoice"


def _send(system: LocalSystem, *bodies: str, delay: int = 0) -> None:
    url = system.deployment.queues[NAME].url
    for body in bodies:
        system.aws.sqs.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay)


def _depth(system: LocalSystem) -> Depth:
    return system.pollers.queues[NAME].depth()


def _bodies(stub: Stub) -> list[list[str]]:
    return [[record["body"] for record in event["Records"]] for event in stub.events]


def _deliver(system: LocalSystem, stub: Stub, behaviour: Behaviour, *bodies: str) -> BatchDelivery:
    """Send messages and give the function one batch of them."""
    _send(system, *bodies)
    stub.behaviour = behaviour
    return system.pollers.deliver_once(NAME)


def _report(*bodies: str) -> Behaviour:
    """A behaviour that reports the messages with these bodies as failed."""

    def behave(event: Json, context: object) -> object:
        failed = [record for record in event["Records"] if record["body"] in bodies]
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}

    return behave


def test_the_event_has_the_shape_that_lambda_gives_it(system: LocalSystem, export_invoice: Stub) -> None:
    queue = system.deployment.queues[NAME]
    attributes = {
        "deferrals": {"DataType": "Number", "StringValue": "2"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00"},
    }
    system.aws.sqs.send_message(QueueUrl=queue.url, MessageBody="café", MessageAttributes=attributes)  # type: ignore[arg-type]

    system.pollers.deliver_once(NAME)

    [record] = export_invoice.event["Records"]
    assert record["messageId"]
    assert record["receiptHandle"]
    assert record["body"] == "café"
    assert record["md5OfBody"] == hashlib.md5("café".encode(), usedforsecurity=False).hexdigest()
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == queue.arn
    assert record["awsRegion"] == "eu-central-1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert int(record["attributes"]["SentTimestamp"]) == pytest.approx(system.clock.now() * 1000, abs=5000)
    lists: Json = {"stringListValues": [], "binaryListValues": []}
    assert record["messageAttributes"]["deferrals"] == {"dataType": "Number", "stringValue": "2", **lists}
    assert record["messageAttributes"]["raw"]["binaryValue"] == "AA=="


def test_a_batch_is_no_larger_than_the_template_allows(system: LocalSystem, export_invoice: Stub) -> None:
    _send(system, *"abcdefg")

    system.deliver(NAME)

    assert _bodies(export_invoice) == [list("abcde"), list("fg")]
    assert _depth(system).total == 0


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, 0),
        ({}, 0),
        ({"other": 1}, 0),
        ({"batchItemFailures": []}, 0),
        ({"batchItemFailures": None}, 0),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, 2),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, 2),
        ({"batchItemFailures": [{}]}, 2),
        ({"batchItemFailures": ["text"]}, 2),
        ("text", 2),
    ],
)
def test_a_batch_is_deleted_unless_lambda_cannot_read_the_answer(
    system: LocalSystem, export_invoice: Stub, answer: object, failed: int
) -> None:
    delivery = _deliver(system, export_invoice, lambda event, context: answer, "a", "b")

    assert (len(delivery.done), len(delivery.failed)) == (2 - failed, failed)
    assert _depth(system) == Depth(visible=0, delayed=0, in_flight=failed)


def test_a_message_reported_as_failed_stays_and_the_others_go(
    system: LocalSystem, export_invoice: Stub
) -> None:
    delivery = _deliver(system, export_invoice, _report("b"), "a", "b", "c")

    assert (len(delivery.done), len(delivery.failed), delivery.error) == (2, 1, None)
    assert system.pollers.queues[NAME].bodies() == ["b"]
    assert _depth(system) == Depth(visible=0, delayed=0, in_flight=1)


@pytest.mark.parametrize("error", [RuntimeError("no"), Killed(), SystemExit(1)])
def test_a_function_that_dies_leaves_its_batch_in_flight(
    system: LocalSystem, export_invoice: Stub, error: BaseException
) -> None:
    delivery = _deliver(system, export_invoice, raising(error), "a", "b")

    assert delivery.error is error
    assert len(delivery.failed) == 2
    assert _depth(system).in_flight == 2


def test_an_answer_that_is_no_json_is_a_failure_of_the_function(
    system: LocalSystem, export_invoice: Stub
) -> None:
    delivery = _deliver(system, export_invoice, lambda event, context: {"when": object()}, "a")

    assert isinstance(delivery.error, TypeError)
    assert _depth(system).in_flight == 1


def test_a_failed_message_is_visible_again_after_the_visibility_timeout(
    system: LocalSystem, export_invoice: Stub
) -> None:
    _deliver(system, export_invoice, _report("a"), "a")

    system.advance(359)
    before = system.deliver(NAME)
    system.advance(2)
    after = system.deliver(NAME)

    assert (len(before), len(after)) == (0, 1)
    assert export_invoice.events[1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"


def test_a_delayed_message_comes_when_it_is_due(system: LocalSystem, export_invoice: Stub) -> None:
    _send(system, "later", delay=900)

    early = system.deliver(NAME)
    waiting = _depth(system)
    system.advance(901)
    late = system.deliver(NAME)

    assert waiting == Depth(visible=0, delayed=1, in_flight=0)
    assert (len(early), len(late)) == (0, 1)


def test_fast_forward_makes_everything_visible_without_moving_the_clock(
    system: LocalSystem, export_invoice: Stub
) -> None:
    _deliver(system, export_invoice, _report("failed"), "failed")
    _send(system, "delayed", delay=900)
    before = system.clock.now()

    system.pollers.queues[NAME].fast_forward()

    assert _depth(system) == Depth(visible=2, delayed=0, in_flight=0)
    assert system.clock.now() == pytest.approx(before, abs=5)


def test_the_fifth_failure_is_the_last_one(system: LocalSystem, export_invoice: Stub) -> None:
    _send(system, "poison")
    export_invoice.behaviour = _report("poison")

    for _ in range(7):
        system.deliver(NAME)
        system.pollers.queues[NAME].fast_forward()

    assert len(export_invoice.events) == 5
    assert _depth(system).total == 0
    assert system.pollers.dead_letters[NAME].bodies() == ["poison"]


def test_a_round_limit_leaves_the_rest_on_the_queue(system: LocalSystem, export_invoice: Stub) -> None:
    _send(system, *"abcdefg")

    deliveries = system.deliver(NAME, rounds=1)

    assert len(deliveries) == 1
    assert _depth(system).visible == 2


def test_workers_work_off_the_queue_at_once_but_never_more_than_allowed(
    system: LocalSystem, export_invoice: Stub
) -> None:
    together, all_seen = threading.Barrier(2), threading.Event()

    def wait_for_the_others(event: Json, context: object) -> object:
        together.wait(timeout=10)
        if len(export_invoice.events) == 4:
            all_seen.set()
        return {}

    export_invoice.behaviour = wait_for_the_others
    _send(system, *map(str, range(20)))

    system.start_workers(workers=50)
    running = [thread for thread in threading.enumerate() if thread.name.startswith(f"{NAME}-")]
    finished = all_seen.wait(timeout=20)
    system.stop_workers()

    assert finished
    assert len(running) == 2
    assert not system.pollers.errors
    assert _depth(system).total == 0
    assert sorted(body for batch in _bodies(export_invoice) for body in batch) == sorted(map(str, range(20)))


def test_a_failure_in_the_background_is_kept_and_the_worker_goes_on(
    system: LocalSystem, export_invoice: Stub
) -> None:
    failed, done = threading.Event(), threading.Event()

    def fail_once(event: Json, context: object) -> object:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("first")
        done.set()
        return {}

    export_invoice.behaviour = fail_once

    system.start_workers(workers=1)
    _send(system, "a")
    failed.wait(timeout=10)
    _send(system, "b")
    finished = done.wait(timeout=10)
    system.stop_workers()

    assert finished
    assert [str(error) for error in system.pollers.errors] == ["first"]


def test_conditional_writes_from_many_threads_have_one_winner(system: LocalSystem) -> None:
    table = system.deployment.outputs["LedgerTableName"]
    start, won = threading.Barrier(16), []

    def claim(number: int) -> None:
        start.wait(timeout=10)
        try:
            system.aws.dynamodb.put_item(
                TableName=table,
                Item={"pk": {"S": "a"}, "sk": {"S": "b"}, "owner": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except system.aws.dynamodb.exceptions.ConditionalCheckFailedException:
            return
        won.append(number)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(claim, range(16)))

    assert len(won) == 1
    assert system.ledger_item("a", "b") == {"pk": "a", "sk": "b", "owner": won[0]}
    assert [item["owner"] for item in system.ledger()] == won
