"""The local system allows a function what its role allows, and nothing else."""

from contextlib import nullcontext
from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.permissions import AllowedAction, AwsCall
from local.system import LocalSystem
from solvimon_rillet.entrypoints.services import create_aws_client
from tests.support import least_privilege
from tests.support.least_privilege import unused

FUNCTION = "solvimon-rillet-receive-webhook"


@pytest.fixture
def denials(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[object]]:
    """What was refused so far; what a test adds here and to what was used is forgotten."""
    permissions: Any = system.aws.permissions
    for name in ("denied", "used", "used_grants"):
        monkeypatch.setattr(permissions, name, deepcopy(getattr(permissions, name)))
    denied: dict[str, set[object]] = permissions.denied
    return denied


def test_what_a_role_allows_is_done(system: LocalSystem, denials: dict[str, set[object]]) -> None:
    system.connect_demo()

    answer = create_aws_client("ssm", FUNCTION).get_parameter(Name="/solvimon-rillet/default/settings")

    assert answer["Parameter"]["Value"]
    assert FUNCTION not in denials


@pytest.mark.parametrize(
    ("service", "call", "arguments", "action"),
    [
        ("ssm", "delete_parameter", {"Name": "/solvimon-rillet/default/settings"}, "ssm:DeleteParameter"),
        ("ssm", "get_parameter", {"Name": "/another-stack/default/settings"}, "ssm:GetParameter"),
        ("secretsmanager", "get_secret_value", {"SecretId": "another/x"}, "secretsmanager:GetSecretValue"),
        ("sqs", "send_message", {"QueueUrl": "http://x/1/q", "MessageBody": "x"}, "sqs:SendMessage"),
        ("events", "put_events", {"Entries": [{"EventBusName": "other", "Source": "s"}]}, "events:PutEvents"),
        ("s3", "get_object", {"Bucket": "reports", "Key": "x"}, "s3:GetObject"),
        ("lambda", "invoke", {"FunctionName": "x:live"}, "lambda:InvokeFunction"),
        (
            "lambda",
            "list_durable_executions_by_function",
            {"FunctionName": "x"},
            "lambda:ListDurableExecutionsByFunction",
        ),
        ("lambda", "get_durable_execution", {"DurableExecutionArn": "arn"}, "lambda:GetDurableExecution"),
        ("sns", "publish", {"TopicArn": "arn:aws:sns:x:1:t", "Message": "x"}, "sns:Publish"),
    ],
)
def test_what_a_role_does_not_allow_is_refused_as_aws_refuses_it(
    system: LocalSystem,
    denials: dict[str, set[object]],
    service: str,
    call: str,
    arguments: dict[str, object],
    action: str,
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(create_aws_client(service, FUNCTION), call)(**arguments)

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert refused.value.response["Error"]["Code"].startswith("AccessDenied")
    assert {one.action for one in denials[FUNCTION]} == {action}  # type: ignore[attr-defined]


def test_no_function_was_refused_anything_so_far(system: LocalSystem) -> None:
    assert system.aws.permissions.denied == {}


def test_unused_actions_and_resources_are_named_but_not_those_that_aws_uses_itself() -> None:
    granted = {
        "f": {
            "ssm:GetParameter on a",
            "ssm:GetParameter on b",
            "ssm:PutParameter on a",
            "logs:PutLogEvents on l",
        },
        "g": {"sns:Publish on t"},
    }

    left = unused(granted, {"f": {"ssm:GetParameter on a"}})

    assert left == ["f: ssm:GetParameter on b", "f: ssm:PutParameter on a", "g: sns:Publish on t"]


def test_a_resource_without_a_name_of_its_own_has_one_name_in_every_stack(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted: dict[str, set[str]] = {}
    monkeypatch.setattr(least_privilege, "_granted", granted)
    monkeypatch.setattr(least_privilege, "_used", {})

    least_privilege.note(system)

    sweep = granted["solvimon-rillet-sweep"]
    assert "sns:Publish on AlarmTopic" in sweep
    assert not any(system.deployment.resources["LedgerTable"] in grant for grant in sweep)
    assert any("table/LedgerTable" in grant for grant in sweep)


WEBHOOKS_READER, TOKENS_READER = FUNCTION, "solvimon-rillet-connect-rillet"


@pytest.mark.parametrize("secret", ["default/solvimon", "default/rillet", "rillet-oauth-client"])
def test_the_receiver_reads_webhook_secrets_and_neither_keys_nor_tokens(
    system: LocalSystem, denials: dict[str, set[object]], secret: str
) -> None:
    system.connect_demo()
    receiver = create_aws_client("secretsmanager", WEBHOOKS_READER)

    assert (
        "webhook_secret"
        in receiver.get_secret_value(SecretId="solvimon-rillet/default/webhooks")["SecretString"]
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        receiver.get_secret_value(SecretId=f"solvimon-rillet/{secret}")


@pytest.mark.parametrize(
    ("call", "key", "allowed"),
    [
        ("get_item", "acme#oauth#organisation", True),
        ("get_item", "acme#pacer#turns", True),
        ("get_item", "acme#invoice#invo_1", False),
        ("delete_item", "(deployment)#oauth-state#0123", True),
        ("delete_item", "acme#oauth#organisation", False),
        ("delete_item", "acme#invoice#invo_1", False),
    ],
)
def test_the_public_callback_reaches_only_its_own_part_of_the_table(
    system: LocalSystem, denials: dict[str, set[object]], call: str, key: str, allowed: bool
) -> None:
    table = create_aws_client("dynamodb", TOKENS_READER)
    arguments = {
        "TableName": system.deployment.outputs["LedgerTableName"],
        "Key": {"pk": {"S": key}, "sk": {"S": "-"}},
    }

    with nullcontext() if allowed else pytest.raises(ClientError, match="AccessDenied"):
        getattr(table, call)(**arguments)


def test_a_condition_that_the_local_system_does_not_know_is_no_permission() -> None:
    grant = AllowedAction("ssm:GetParameter", "*", (("StringEquals", "aws:SourceVpc", ("vpc-1",)),))

    with pytest.raises(NotImplementedError, match="aws:SourceVpc"):
        grant.allows(AwsCall("ssm:GetParameter", "x"))
