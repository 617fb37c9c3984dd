"""The S3 bucket of reports, and the SNS topic of alarms and summaries."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.errors import RetryLater
from solvimon_rillet.formatting import clip

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

_MAX_DESCRIPTION = 8000  # bytes; a custom notification has at most as many characters
WORK_PREFIX = "work/"
"""Prefix of the data that a run has read so far; the bucket's lifecycle deletes it."""
LIST_PREFIX = "lists/"
"""Prefix of the lists that people read, edit and give back; the bucket's lifecycle deletes them."""
MAX_LIST_BYTES = 5_000_000
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

    def put_list(self, connection: str, name: str, content: str) -> str:
        """Write a list for people, and return its key.

        Args:
            connection: name of the connection; its lists have a folder.
            name: file name; its extension determines the media type.
            content: of the file.
        """
        key = f"{LIST_PREFIX}{connection}/{name}"
        self._put(key, content.encode(), _MEDIA_TYPES[name.rpartition(".")[2]])
        return key

    def list_file(self, connection: str, key: str) -> bytes | None:
        """The content of a list of a connection; ``None`` if there is none under this key.

        Raises:
            ValueError: the key is of another folder, or the file has more than ``MAX_LIST_BYTES``.
        """
        folder = f"{LIST_PREFIX}{connection}/"
        if not key.startswith(folder):
            raise ValueError(f"The file must be under {folder} in the bucket of reports.")
        try:
            content: bytes = self._s3.get_object(Bucket=self.name, Key=key)["Body"].read(MAX_LIST_BYTES + 1)
        except ClientError as error:
            # Without the permission to list the bucket, S3 answers 403 for a key that does not exist.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in {403, 404}:
                return None
            raise RetryLater(f"The bucket of reports does not answer ({type(error).__name__}).") from error
        except BotoCoreError as error:
            raise RetryLater(f"The bucket of reports does not answer ({type(error).__name__}).") from error
        if len(content) > MAX_LIST_BYTES:
            raise ValueError(f"The file has more than {MAX_LIST_BYTES // 1_000_000} MB. Split it.")
        return content

    def _put(self, key: str, body: bytes, content_type: str) -> None:
        try:
            self._s3.put_object(Bucket=self.name, Key=key, Body=body, ContentType=content_type)
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The bucket of reports does not answer ({type(error).__name__}).") from error


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The numbers of confirmed subscriptions of a topic, and of those that wait for it."""

    confirmed: int
    pending: int


class Topic:
    """The topic of alarms and summaries.

    Args:
        arn: of the topic.
        sns: the client.
        has_channel: whether a Slack channel subscribes to it. Amazon Q Developer in chat applications (AWS
            Chatbot) shows a text of our own only in the form of its custom notifications.
    """

    def __init__(self, arn: str, sns: "SNSClient", *, has_channel: bool = False) -> None:
        self._arn = arn
        self._sns = sns
        self._has_channel = has_channel

    def subscriptions(self) -> Subscriptions:
        """The numbers of subscriptions, without their addresses.

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
        message: dict[str, Any] = {"TopicArn": self._arn, "Subject": subject, "Message": body}
        if self._has_channel:
            message |= {"Message": _by_protocol(subject, body), "MessageStructure": "json"}
        try:
            self._sns.publish(**message)
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The topic does not take the summary ({type(error).__name__}).") from error


def _by_protocol(subject: str, body: str) -> str:
    """The message for subscribers by e-mail and for the channel, which subscribes by HTTPS."""
    content = {"textType": "client-markdown", "title": subject, "description": clip(body, _MAX_DESCRIPTION)}
    custom = json.dumps({"version": "1.0", "source": "custom", "content": content})
    return json.dumps({"default": body, "email": body, "https": custom})
