"""The S3 bucket of reports, and the SNS topic of alarms and summaries."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.errors import RetryLater

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

WORK_PREFIX = "work/"
"""Prefix of the data that a run has read so far; the bucket's lifecycle deletes it."""
_MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ReportBucket:
    """Reports, and the data that a run has read so far.

    Every method may raise ``RetryLater`` when S3 does not answer.
    """

    def __init__(self, name: str, s3: "S3Client") -> None:
        self.name = name
        self._s3 = s3

    def put_part(self, run: str, name: str, number: int, rows: Any) -> None:  # noqa: ANN401
        """Store the rows that a step has read; a repeated step overwrites its part."""
        body = json.dumps(rows, separators=(",", ":")).encode()
        self._put(f"{WORK_PREFIX}{run}/{name}-{number:05}.json", body, "application/json")

    def parts(self, run: str, name: str, count: int) -> Iterator[Any]:
        """The rows that the steps have read, part by part."""
        for number in range(1, count + 1):
            try:
                answer = self._s3.get_object(
                    Bucket=self.name, Key=f"{WORK_PREFIX}{run}/{name}-{number:05}.json"
                )
                body = answer["Body"].read()
            except (ClientError, BotoCoreError) as error:
                raise RetryLater(
                    f"The bucket of reports does not answer ({type(error).__name__})."
                ) from error
            yield json.loads(body)

    def put_report(self, folder: str, name: str, content: str | bytes) -> str:
        """Write a file of a report, and return its address.

        Args:
            folder: folder of the report.
            name: file name; its extension determines the media type.
            content: of the file; a text is written in UTF-8.
        """
        key = f"reports/{folder}/{name}"
        media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
        self._put(key, content.encode() if isinstance(content, str) else content, media_type)
        return f"s3://{self.name}/{key}"

    def _put(self, key: str, body: bytes, content_type: str) -> None:
        try:
            self._s3.put_object(Bucket=self.name, Key=key, Body=body, ContentType=content_type)
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The bucket of reports does not answer ({type(error).__name__}).") from error


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """How many subscriptions of a topic are confirmed, and how many still wait for it."""

    confirmed: int
    pending: int


class Topic:
    """The topic of alarms and summaries."""

    def __init__(self, arn: str, sns: "SNSClient") -> None:
        self._arn = arn
        self._sns = sns

    def subscriptions(self) -> Subscriptions:
        """How many subscriptions there are, without their addresses.

        Raises:
            RetryLater: SNS does not answer.
        """
        try:
            found = self._sns.get_topic_attributes(TopicArn=self._arn)["Attributes"]
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The topic of alarms does not answer ({type(error).__name__}).") from error
        return Subscriptions(
            int(found.get("SubscriptionsConfirmed", 0)), int(found.get("SubscriptionsPending", 0))
        )

    def publish(self, subject: str, body: str) -> None:
        """Send a message to all subscribers.

        Raises:
            RetryLater: SNS did not accept it.
        """
        try:
            self._sns.publish(TopicArn=self._arn, Subject=subject, Message=body)
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The topic does not take the summary ({type(error).__name__}).") from error
