"""The settings (SSM parameters) and secrets (Secrets Manager) of connections, read when they are needed."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.connections.credentials import check_credential, parse_secret
from solvimon_rillet.connections.names import UnknownConnection, connection_name, is_connection_name
from solvimon_rillet.connections.token_storage import IN_DELETION, TokenStorage, secret_in_deletion
from solvimon_rillet.connections.webhook_settings import WebhookSettings
from solvimon_rillet.errors import ConnectionBroken, RetryLater, SettingsInvalid
from solvimon_rillet.http.allowed_hosts import AllowedHosts

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

    from solvimon_rillet.aws.dynamodb import Table
    from solvimon_rillet.connections.settings_parameter import SettingsParameter
    from solvimon_rillet.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")
SETTINGS_TTL_SECONDS = 60
SECRET_TTL_SECONDS = 300
_NO_PARAMETER_CODES = {"ResourceNotFoundException", "ParameterNotFound", IN_DELETION}
_AUTHS = ("api_key", "oauth")


@dataclass(frozen=True, slots=True)
class SecretValue:
    """A version of a secret.

    Attributes:
        fields: its texts.
        text: the JSON as it is stored.
        version: the version's id.
    """

    fields: Mapping[str, str]
    text: str
    version: str


@dataclass(slots=True)
class _Cached:
    value: Any
    until: float


class Configuration:
    """Settings and secrets of the connections of this stack, cached for a short time.

    Settings are cached for 60 seconds, secrets for 300 or until a vendor rejects them. While settings are
    invalid, the last valid ones stay in force; a metric with an alarm counts invalid ones.
    """

    def __init__(
        self,
        stack: str,
        ssm: "SSMClient",
        secrets: "SecretsManagerClient",
        clock: Callable[[], float],
        count: Callable[[str, str], None],
        hosts: AllowedHosts | None = None,
        kms_key: str = "",
    ) -> None:
        self._stack = stack
        self._ssm = ssm
        self._secrets = secrets
        self._clock = clock
        self._count = count
        self._hosts = hosts
        self._kms_key = kms_key
        self._cache: dict[str, _Cached] = {}
        self._settings_errors: dict[str, str] = {}

    @property
    def stack(self) -> str:
        """Name of the stack, with which the names of parameters and secrets begin."""
        return self._stack

    @property
    def hosts(self) -> AllowedHosts:
        """The hosts to which a connection's settings may send credentials."""
        return self._hosts or AllowedHosts()

    def connections(self) -> list[str]:
        """The names of all connections that have settings.

        Raises:
            RetryLater: Parameter Store does not answer.
        """
        path, found, token = f"/{self._stack}/", set[str](), dict[str, str]()
        while True:
            try:
                page = self._ssm.get_parameters_by_path(Path=path, Recursive=True, **token)  # type: ignore[arg-type]
            except (ClientError, BotoCoreError) as error:
                raise RetryLater(
                    f"The list of connections cannot be read ({type(error).__name__})."
                ) from error
            for parameter in page["Parameters"]:
                name, _, suffix = parameter.get("Name", "").removeprefix(path).partition("/")
                if suffix == "settings" and is_connection_name(name):
                    found.add(name)
            if "NextToken" not in page:
                return sorted(found)
            token = {"NextToken": page["NextToken"]}

    def settings(self, connection: str) -> "Settings":
        """The settings in force.

        Raises:
            UnknownConnection: the connection has no settings parameter.
            RetryLater: they cannot be read or used, and there are no earlier ones.
        """
        from solvimon_rillet.settings import Settings  # costs import time, which receive_webhook saves

        return self._settings(connection, Settings.parse)

    def webhook_settings(self, connection: str) -> WebhookSettings:
        """The settings of webhooks; raises as ``settings``."""
        return self._settings(connection, WebhookSettings.parse)

    def _settings(self, connection: str, parse: Callable[[str, AllowedHosts | None], T]) -> T:
        name = f"/{self._stack}/{connection_name(connection)}/settings"
        key = f"{parse.__qualname__} {name}"
        cached = self._cache.get(key)
        if cached and self._clock() < cached.until:
            return cached.value  # type: ignore[no-any-return]
        try:
            found = parse(self._ssm.get_parameter(Name=name)["Parameter"].get("Value", ""), self._hosts)
            self._settings_errors.pop(connection, None)
        except ClientError as error:
            if _error_code(error) in _NO_PARAMETER_CODES:
                raise UnknownConnection(connection) from None
            found = self._last_valid(connection, cached, "cannot be read", error)
        except (SettingsInvalid, BotoCoreError) as error:
            found = self._last_valid(connection, cached, "cannot be used", error)
        self._cache[key] = _Cached(found, self._clock() + SETTINGS_TTL_SECONDS)
        return found

    def settings_parameter(self, connection: str, table: "Table") -> "SettingsParameter":
        """The parameter with a connection's settings, to be changed; the table keeps its lock."""
        from solvimon_rillet.connections.settings_parameter import SettingsParameter

        name = f"/{self._stack}/{connection_name(connection)}/settings"
        return SettingsParameter(connection, name, self._ssm, table, self._clock)

    def settings_error(self, connection: str) -> str:
        """The error in the current settings; empty if they are valid."""
        return self._settings_errors.get(connection, "")

    def secret(self, connection: str, vendor: str) -> Mapping[str, str]:
        """A vendor's credentials for a connection: ``{stack}/{connection}/{vendor}``, a JSON object.

        Raises:
            ConnectionBroken: there is no such secret, or it is not a JSON object of texts.
            RetryLater: Secrets Manager does not answer.
        """
        return self._secret(self.secret_name(connection, vendor)).fields

    def _secret(self, name: str) -> SecretValue:
        cached = self._cache.get(name)
        if cached and self._clock() < cached.until:
            return cached.value  # type: ignore[no-any-return]
        try:
            answer = self._secrets.get_secret_value(SecretId=name)
        except ClientError as error:
            if _error_code(error) == IN_DELETION:
                raise secret_in_deletion(name) from None
            if _error_code(error) in _NO_PARAMETER_CODES:
                raise ConnectionBroken(f"The secret {name} does not exist or has no value.") from None
            if _error_code(error) == "AccessDeniedException":  # also for a secret that has no ARN yet
                raise ConnectionBroken(
                    f"The secret {name} does not exist, or this function's role may not read it."
                ) from None
            raise RetryLater(f"The secret {name} cannot be read now ({_error_code(error)}).") from error
        except BotoCoreError as error:
            raise RetryLater(f"Secrets Manager does not answer ({type(error).__name__}).") from error
        text = answer.get("SecretString", "")
        value = SecretValue(parse_secret(name, text), text, answer.get("VersionId", ""))
        self._cache[name] = _Cached(value, self._clock() + SECRET_TTL_SECONDS)
        return value

    def secret_name(self, connection: str, vendor: str) -> str:
        """The name of the secret with a vendor's credentials for a connection."""
        return f"{self._stack}/{connection_name(connection)}/{vendor}"

    def credential(self, connection: str, vendor: str, key: str) -> str:
        """One value of a secret.

        Raises:
            ConnectionBroken: it is missing or empty, or has a character that no credential has.
        """
        value, name = self.secret(connection, vendor).get(key), self.secret_name(connection, vendor)
        if value:
            return check_credential(name, key, value)
        raise ConnectionBroken(f"The secret {name} has no {key!r}. Put it there; the documents wait.")

    def credential_problems(self, connection: str) -> list[str]:
        """The problems of the credentials for both vendors, read now; the documents wait for them."""
        problems = list[str]()
        for vendor in ("solvimon", "rillet"):
            self.forget_secret(connection, vendor)
            try:
                if vendor == "solvimon" or not uses_oauth(self.rillet_secret(connection).fields):
                    self.credential(connection, vendor, "api_key")
                elif not self.secret(connection, vendor).get("access_token"):
                    problems.append("Rillet is not connected; invoke connect_rillet. The documents wait.")
            except RetryLater as error:
                problems.append(error.message)
        return problems

    def rillet_secret(self, connection: str, *, fresh: bool = False) -> SecretValue:
        """The Rillet secret of a connection: an API key, or the tokens of a grant (``TokenStore``).

        Args:
            connection: name of the connection.
            fresh: whether to bypass the cache.

        Raises:
            ConnectionBroken: there is no secret, or its ``auth`` is unknown.
            RetryLater: Secrets Manager does not answer.
        """
        if fresh:
            self.forget_secret(connection, "rillet")
        name = self.secret_name(connection, "rillet")
        secret = self._secret(name)
        if secret.fields.get("auth", _AUTHS[0]) not in _AUTHS:
            raise ConnectionBroken(
                f"The secret {name} has an unknown 'auth'; it must be {' or '.join(map(repr, _AUTHS))}. "
                "Correct it; the documents wait."
            )
        return secret

    def token_storage(self, connection: str) -> TokenStorage:
        """The places in which the Rillet tokens of a connection are stored."""
        parameter = f"/{self._stack}/{connection_name(connection)}/rillet-token"
        secret = self.secret_name(connection, "rillet")
        return TokenStorage(secret, parameter, self._secrets, self._ssm, self._kms_key)

    def deployment_secret(self, name: str) -> Mapping[str, str]:
        """A secret of the whole deployment, such as ``rillet-oauth-client``.

        Raises:
            ConnectionBroken: there is none.
            RetryLater: Secrets Manager does not answer.
        """
        return self._secret(f"{self._stack}/{name}").fields

    def api_url(self) -> str:
        """Address of the HTTP API, which the deployment stores for its functions.

        Raises:
            RetryLater: it cannot be read.
        """
        name = f"/{self._stack}/api-url"
        try:
            return self._ssm.get_parameter(Name=name)["Parameter"].get("Value", "").rstrip("/")
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The parameter {name} cannot be read ({type(error).__name__}).") from error

    def forget_secret(self, connection: str, vendor: str) -> None:
        """Drop the secret from the cache, because the vendor rejected it."""
        self._cache.pop(self.secret_name(connection, vendor), None)

    def _last_valid(self, connection: str, cached: _Cached | None, failure: str, error: Exception) -> Any:  # noqa: ANN401
        logger.error(
            "settings invalid",
            extra={"connection": connection, "reason": str(error), "last_good": cached is not None},
        )
        self._count("SettingsInvalid", connection)
        self._settings_errors[connection] = str(error)
        if cached is None:
            is_faulty = isinstance(error, SettingsInvalid)
            raise RetryLater(
                f"The settings of {connection} {failure}: {error}", needs_person=is_faulty
            ) from error
        return cached.value


def uses_oauth(fields: Mapping[str, str]) -> bool:
    """Whether a Rillet secret holds the tokens of a grant; otherwise it holds an API key."""
    return fields.get("auth", _AUTHS[0]) == "oauth"


def _error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
