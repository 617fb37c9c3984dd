"""Lambda's SQS event source: takes messages in batches, calls the function, deletes what is done."""

import base64
import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.deployment import DeployedQueue
from local.aws.queues import QueueView
from local.aws.runtime import LambdaRuntime
from local.aws.server import REGION, AwsServer

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 0.2


@dataclass(frozen=True)
class BatchDelivery:
    """One batch given to a function, by message ids."""

    function: str
    received: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    """Deleted from the queue."""
    failed: tuple[str, ...] = ()
    """Still in flight: visible again when the visibility timeout is over."""
    error: BaseException | None = None
    """What the function raised; then the whole batch failed."""


class Pollers:
    """The event sources of all deployed functions, by the name of the workflow."""

    def __init__(self, aws: AwsServer, runtime: LambdaRuntime, queues: Mapping[str, DeployedQueue]) -> None:
        self.queues = {workflow: QueueView(aws, queue.url) for workflow, queue in queues.items()}
        self.dead_letters = {
            workflow: QueueView(aws, queue.dead_letters_url) for workflow, queue in queues.items()
        }
        self.errors: list[BaseException] = []
        """What went wrong in background workers: what functions raised, and what SQS refused."""
        self._aws = aws
        self._runtime = runtime
        self._deployed = queues
        self._workers: list[threading.Thread] = []
        self._stopping = threading.Event()

    def deliver_once(self, function: str) -> BatchDelivery:
        """Give the function at most one batch of the messages that are visible now.

        Args:
            function: name of the workflow, such as `export_invoice`.
        """
        if not self.queues[function].has_visible:  # a call to SQS takes longer than a look
            return BatchDelivery(function)
        queue = self._deployed[function]
        messages = self._aws.sqs.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=min(queue.source.batch_size, 10),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        ).get("Messages", [])
        if not messages:
            return BatchDelivery(function)
        received = tuple(message["MessageId"] for message in messages)
        event = {"Records": [sqs_record(message, queue.arn) for message in messages]}
        try:
            answer = self._runtime.invoke(function, event)
        except KeyboardInterrupt:
            raise
        # Lambda survives every way in which a function ends, also what tests raise to kill it.
        except BaseException as error:  # noqa: BLE001
            return BatchDelivery(function, received, failed=received, error=error)
        failed = _failed(answer, received) if queue.source.reports_failures else ()
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            self._aws.sqs.delete_message_batch(
                QueueUrl=queue.url,
                Entries=[
                    {"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]}
                    for message in done
                ],
            )
        return BatchDelivery(function, received, tuple(message["MessageId"] for message in done), failed)

    def deliver(self, function: str, rounds: int = 1000) -> list[BatchDelivery]:
        """Give the function batch after batch until nothing is visible.

        Args:
            function: name of the workflow.
            rounds: batches at most.
        """
        deliveries: list[BatchDelivery] = []
        while len(deliveries) < rounds:
            delivery = self.deliver_once(function)
            if not delivery.received:
                break
            deliveries.append(delivery)
        return deliveries

    def start(self, workers: int | None = None) -> None:
        """Poll in the background, until `stop`.

        Args:
            workers: threads for each queue; never more than its `MaximumConcurrency`, which is also
                the default.
        """
        self._stopping.clear()
        for function, queue in self._deployed.items():
            limit = queue.source.max_concurrency or workers or 1
            for number in range(min(workers or limit, limit)):
                name = f"{function}-{number}"
                thread = threading.Thread(target=self._work, args=(function,), name=name, daemon=True)
                thread.start()
                self._workers.append(thread)

    def stop(self) -> None:
        """Let the workers finish their batch and end."""
        self._stopping.set()
        for thread in self._workers:
            thread.join()
        self._workers.clear()

    @property
    def running(self) -> bool:
        """Whether background workers poll."""
        return bool(self._workers)

    def _work(self, function: str) -> None:
        queue = self.queues[function]
        while not self._stopping.is_set():
            if not queue.wait(_IDLE_SECONDS):
                continue
            error: BaseException | None
            try:
                error = self.deliver_once(function).error
            except (BotoCoreError, ClientError) as refusal:  # SQS is out of order; polling goes on
                error = refusal
            if error is not None:
                self.errors.append(error)
                logger.warning("%s failed", function, exc_info=error)


def _failed(answer: Any, received: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ANN401 - the function's JSON
    # Lambda docs, "Success and failure conditions": an empty answer is a success of the whole batch, one
    # that names no message, an unknown one, or is no object at all, a failure of the whole batch.
    if not answer:
        return ()
    if not isinstance(answer, dict):
        return received
    failures = answer.get("batchItemFailures") or []
    named = tuple(
        str(failure.get("itemIdentifier")) if isinstance(failure, dict) else "" for failure in failures
    )
    return named if set(named) <= set(received) else received


def sqs_record(message: "MessageTypeDef", queue_arn: str) -> dict[str, Any]:
    """Return a message as Lambda gives it to a function."""
    body = message["Body"]
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": body,
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: _message_attribute(dict(value))
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }


def _message_attribute(value: dict[str, Any]) -> dict[str, Any]:
    # SQS says StringValue where Lambda says stringValue; Lambda has both lists, and bytes in base64.
    lowered = {
        name[0].lower() + name[1:]: base64.b64encode(content).decode()
        if isinstance(content, bytes)
        else content
        for name, content in value.items()
    }
    return {**lowered, "stringListValues": [], "binaryListValues": []}
