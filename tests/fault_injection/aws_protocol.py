"""Requests to AWS as they leave the process, and answers as they come back, without any client."""

import json
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from local.aws.clients import aws_response, text_of
from tests.fault_injection.effects import lasting

_READS = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "Receive", "Head")
_TARGETS = {
    "DynamoDB_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "AWSEvents": "events",
    "secretsmanager": "secretsmanager",
    "AmazonSSM": "ssm",
}
_THROTTLED = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "sqs": "RequestThrottled",
    "events": "ThrottlingException",
    "secretsmanager": "ThrottlingException",
    "ssm": "ThrottlingException",
}
_S3_SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"
)
_SNS_THROTTLED = (
    b'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
    b"<Code>Throttled</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
)


def operation_of(request: AWSPreparedRequest) -> tuple[str, str]:
    """Service and operation of a request, such as ``("dynamodb", "PutItem")``."""
    target = text_of(request.headers.get("X-Amz-Target", ""))
    if target:
        prefix, _, operation = target.partition(".")
        return _TARGETS.get(prefix, prefix), operation
    if action := dict(parse_qsl(text_of(request.body))).get("Action") if _is_form(request) else None:
        return "sns", action
    return "s3", f"{str(request.method).capitalize()}Object"


def is_write(operation: str) -> bool:
    """Whether an operation changes anything."""
    return not operation.startswith(_READS)


def described(request: AWSPreparedRequest) -> str:
    """Operation and what it is about, without what differs from run to run."""
    service, operation = operation_of(request)
    if service == "s3":
        return lasting(f"{operation} {unquote(urlsplit(request.url).path)}")
    body = json.loads(text_of(request.body)) if service in _TARGETS.values() else {}
    return lasting(f"{operation} {_about(service, body)}".strip())


def invocation_of(request: AWSPreparedRequest) -> str:
    """Names one call of an AWS client; its repetitions have the same name."""
    return text_of(request.headers.get("amz-sdk-invocation-id", ""))


def throttled(request: AWSPreparedRequest) -> AWSResponse:
    """The answer of a service that is asked too often."""
    service, _ = operation_of(request)
    if service == "s3":
        return answer(request, 503, _S3_SLOW_DOWN, "application/xml")
    if service == "sns":
        return answer(request, 400, _SNS_THROTTLED, "text/xml")
    problem = json.dumps({"__type": _THROTTLED[service], "message": "Rate exceeded"})
    return answer(request, 400, problem.encode(), "application/x-amz-json-1.0")


def answer(request: AWSPreparedRequest, status: int, body: bytes, kind: str) -> AWSResponse:
    """An answer that nobody sent."""
    return aws_response(request, status, [("Content-Type", kind)], body)


def _about(service: str, body: dict[str, object]) -> str:
    if service == "dynamodb":
        keys = body.get("Key") or body.get("Item") or {}
        if isinstance(keys, dict) and "pk" in keys:
            return str(keys["pk"]["S"])
        return "several" if "RequestItems" in body else ""
    if service == "sqs":
        return str(body.get("QueueUrl", "")).rpartition("/")[2]
    if service == "events":
        entries = body.get("Entries")
        kinds = [str(entry.get("DetailType")) for entry in entries] if isinstance(entries, list) else []
        return ", ".join(sorted(set(kinds)))
    return str(body.get("SecretId") or body.get("Name") or "")


def _is_form(request: AWSPreparedRequest) -> bool:
    return "x-www-form-urlencoded" in text_of(request.headers.get("Content-Type", ""))
