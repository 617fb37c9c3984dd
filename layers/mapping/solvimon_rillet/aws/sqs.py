"""Queues whose messages can be deferred without using up their receive count.

SQS counts every receive, and a message that was received too often goes to the dead-letter queue. Waiting
for a vendor is not a fault of the message, so a *copy* is sent with a delay, and the original is
acknowledged. If the function crashes in between, there are two copies, which is harmless: events are hints.
"""

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.aws.batches import send_until_taken
from solvimon_rillet.errors import RetryLater

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_DELAY_SECONDS = 900  # limit of SQS
MAX_DEFERRAL_SECONDS = 14 * 24 * 3600
_FIRST_DELAY_SECONDS = 15
_MESSAGES_A_REQUEST = 10  # limit of one request


@dataclass(frozen=True, slots=True)
class Deferred:
    """The wait of a message in seconds: until its next receive, and since its first one."""

    delay: int
    waited: int


class Queue:
    """The queue of a workflow.

    Args:
        url: of the queue.
        sqs: the client.
        clock: unix seconds.
        sleep: waits before the rest of a batch is sent again.
    """

    def __init__(
        self,
        url: str,
        sqs: "SQSClient",
        clock: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url
        self._sqs = sqs
        self._clock = clock
        self._sleep = sleep

    def defer(
        self, body: str, attributes: Mapping[str, Any], after: float | None, group: str = ""
    ) -> Deferred:
        """Send a copy of a message to the queue, with a delay.

        Args:
            body: body of the message.
            attributes: its message attributes in Lambda's form.
            after: seconds to wait; ``None`` backs off from 15 seconds to 15 minutes.
            group: the message's group, such as its connection: SQS gives the messages of small groups first
                while one group has a backlog (fair queues).

        Returns:
            The delay, and how long the message has waited.

        Raises:
            RetryLater: SQS did not accept it, or the message has waited for 14 days. Then the original must
                stay; its receive count leads it to the dead-letter queue.
        """
        now = int(self._clock())
        deferrals, first_seen = (
            _number_attribute(attributes, "deferrals", 0),
            _number_attribute(attributes, "first_seen", now),
        )
        if now - first_seen > MAX_DEFERRAL_SECONDS:
            raise RetryLater("The message has waited for 14 days.")
        delay = min(MAX_DELAY_SECONDS, math.ceil(after) if after is not None else _back_off(deferrals))
        in_group: dict[str, Any] = {"MessageGroupId": group} if group else {}
        try:
            self._sqs.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                DelaySeconds=max(1, delay),
                MessageAttributes={
                    "deferrals": {"DataType": "Number", "StringValue": str(deferrals + 1)},
                    "first_seen": {"DataType": "Number", "StringValue": str(first_seen)},
                },
                **in_group,
            )
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The queue does not take the message ({type(error).__name__}).") from error
        return Deferred(max(1, delay), now - first_seen)

    def put(self, bodies: Sequence[str], groups: Sequence[str] = ()) -> None:
        """Send messages to the queue without delay.

        Args:
            bodies: bodies of the messages.
            groups: the group of each message, as in ``defer``; empty for none.

        Raises:
            RetryLater: SQS did not accept all of them. Some may be sent, which is harmless.
        """
        messages = list(zip(bodies, groups or [""] * len(bodies), strict=True))
        for start in range(0, len(messages), _MESSAGES_A_REQUEST):
            batch = dict(enumerate(messages[start : start + _MESSAGES_A_REQUEST]))
            if send_until_taken(self._put, batch, self._sleep):
                raise RetryLater("The queue does not take all messages.")

    def depth(self) -> int:
        """The approximate number of waiting messages.

        Raises:
            RetryLater: SQS does not answer.
        """
        try:
            answer = self._sqs.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The queue does not answer ({type(error).__name__}).") from error
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def _put(self, messages: Mapping[int, tuple[str, str]]) -> dict[int, tuple[str, str]]:
        """Send up to ten messages with their groups, and return those that SQS did not accept."""
        entries: Any = [
            {"Id": str(number), "MessageBody": body, **({"MessageGroupId": group} if group else {})}
            for number, (body, group) in messages.items()
        ]
        try:
            answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The queue does not take messages ({type(error).__name__}).") from error
        return {int(entry["Id"]): messages[int(entry["Id"])] for entry in answer.get("Failed", [])}


def _back_off(deferrals: int) -> int:
    delay: int = min(MAX_DELAY_SECONDS, _FIRST_DELAY_SECONDS << min(deferrals, 10))
    return round(delay * random.uniform(0.8, 1.0))  # noqa: S311 - spreads retries, keeps no secret


def _number_attribute(attributes: Mapping[str, Any], name: str, default: int) -> int:
    value = attributes.get(name, {}).get("stringValue", "")
    return int(value) if str(value).isascii() and str(value).isdigit() else default
