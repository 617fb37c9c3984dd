"""What AWS refuses and moto accepts: too much in a request, and secrets that are scheduled for deletion.

Requests are checked before moto sees them, whoever sends them. What an update makes of a DynamoDB item is
known only afterwards; then moto's item is put back as it was, for which importing this module is enough.
Sources: the services' quotas pages and API references, and their models in botocore.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from moto.dynamodb.exceptions import ItemSizeToUpdateTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import LimitedSizeDict
from moto.secretsmanager.models import secretsmanager_backends

from local.aws.moto_speedups import quick_copy
from local.aws.service_models import service_model

Json = dict[str, Any]

KIB = 1024
MAX_ITEM = 400 * KIB
"""Bytes of a DynamoDB item, names of attributes included."""
MAX_PARAMETER = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}
"""Characters of a parameter's value, by tier."""
MAX_SQS = 1024 * KIB
"""Bytes of a message with its attributes, and of all messages of a batch."""
MAX_EVENTS = 256 * KIB
"""Bytes of all entries of a call of PutEvents. Newer pages say 1 MB; the older figure is the stricter one."""
MAX_NOTIFICATION = 256 * KIB
MAX_SYNCHRONOUS = 6 * 1024 * KIB
"""Bytes of the event of a synchronous invocation of Lambda, and of its answer."""
MAX_ASYNCHRONOUS = 1024 * KIB
"""Bytes of the event of an asynchronous invocation, and of the result of its durable execution."""
MAX_SYNCHRONOUS_SECONDS = 900
"""The longest execution that Lambda lets a caller wait for."""
_OF_DELETED_SECRETS = {"DescribeSecret", "RestoreSecret", "DeleteSecret", "ListSecretVersionIds"}
"""What may still be done with a secret that is scheduled for deletion."""


@dataclass(frozen=True)
class Refusal:
    """AWS's answer to a request that it does not carry out."""

    code: str
    message: str
    status: int = 400


class RequestRefusedError(Exception):
    """AWS does not carry out what it is asked for.

    Args:
        code: AWS's code of the error.
        message: what is wrong.
        status: of the HTTP response.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.refusal = Refusal(code, message, status)


def refusal(service: str, operation: str, body: bytes, account: str, region: str) -> Refusal | None:
    """Return AWS's refusal of a request, if moto would carry it out and AWS would not.

    Args:
        service: the name that requests are signed with.
        operation: such as `PutParameter`; empty where the body has it.
        body: of the request.
        account: whose.
        region: of the request.
    """
    if service not in _CHECKS:
        return None
    if service == "sns":
        request: Json = dict(parse_qsl(body.decode()))
        operation = request.get("Action", "")
    else:
        request = json.loads(body or b"{}")
    if service == "secretsmanager" and (found := _deleted_secret(operation, request, account, region)):
        return found
    return _too_long(service, operation, request) or _CHECKS[service](operation, request)


def _too_long(service: str, operation: str, request: Json) -> Refusal | None:
    """A name or another text that is longer than the service's model allows."""
    longest = _longest(service, operation)
    for name, value in request.items():
        if isinstance(value, str) and len(value) > longest.get(name, len(value)):
            at = name[0].lower() + name[1:]
            return Refusal(
                "ValidationException",
                f"1 validation error detected: Value at '{at}' failed to satisfy constraint: "
                f"Member must have length less than or equal to {longest[name]}",
            )
    return None


@cache
def _longest(service: str, operation: str) -> Mapping[str, int]:
    """The longest text that each parameter may be."""
    shape = service_model(service).operation_model(operation).input_shape
    members = shape.members.items() if shape else ()
    return {name: member.metadata["max"] for name, member in members if "max" in member.metadata}


