"""The reports of reconciliations in the bucket: which there are, what they say, and how to open them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.errors import RetryLater

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OPEN_SECONDS = 60
"""How long the address of a file is valid."""
FILES = {
    "report.html": "Full report",
    "report.xlsx": "Workbook",
    "findings.csv": "Differences as CSV",
    "figures.csv": "Figures as CSV",
}
"""The files of a report that people open."""
_JSON = "report.json"
_PERIOD = re.compile(r"\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_MISSING = {"NoSuchKey", "404", "AccessDenied"}


@dataclass(frozen=True, slots=True)
class ReportName:
    """The name of a report: its period, such as ``2026-11-01_2026-11-30``, and when it was made."""

    period: str
    moment: str

    @property
    def path(self) -> str:
        """The path of its page, below the connection's."""
        return f"/reconciliation/{self.period}/{self.moment}"

    @property
    def days(self) -> str:
        """The period in words."""
        return self.period.replace("_", " to ")

    @property
    def made_at(self) -> str:
        """When it was made, as a timestamp."""
        day, _, clock = self.moment.partition("T")
        return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"


class Reports:
    """The reports of all connections; every method but ``name`` may raise ``RetryLater``.

    Args:
        bucket: its name.
        make_client: makes a client of S3, when one is needed.
    """

    def __init__(self, bucket: str, make_client: Callable[[], "S3Client"]) -> None:
        self._bucket = bucket
        self._make_client = make_client

    @staticmethod
    def name(period: str, moment: str) -> ReportName | None:
        """The name with these parts; ``None`` if they have another form."""
        fits = _PERIOD.fullmatch(period) and _MOMENT.fullmatch(moment)
        return ReportName(period, moment) if fits else None

    def names(self, connection: str) -> list[ReportName]:
        """The reports of a connection, the newest first."""
        found = list[ReportName]()
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"reports/{connection}/"
            )
            for page in pages:
                for item in page.get("Contents", ()):
                    *_, period, moment, file = item["Key"].split("/")
                    if file == _JSON and (name := self.name(period, moment)):
                        found.append(name)
        except (ClientError, BotoCoreError) as error:
            raise _no_answer(error) from error
        return sorted(found, key=lambda name: name.moment, reverse=True)

    def read(self, connection: str, name: ReportName) -> dict[str, Any] | None:
        """What a report says; ``None`` if there is no such report."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=_key(connection, name, _JSON))
            found = json.loads(answer["Body"].read())
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                return None
            raise _no_answer(error) from error
        except BotoCoreError as error:
            raise _no_answer(error) from error
        return found if isinstance(found, dict) else None

    def address(self, connection: str, name: ReportName, file: str) -> str:
        """An address at which a browser may open a file of a report, for ``OPEN_SECONDS``."""
        return self._client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self._bucket, "Key": _key(connection, name, file)},
            ExpiresIn=OPEN_SECONDS,
        )

    @cached_property
    def _client(self) -> "S3Client":
        return self._make_client()


def _key(connection: str, name: ReportName, file: str) -> str:
    return f"reports/{connection}/{name.period}/{name.moment}/{file}"


def _no_answer(error: Exception) -> RetryLater:
    return RetryLater(f"The bucket of reports does not answer ({type(error).__name__}).")
