"""The SSM parameter with a connection's settings: its versions, who wrote them, and writes under a lock.

A person may edit the parameter by hand at any time, which no lock of ours prevents and PutParameter has no
condition for. So a write of ours is made under a lock that keeps our own writers apart, right after the
version was checked, and its answer's version shows whether an edit by hand came between.

Who wrote a version is in its description, which Parameter Store keeps with each version. The description
names the version, because an edit by hand without a description keeps the one before.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.connections.names import UnknownConnection
from solvimon_rillet.errors import OutcomeUnknown, RetryLater

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

MAX_BYTES = 8192
"""Size of a parameter of the advanced tier, which Intelligent-Tiering takes above 4,096 bytes."""
_LOCK_SECONDS = 60
_DESCRIPTION = re.compile(r"Version (\d+), by (.+)", re.DOTALL)
_NOT_FOUND = "ParameterNotFound"


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """A version of the settings.

    Attributes:
        text: the JSON as it is stored.
        version: Parameter Store's number.
        at: when it was written.
        by: who wrote it: the name that the request gave, or the user's ARN of an edit by hand.
    """

    text: str
    version: int
    at: datetime | None = None
    by: str = ""


class SettingsParameter:
    """The settings of one connection in Parameter Store.

    Args:
        connection: its name.
        name: of the parameter.
        ssm: client.
        table: keeps the lock.
        clock: unix seconds.
    """

    def __init__(
        self, connection: str, name: str, ssm: "SSMClient", table: Table, clock: Callable[[], float]
    ) -> None:
        self._connection = connection
        self.name = name
        self._ssm = ssm
        self._table = table
        self._clock = clock

    def current(self) -> SettingsVersion:
        """The version in force.

        Raises:
            UnknownConnection: there is no such parameter.
            RetryLater: Parameter Store does not answer.
        """
        with self._translated():
            found = self._ssm.get_parameter(Name=self.name)["Parameter"]
        return SettingsVersion(found.get("Value", ""), int(found.get("Version", 0)))

    def versions(self) -> list[SettingsVersion]:
        """The versions that Parameter Store keeps, at most 100, oldest first; raises as ``current``."""
        found, token = list[Any](), dict[str, Any]()
        while True:
            with self._translated():
                page = self._ssm.get_parameter_history(Name=self.name, MaxResults=50, **token)
            found += page["Parameters"]
            if not page.get("NextToken"):
                return [_settings_version(each) for each in found]
            token = {"NextToken": page["NextToken"]}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers of ours out.

        Raises:
            RetryLater: another one writes at this moment.
        """
        key, owner, now = f"{self._connection}#settings#lock", uuid.uuid4().hex, int(self._clock())
        try:
            self._table.put(
                key,
                {"lease_owner": owner, "lease_until": now + _LOCK_SECONDS, "expires_at": now + 86_400},
                "attribute_not_exists(pk) OR lease_until <= :now",
                {":now": now},
            )
        except ConditionFailed as failed:
            left = int(failed.item.get("lease_until", now + _LOCK_SECONDS)) - now
            raise RetryLater(
                "Another user changes these settings at this moment.", after=max(1, left)
            ) from None
        try:
            yield
        finally:
            with suppress(ConditionFailed, RetryLater):  # it ends by its time
                self._table.delete_if(key, "lease_owner = :owner", {":owner": owner})

    def write(self, text: str, after: int, by: str) -> int:
        """Write the settings, under the lock.

        Args:
            text: the JSON.
            after: the version that it replaces.
            by: who writes.

        Returns:
            The new version; not ``after + 1`` if a user wrote by hand at the same moment.

        Raises:
            RetryLater: Parameter Store refused it.
            OutcomeUnknown: its answer was lost.
        """
        try:
            answer = self._ssm.put_parameter(
                Name=self.name,
                Value=text,
                Type="String",
                Overwrite=True,
                Tier="Intelligent-Tiering",
                Description=f"Version {after + 1}, by {by}",
            )
        except ClientError as error:
            raise RetryLater(f"Parameter Store refused the settings ({_code(error)}).") from error
        except BotoCoreError as error:
            raise OutcomeUnknown(
                f"Parameter Store did not answer ({type(error).__name__}): whether the settings were written "
                "is not known."
            ) from error
        return int(answer["Version"])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if _code(error) == _NOT_FOUND:
                raise UnknownConnection(self._connection) from None
            raise RetryLater(f"The settings cannot be read ({_code(error)}).") from error
        except BotoCoreError as error:
            raise RetryLater(f"Parameter Store does not answer ({type(error).__name__}).") from error


def _settings_version(item: Any) -> SettingsVersion:  # noqa: ANN401 - a version of Parameter Store
    number = int(item["Version"])
    noted = _DESCRIPTION.fullmatch(item.get("Description") or "")
    # The user of a write by hand; without a path, which says nothing to a person.
    user = str(item.get("LastModifiedUser") or "").rpartition(":")[2]
    by = noted[2] if noted and int(noted[1]) == number else user or "unknown"
    return SettingsVersion(item.get("Value", ""), number, item.get("LastModifiedDate"), by)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
