"""moto's queues from inside: their depth and their clock, and the dead-letter queues of functions.

In the dead-letter queue of a function Lambda puts an event that nobody waits for and that failed. Sources:
Lambda developer guide, "Adding a dead-letter queue" and "Best practices for Lambda durable functions".
"""

import json
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
import moto.sqs.models
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.sqs.models import Queue, sqs_backends
from werkzeug.wrappers import Request, Response

from local.aws.deployment import DeployedFunction
from local.aws.server import ACCOUNT, REGION, AwsServer

logger = logging.getLogger(__name__)

_LONGEST_MESSAGE = 1024


@dataclass(frozen=True)
class Depth:
    """How many messages a queue holds, by state."""

    visible: int
    delayed: int
    in_flight: int

    @property
    def total(self) -> int:
        """All messages of the queue."""
        return self.visible + self.delayed + self.in_flight


class QueueView:
    """One queue of moto."""

    def __init__(self, aws: AwsServer, url: str) -> None:
        self._lock = aws.lock
        self._name = url.rsplit("/", 1)[-1]

    def depth(self) -> Depth:
        """Count the messages."""
        with self._lock:
            messages = list(self._queue._messages)
        delayed = sum(message.delayed for message in messages)
        in_flight = sum(not message.visible for message in messages)
        return Depth(len(messages) - delayed - in_flight, delayed, in_flight)

    def bodies(self) -> list[str]:
        """Return the body of every message, visible or not, in the order of arrival."""
        with self._lock:
            return [message.body for message in self._queue._messages]

    def fast_forward(self) -> None:
        """Make delayed messages and messages in flight visible now."""
        with self._lock:
            for message in self._queue._messages:
                message.visible_at = message.delayed_until = 0.0

    def wait(self, seconds: float) -> bool:
        """Wait until a message is visible; say whether one is."""
        self._queue.wait_for_messages(seconds)
        return self.has_visible

    @property
    def has_visible(self) -> bool:
        """Whether a message is visible."""
        with self._lock:
            return bool(self._queue.messages)

    def clear(self) -> None:
        """Remove all messages and the memory of earlier ones."""
        with self._lock:
            self._queue._messages = []
            self._queue.last_purged_at = None
            self._queue.pending_messages.clear()
            self._queue.deleted_messages.clear()

    @property
    def _queue(self) -> Queue:
        return sqs_backends[ACCOUNT][REGION].get_queue(self._name)


def start_move_task(aws: AwsServer, request: Request) -> Response | None:
    """Answer StartMessageMoveTask, which moto lacks: dead letters go back to their queues, all at once.

    Args:
        aws: whose queues.
        request: any request to AWS; None is answered to another one.
    """
    if request.headers.get("X-Amz-Target") != "AmazonSQS.StartMessageMoveTask":
        return None
    source = request.get_json(force=True)["SourceArn"]
    with aws.lock:
        queues = sqs_backends[ACCOUNT][REGION].queues.values()
        [dead_letters] = [queue for queue in queues if queue.queue_arn == source]
        [target] = [queue for queue in queues if queue.dead_letter_queue is dead_letters]
        messages, dead_letters._messages = dead_letters._messages, []
        for message in messages:
            target.add_message(message)
    answer = json.dumps({"TaskHandle": str(uuid.uuid4())})
    return Response(answer, content_type="application/x-amz-json-1.0")


@contextmanager
def queues_follow(now: Callable[[], float]) -> Iterator[None]:
    """Let moto's queues follow a clock.

    When the clock moves forward by an hour, delays, visibility timeouts and retention periods of an
    hour are over. Of several clocks the latest counts.

    Args:
        now: the clock; Unix seconds.
    """
    before = vars(moto.sqs.models)["unix_time_millis"]
    # setattr: a name that moto's module only imports.
    setattr(moto.sqs.models, "unix_time_millis", lambda: now() * 1000)  # noqa: B010
    try:
        yield
    finally:
        setattr(moto.sqs.models, "unix_time_millis", before)  # noqa: B010


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