def item_size(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item as DynamoDB counts them.

    Source: DynamoDB developer guide, "DynamoDB item sizes and formats".

    Args:
        item: attribute values in DynamoDB's JSON, by name.
    """
    return sum(_bytes(name) + _value_size(value) for name, value in item.items())


def _value_size(value: Any) -> int:  # noqa: ANN401 - DynamoDB's JSON, or moto's object of it
    [(kind, content)] = value.items() if isinstance(value, dict) else [(value.type, value.value)]
    match kind:
        case "S":
            return _bytes(content)
        case "N":
            return _number_size(str(content))
        case "B":
            return len(content) * 3 // 4 if isinstance(content, str) else len(content)
        case "M":
            return 3 + len(content) + item_size(content)
        case "L":
            return 3 + len(content) + sum(map(_value_size, content))
        case "SS" | "NS" | "BS":
            return sum(_value_size({kind[0]: each}) for each in content)
        case _:
            return 1


def _number_size(text: str) -> int:
    """A byte for two significant digits, one more, and one for the sign."""
    digits = text.lower().partition("e")[0].replace(".", "").strip("-+")
    return (len(digits.strip("0")) + 1) // 2 + 1 + text.startswith("-")


def _bytes(text: str) -> int:
    return len(text.encode())


def _dynamodb(operation: str, request: Json) -> Refusal | None:
    match operation:
        case "PutItem":
            items = [request["Item"]]
        case "BatchWriteItem":
            writes = [each for table in request["RequestItems"].values() for each in table]
            items = [each["PutRequest"]["Item"] for each in writes if "PutRequest" in each]
        case "TransactWriteItems":
            items = [each["Put"]["Item"] for each in request["TransactItems"] if "Put" in each]
        case _:
            items = []
    if any(item_size(item) > MAX_ITEM for item in items):
        return Refusal("ValidationException", "Item size has exceeded the maximum allowed size")
    return None


def _ssm(operation: str, request: Json) -> Refusal | None:
    tier = request.get("Tier", "Standard")
    most = MAX_PARAMETER[tier]
    if operation != "PutParameter" or len(request["Value"]) <= most:
        return None
    if tier == "Standard":
        return Refusal(
            "ValidationException",
            f"Standard tier parameters support a maximum parameter value of {most} characters. To create a "
            "larger parameter value, upgrade the parameter to use the advanced-parameter tier.",
        )
    return Refusal(
        "ValidationException", f"Parameters support a maximum parameter value of {most} characters."
    )


def _deleted_secret(operation: str, request: Json, account: str, region: str) -> Refusal | None:
    backend = secretsmanager_backends[account][region]
    name = request.get("Name") if operation == "CreateSecret" else request.get("SecretId")
    if not name or operation in _OF_DELETED_SECRETS or not backend._is_valid_identifier(name):
        return None
    if not backend.secrets[name].is_deleted():
        return None
    if operation == "CreateSecret":
        reason = "create this secret because a secret with this name is already scheduled for deletion"
    else:
        reason = "perform this operation on the secret because it was marked for deletion"
    return Refusal("InvalidRequestException", f"You can't {reason}.")


def _sqs(operation: str, request: Json) -> Refusal | None:
    if operation == "SendMessage" and _message_size(request) > MAX_SQS:
        reason = f"One or more parameters are invalid. Reason: Message must be shorter than {MAX_SQS} bytes."
        return Refusal("InvalidParameterValue", reason)
    total = sum(map(_message_size, request.get("Entries", ()))) if operation == "SendMessageBatch" else 0
    if total > MAX_SQS:
        reason = f"Batch requests cannot be longer than {MAX_SQS} bytes. You have sent {total} bytes."
        return Refusal("AWS.SimpleQueueService.BatchRequestTooLong", reason)
    return None


def _message_size(message: Json) -> int:
    attributes = message.get("MessageAttributes", {}).items()
    texts = (text for name, value in attributes for text in (name, *value.values()))
    return _bytes(message["MessageBody"]) + sum(map(_bytes, texts))


def _refuse_events(operation: str, request: Json) -> Refusal | None:
    if operation == "PutEvents" and sum(map(_entry_size, request["Entries"])) >= MAX_EVENTS:
        return Refusal("ValidationException", "Total size of the entries in the request is over the limit.")
    return None


def _entry_size(entry: Json) -> int:
    """Source: EventBridge user guide, "Calculating Amazon EventBridge PutEvents event entry size"."""
    texts: Iterable[str] = (entry.get(name, "") for name in ("Source", "DetailType", "Detail"))
    return 14 * ("Time" in entry) + sum(map(_bytes, (*texts, *entry.get("Resources", ()))))


def _sns(operation: str, request: Json) -> Refusal | None:
    if operation == "Publish" and _bytes(request["Message"]) > MAX_NOTIFICATION:
        return Refusal("InvalidParameter", "Invalid parameter: Message too long")
    return None


_CHECKS: dict[str, Callable[[str, Json], Refusal | None]] = {
    "dynamodb": _dynamodb,
    "events": _refuse_events,
    "secretsmanager": lambda _operation, _request: None,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
}

_update = DynamoDBBackend.update_item


def _update_or_leave(self: DynamoDBBackend, table_name: str, key: Json, *args: object, **more: object) -> Any:  # noqa: ANN401 - moto's item
    """Update an item; where it would grow too large, leave it as it was."""
    table = self.get_table(table_name)
    hash_key, range_key = self.get_keys_value(table, key)
    before = quick_copy(table.get_item(hash_key, range_key))
    updated = _update(self, table_name, key, *args, **more)
    if item_size(updated.attrs) <= MAX_ITEM:
        return updated
    if before is None:
        table.delete_item(hash_key, range_key)
    else:
        updated.attrs = before.attrs
    raise ItemSizeToUpdateTooLarge


# moto counts by another rule, at each attribute, and stops in the middle of an update.
LimitedSizeDict.__setitem__ = dict.__setitem__
DynamoDBBackend.update_item = _update_or_leave
