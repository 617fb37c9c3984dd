"""The local AWS refuses what AWS refuses, whoever asks: functions and other programs alike."""

import json
import os
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
import requests

from local.aws.process import TimedOut
from local.aws.refusals import MAX_EVENTS, MAX_ITEM, MAX_NOTIFICATION, MAX_SQS, item_size
from local.system import LocalSystem
from tests.infrastructure.arrange import Json, Stub
from tests.support.assertions import refused

KEY: Json = {"pk": {"S": "a"}, "sk": {"S": "b"}}
SETTINGS = "/solvimon-rillet/default/settings"
SECRET = "solvimon-rillet/default/rillet"


@pytest.fixture
def table(system: LocalSystem) -> str:
    """The ledger's table."""
    return system.deployment.outputs["LedgerTableName"]


def item_of(size: int, **more: Json) -> Json:
    """An item of exactly so many bytes."""
    item = {**KEY, **more, "text": {"S": ""}}
    return {**item, "text": {"S": "x" * (size - item_size(item))}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "äbc"}, 4),
        ({"N": "0"}, 1),
        ({"N": "12345.6700"}, 5),
        ({"N": "-12"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": [{"S": "ab"}, {"N": "7"}]}, 3 + 2 + 2 + 2),
        ({"M": {"key": {"S": "ab"}}}, 3 + 1 + 3 + 2),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_an_items_size_is_counted_by_dynamodbs_own_rule(value: Json, size: int) -> None:
    assert item_size({"name": value}) == 4 + size


def test_an_item_above_400_kb_is_refused_and_one_of_400_kb_is_written(
    system: LocalSystem, table: str
) -> None:
    dynamodb = system.aws.dynamodb

    dynamodb.put_item(TableName=table, Item=item_of(MAX_ITEM))
    with refused("ValidationException"):
        dynamodb.put_item(TableName=table, Item={**item_of(MAX_ITEM + 1), "sk": {"S": "c"}})
    with refused("ValidationException"):
        batch = [{"PutRequest": {"Item": {**item_of(MAX_ITEM + 1), "sk": {"S": "c"}}}}]
        dynamodb.batch_write_item(RequestItems={table: batch})  # type: ignore[dict-item]

    assert [item["sk"] for item in system.ledger()] == ["b"]


@pytest.mark.parametrize("there", [True, False])
def test_of_an_update_that_makes_an_item_larger_than_400_kb_nothing_is_written(
    system: LocalSystem, table: str, there: bool
) -> None:
    if there:
        system.aws.dynamodb.put_item(TableName=table, Item={**KEY, "list": {"L": [{"N": "1"}]}})
    before = system.ledger()

    with refused("ValidationException"):
        system.aws.dynamodb.update_item(
            TableName=table,
            Key=KEY,
            UpdateExpression="SET #s = :s, #l = list_append(if_not_exists(#l, :none), :l), #t = :t",
            ExpressionAttributeNames={"#s": "state", "#l": "list", "#t": "text"},
            ExpressionAttributeValues={
                ":s": {"S": "new"},
                ":none": {"L": []},
                ":l": {"L": [{"N": "2"}]},
                ":t": {"S": "x" * MAX_ITEM},
            },
        )

    assert system.ledger() == before


@pytest.mark.parametrize(
    ("tier", "most"), [(None, 4096), ("Standard", 4096), ("Advanced", 8192), ("Intelligent-Tiering", 8192)]
)
def test_a_parameter_above_the_characters_of_its_tier_is_refused(
    system: LocalSystem, tier: str | None, most: int
) -> None:
    more: Any = {"Tier": tier} if tier else {}
    put = system.aws.ssm.put_parameter

    put(Name=SETTINGS, Value="ä" * most, Overwrite=True, **more)
    with refused("ValidationException", str(most)):
        put(Name=SETTINGS, Value="ä" * (most + 1), Overwrite=True, **more)

    assert len(system.aws.ssm.get_parameter(Name=SETTINGS)["Parameter"]["Value"]) == most


def test_a_secret_that_is_scheduled_for_deletion_is_neither_read_nor_written(system: LocalSystem) -> None:
    secrets = system.aws.secretsmanager
    secrets.create_secret(Name=SECRET, SecretString='{"auth": "api_key"}')
    secrets.delete_secret(SecretId=SECRET, RecoveryWindowInDays=7)

    with refused("InvalidRequestException", "marked for deletion"):
        secrets.get_secret_value(SecretId=SECRET)
    with refused("InvalidRequestException", "marked for deletion"):
        secrets.put_secret_value(SecretId=SECRET, SecretString="{}")
    with refused("InvalidRequestException", "marked for deletion"):
        secrets.update_secret(SecretId=SECRET, SecretString="{}")
    with refused("InvalidRequestException", "already scheduled for deletion"):
        secrets.create_secret(Name=SECRET, SecretString="{}")

    secrets.restore_secret(SecretId=SECRET)
    assert json.loads(secrets.get_secret_value(SecretId=SECRET)["SecretString"])["auth"] == "api_key"


def test_a_message_above_1_mib_with_its_attributes_is_refused(system: LocalSystem) -> None:
    queue = system.deployment.queues["export_invoice"].url
    attributes: Any = {"name": {"DataType": "String", "StringValue": "ä" * 10}}
    of_attributes = len("name") + len("String") + 20

    system.aws.sqs.send_message(
        QueueUrl=queue, MessageBody="x" * (MAX_SQS - of_attributes), MessageAttributes=attributes
    )
    with refused("InvalidParameterValue", "shorter than 1048576 bytes"):
        system.aws.sqs.send_message(
            QueueUrl=queue, MessageBody="x" * (MAX_SQS - of_attributes + 1), MessageAttributes=attributes
        )
    with refused("InvalidParameterValue"):
        system.aws.sqs.send_message(QueueUrl=queue, MessageBody="ä" * (MAX_SQS // 2 + 1))

    assert system.pollers.queues["export_invoice"].depth().total == 1


def test_messages_of_a_batch_that_are_above_1_mib_together_are_refused(system: LocalSystem) -> None:
    queue = system.deployment.queues["export_invoice"].url
    entries: Any = [{"Id": str(number), "MessageBody": "x" * (MAX_SQS // 4)} for number in range(5)]

    system.aws.sqs.send_message_batch(QueueUrl=queue, Entries=entries[:4])
    with refused("AWS.SimpleQueueService.BatchRequestTooLong"):
        system.aws.sqs.send_message_batch(QueueUrl=queue, Entries=entries)

    assert system.pollers.queues["export_invoice"].depth().total == 4


def test_events_above_256_kb_together_are_refused(system: LocalSystem) -> None:
    bus = system.deployment.outputs["EventBusName"]

    def entry(size: int) -> Any:  # noqa: ANN401 - an entry of botocore's
        detail = json.dumps({"x": "x" * (size - len('{"x": ""}') - len("sd"))})
        return {"Source": "s", "DetailType": "d", "Detail": detail, "EventBusName": bus}

    system.aws.events.put_events(Entries=[entry(MAX_EVENTS - 1)])
    with refused("ValidationException", "over the limit"):
        system.aws.events.put_events(Entries=[entry(MAX_EVENTS)])
    with refused("ValidationException", "over the limit"):
        system.aws.events.put_events(Entries=[entry(MAX_EVENTS // 2)] * 2)


def test_a_notification_above_256_kb_is_refused(system: LocalSystem) -> None:
    sns, topic = system.aws.session.client("sns"), system.deployment.outputs["AlarmTopicArn"]

    sns.publish(TopicArn=topic, Message="x" * MAX_NOTIFICATION)
    with refused("InvalidParameter", "Message too long"):
        sns.publish(TopicArn=topic, Message="x" * (MAX_NOTIFICATION + 1))


def test_a_function_is_refused_what_other_programs_are_refused(system: LocalSystem, table: str) -> None:
    system.runtime.replace(
        "export_invoice",
        lambda environment, clock: (
            lambda event, context: system.aws.dynamodb.put_item(TableName=table, Item=item_of(MAX_ITEM + 1))
        ),
    )

    with refused("ValidationException"):
        system.invoke("export_invoice", {})


def test_a_secret_above_64_kb_and_names_above_their_length_are_refused(system: LocalSystem) -> None:
    with refused("ValidationException", "secretString"):
        system.aws.secretsmanager.put_secret_value(SecretId=SECRET, SecretString="x" * 65537)
    with refused("ValidationException", "name"):
        system.aws.secretsmanager.create_secret(Name="x" * 513, SecretString="{}")
    with refused("ValidationException", "name"):
        system.aws.ssm.put_parameter(Name="/" + "x" * 2048, Value="{}", Type="String")


@pytest.fixture
def hurried(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> LocalSystem:
    """The local system; `export_invoice` has a fifth of a second."""
    functions, function = system.runtime.functions, system.runtime.functions["export_invoice"]
    hasty = {**functions, "export_invoice": replace(function, timeout=0.2)}  # type: ignore[arg-type]
    monkeypatch.setattr(system.runtime, "functions", hasty)
    return system


# A tracer of Python 3.11 lets the caller wait for the thread.
@pytest.mark.no_cover
def test_a_function_past_its_time_out_is_killed_whatever_it_was_doing(
    hurried: LocalSystem, export_invoice: Stub, table: str
) -> None:
    ended, woken = threading.Event(), threading.Event()
    reading, writing = os.pipe()

    def busy(event: Json, context: object) -> None:
        try:
            while True:
                pass
        finally:
            ended.set()

    def asleep_in_c_and_deaf(event: Json, context: object) -> None:
        try:
            os.read(reading, 1)
        except BaseException:  # noqa: BLE001 - which nothing can do in a process that has ended
            hurried.aws.dynamodb.put_item(TableName=table, Item=KEY)
        finally:
            woken.set()

    for behaviour in (busy, asleep_in_c_and_deaf):
        export_invoice.behaviour = behaviour
        with pytest.raises(TimedOut, match=r"Task timed out after 0\.20 seconds"):
            hurried.invoke("export_invoice", {})
        assert not woken.is_set()

    os.write(writing, b"!")
    assert ended.wait(5)
    assert woken.wait(5)
    for end in (reading, writing):
        os.close(end)
    assert hurried.ledger() == []


def test_no_call_to_a_vendor_leaves_a_killed_function_nor_a_thread_of_it(
    hurried: LocalSystem, export_invoice: Stub
) -> None:
    sent: list[object] = []
    ended = threading.Event()

    def call() -> None:
        try:
            time.sleep(0.4)
            sent.append(requests.get(hurried.rillet.url, timeout=5))
        finally:
            ended.set()

    def behave(event: Json, context: object) -> None:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    export_invoice.behaviour = behave
    with pytest.raises(TimedOut):
        hurried.invoke("export_invoice", {})

    assert ended.wait(5)
    assert sent == []


def test_a_killed_function_keeps_no_environment_and_its_messages_come_again(
    hurried: LocalSystem, export_invoice: Stub
) -> None:
    queue = hurried.deployment.queues["export_invoice"].url
    hurried.aws.sqs.send_message(QueueUrl=queue, MessageBody="{}")
    export_invoice.behaviour = lambda event, context: time.sleep(0.5)

    delivery = hurried.pollers.deliver_once("export_invoice")
    export_invoice.behaviour = lambda event, context: {}
    hurried.advance(361)
    again = hurried.pollers.deliver_once("export_invoice")

    assert isinstance(delivery.error, TimedOut)
    assert delivery.failed == again.done
    assert len(export_invoice.environments) == 2, "the second one started cold"
