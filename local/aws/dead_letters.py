"""Dead-letter queues of functions: where Lambda puts an event that nobody waits for and that failed for good.

Sources: Lambda developer guide, "Adding a dead-letter queue" and, for durable functions, "Best practices for
Lambda durable functions", error handling.
"""

import logging
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws.deployment import DeployedFunction

logger = logging.getLogger(__name__)

_LONGEST_MESSAGE = 1024


def set_aside(function: DeployedFunction, payload: str, error: BaseException) -> None:
    """Send an event to the dead-letter queue of its function, by the function's role.

    Like Lambda, it drops the event of a function that has no queue, or whose role may not send to it.

    Args:
        function: what failed.
        payload: the event, in JSON.
        error: how it failed.
    """
    if not function.dead_letters_url:
        return
    config = Config(user_agent_appid=function.name[:50])  # type: ignore[call-arg]
    texts = {"RequestID": str(uuid.uuid4()), "ErrorMessage": (str(error) or "?")[:_LONGEST_MESSAGE]}
    try:
        boto3.client("sqs", config=config).send_message(
            QueueUrl=function.dead_letters_url,
            MessageBody=payload,
            MessageAttributes={
                **{name: {"DataType": "String", "StringValue": text} for name, text in texts.items()},
                "ErrorCode": {"DataType": "Number", "StringValue": "200"},
            },
        )
    except ClientError as refused:
        logger.warning("the event of %s is lost: %s", function.name, refused)
