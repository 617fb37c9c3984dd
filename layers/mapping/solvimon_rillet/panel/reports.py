"""The reports of reconciliations in S3: which there are, what they say, and an address to open one."""

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.errors import RetryLater

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "reports/"
LISTS = "lists/"
ADDRESS_SECONDS = 60
"""How long an address opens a report; the browser opens it at once."""


class Reports:
    """Reads the reports of all connections.

    A report is opened at S3's own address: whatever its HTML holds, it runs in another origin than the panel.

    Args:
        bucket: its name.
        connect: makes the client of S3, when a page needs it.
    """

    def __init__(self, bucket: str, connect: Callable[[], "S3Client"]) -> None:
        self._bucket = bucket
        self._connect = connect

    @cached_property
    def _s3(self) -> "S3Client":
        return self._connect()

    def folders(self, folder: str) -> list[str]:
        """The names of the folders within a folder of ``reports/``, such as the periods of a connection.

        Args:
            folder: such as ``default/``.

        Raises:
            RetryLater: S3 does not answer.
        """
        found, more = list[str](), dict[str, str]()
        prefix = f"{PREFIX}{folder}"
        while True:
            try:
                page: Any = self._s3.list_objects_v2(
                    Bucket=self._bucket,
                    Prefix=prefix,
                    Delimiter="/",
                    **more,  # type: ignore[arg-type]
                )
            except (ClientError, BotoCoreError) as error:
                raise _unavailable(error) from error
            found += [each["Prefix"][len(prefix) : -1] for each in page.get("CommonPrefixes", ())]
            if not page.get("IsTruncated"):
                return found
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def read(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """The content of a JSON file, by its name below ``reports/``; ``None`` if there is none.

        Raises:
            RetryLater: S3 does not answer.
        """
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=f"{PREFIX}{name}")
            return json.loads(answer["Body"].read())
        except ClientError as error:
            # S3 tells of a missing file only who may list the whole bucket.
            if error.response.get("Error", {}).get("Code") in {"NoSuchKey", "AccessDenied"}:
                return None
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error

    def address(self, name: str) -> str:
        """An address that opens a file for a minute, by its name below ``reports/``."""
        return self._s3.generate_presigned_url(
            "get_object",
            Params={"Bucket": self._bucket, "Key": f"{PREFIX}{name}"},
            ExpiresIn=ADDRESS_SECONDS,
        )

    def list_address(self, name: str) -> str:
        """An address that saves a list for a minute, by its name below ``lists/``; empty if there is none.

        Raises:
            RetryLater: S3 does not answer.
        """
        place: Any = {"Bucket": self._bucket, "Key": f"{LISTS}{name}"}
        try:
            self._s3.head_object(**place)
        except ClientError as error:
            # S3 tells of a missing file only who may list the bucket.
            if error.response.get("Error", {}).get("Code") in {"404", "403", "NoSuchKey", "AccessDenied"}:
                return ""
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        saved = f'attachment; filename="{name.rpartition("/")[2]}"'
        return self._s3.generate_presigned_url(
            "get_object",
            Params={**place, "ResponseContentDisposition": saved},
            ExpiresIn=ADDRESS_SECONDS,
        )


def _unavailable(error: Exception) -> RetryLater:
    return RetryLater(f"The bucket of reports does not answer ({type(error).__name__}).")
