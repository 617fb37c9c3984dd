"""Calls of functions and of durable executions through the AWS endpoint."""

import json
from typing import Any

from local.system import LocalSystem
from tests.infrastructure.arrange import Json

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
