"""A connection's settings (SSM parameter) and credentials (Secrets Manager), read when they are needed."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.errors import Code, ConnectionBroken, NeedsAttention, RetryLater
from solvimon_rillet.settings import Settings, SettingsInvalid

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

logger = logging.getLogger(__name__)

SETTINGS_SECONDS = 60
SECRET_SECONDS = 300
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_ABSENT = {"ResourceNotFoundException", "ParameterNotFound", "InvalidRequestException"}


@dataclass(slots=True)
class _Kept:
    value: Any
    until: float


class UnknownConnection(NeedsAttention):
    """There is no connection of this name."""

    def __init__(self, name: object) -> None:
        super().__init__(
            Code.CONNECTION_UNKNOWN,
            f"There is no connection {name!r}.",
            "Name a connection that has its settings and secrets (letters a-z, digits and hyphens).",
        )


def connection_name(name: object) -> str:
    """A valid connection name: it becomes part of secret names, so nothing else may be in it.

    Raises:
        UnknownConnection: it is not one.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise UnknownConnection(name)


class Configuration:
    """Reads settings and secrets of any connection of this stack, and keeps them for a short while.

    Settings are read again after 60 seconds, secrets after 300 or when a vendor refuses them. Settings that
    cannot be used keep the last good ones in force.
    """

    def __init__(
        self, stack: str, ssm: "SSMClient", secrets: "SecretsManagerClient", clock: Callable[[], float]
    ) -> None:
        self._stack = stack
        self._ssm = ssm
        self._secrets = secrets
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def settings(self, connection: str) -> Settings:
        """The settings in force.

        Raises:
            UnknownConnection: the connection has no settings parameter.
            RetryLater: they cannot be read or used, and there are no earlier ones.
        """
        name = f"/{self._stack}/{connection_name(connection)}/settings"
        kept = self._kept.get(name)
        if kept and self._clock() < kept.until:
            return kept.value  # type: ignore[no-any-return]
        try:
            text = self._ssm.get_parameter(Name=name)["Parameter"].get("Value", "")
            found = Settings.parse(text)
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise UnknownConnection(connection) from None
            found = self._last_good(connection, kept, "cannot be read", error)
        except (SettingsInvalid, BotoCoreError) as error:
            found = self._last_good(connection, kept, "cannot be used", error)
        self._kept[name] = _Kept(found, self._clock() + SETTINGS_SECONDS)
        return found

    def secret(self, connection: str, vendor: str) -> Mapping[str, str]:
        """A vendor's credentials for a connection: ``{stack}/{connection}/{vendor}``, a JSON object.

        Raises:
            ConnectionBroken: there is no such secret, or it is not a JSON object of texts.
            RetryLater: Secrets Manager does not answer.
        """
        name = self._secret_name(connection, vendor)
        kept = self._kept.get(name)
        if kept and self._clock() < kept.until:
            return kept.value  # type: ignore[no-any-return]
        try:
            text = self._secrets.get_secret_value(SecretId=name)["SecretString"]
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise ConnectionBroken(f"The secret {name} does not exist or has no value.") from None
            raise RetryLater(f"The secret {name} cannot be read now ({_code(error)}).") from error
        except BotoCoreError as error:
            raise RetryLater(f"Secrets Manager does not answer ({type(error).__name__}).") from error
        value = _texts(name, text)
        self._kept[name] = _Kept(value, self._clock() + SECRET_SECONDS)
        return value

    def credential(self, connection: str, vendor: str, key: str) -> str:
        """One value of a secret.

        Raises:
            ConnectionBroken: it is missing or empty.
        """
        value = self.secret(connection, vendor).get(key)
        if value:
            return value
        name = self._secret_name(connection, vendor)
        raise ConnectionBroken(f"The secret {name} has no {key!r}. Put it there; the documents wait.")

    def forget_secret(self, connection: str, vendor: str) -> None:
        """Read the secret anew next time, because the vendor refused what it said."""
        self._kept.pop(self._secret_name(connection, vendor), None)

    def _secret_name(self, connection: str, vendor: str) -> str:
        return f"{self._stack}/{connection_name(connection)}/{vendor}"

    def _last_good(self, connection: str, kept: _Kept | None, how: str, error: Exception) -> Settings:
        logger.error(
            "settings invalid",
            extra={"connection": connection, "reason": str(error), "last_good": kept is not None},
        )
        if kept is None:
            raise RetryLater(f"The settings of {connection} {how}: {error}") from error
        return kept.value  # type: ignore[no-any-return]


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _texts(name: str, text: str) -> dict[str, str]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, dict) and all(isinstance(part, str) for part in value.values()):
        return value
    raise ConnectionBroken(
        f"The secret {name} is not a JSON object of texts. Correct it; the documents wait."
    )
