"""moto's queues from inside: their depth, and their clock."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import moto.sqs.models
from moto.sqs.models import Queue, sqs_backends
from werkzeug.wrappers import Request, Response

from local.aws.server import ACCOUNT, REGION, AwsServer


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
