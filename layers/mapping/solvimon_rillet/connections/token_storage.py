"""The places in which the Rillet tokens of a connection are stored: a secret, or a parameter.

Neither service has a conditional write; which of the stored tokens count is decided by ``TokenStore``.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.connections.credentials import parse_secret
from solvimon_rillet.errors import ConnectionBroken, RetryLater

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

logger = logging.getLogger(__name__)

SECRET, PARAMETER = "secret", "parameter"
MAX_PARAMETER_BYTES = 8000
"""Parameter Store takes 8 KB in its advanced tier; a longer token stays in the secret, which takes 64 KB."""
IN_DELETION = "InvalidRequestException"
"""Secrets Manager's error for a secret that is scheduled for deletion."""
_NO_SECRET_CODES = {
    IN_DELETION,
    "ParameterNotFound",
    "ParameterVersionNotFound",
    "ResourceNotFoundException",
}


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A version of the secret or of the parameter.

    Attributes:
        fields: its texts.
        text: the JSON as it is stored.
        place: where exactly it is stored: ``secret:<version>`` or ``parameter:<version>``.
    """

    fields: Mapping[str, str]
    text: str
    place: str


class TokenStorage:
    """Reads and writes the secret and the parameter of one connection.

    Args:
        secret: name of the secret.
        parameter: name of the parameter.
        secrets: Secrets Manager.
        ssm: Parameter Store.
    """

    def __init__(
        self, secret: str, parameter: str, secrets: "SecretsManagerClient", ssm: "SSMClient", key: str = ""
    ) -> None:
        self._secret = secret
        self._parameter = parameter
        self._secrets = secrets
        self._ssm = ssm
        self._key: dict[str, str] = {"KeyId": key} if key else {}

    def parameter(self, version: str = "") -> StoredValue | None:
        """The parameter, or one of its versions; ``None`` if there is none.

        Raises:
            ConnectionBroken: it is not a JSON object of texts.
            RetryLater: Parameter Store does not answer.
        """
        name = f"{self._parameter}:{version}" if version else self._parameter
        try:
            found = self._ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        except (ClientError, BotoCoreError) as error:
            if _failure_code(error) in _NO_SECRET_CODES:
                return None
            raise RetryLater(f"The parameter {name} cannot be read now ({_failure_code(error)}).") from error
        text = found.get("Value", "")
        fields = parse_secret(self._parameter, text)
        return StoredValue(fields, text, f"{PARAMETER}:{found.get('Version', '')}")

    def version(self, place: str) -> StoredValue | None:
        """Exactly the version that a place names, whatever was written since; ``None`` if it is not there.

        Raises:
            RetryLater: the service does not answer.
        """
        kind, _, version = place.partition(":")
        if kind == PARAMETER:
            return self.parameter(version)
        try:
            text = self._secrets.get_secret_value(SecretId=self._secret, VersionId=version)["SecretString"]
        except (ClientError, BotoCoreError) as error:
            if _failure_code(error) in _NO_SECRET_CODES:
                return None
            raise RetryLater(f"The secret {self._secret} cannot be read ({_failure_code(error)}).") from error
        return StoredValue(parse_secret(self._secret, text), text, place)

    def write_back(self, stored: StoredValue) -> None:
        """Write what was read once more, which proves that new tokens could be written.

        For a secret the version goes with it: then Secrets Manager makes no new one (PutSecretValue: "the
        operation succeeds but does nothing").

        Raises:
            RetryLater: it cannot be written.
        """
        kind, _, version = stored.place.partition(":")
        try:
            if kind == PARAMETER:
                self._put_parameter(stored.text)
            else:
                self._secrets.put_secret_value(
                    SecretId=self._secret, SecretString=stored.text, ClientRequestToken=version
                )
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(
                f"Rillet's token is not refreshed, because a new one could not be stored "
                f"({_failure_code(error)})."
            ) from error

    def write(self, fields: Mapping[str, str], *, in_parameter: bool, marked: bool) -> str:
        """Write tokens where they belong, or in the other place if that fails, and return the place.

        Args:
            fields: the tokens, and what else the secret holds.
            in_parameter: whether they belong into the parameter.
            marked: whether the secret says already that they are in the parameter.

        Raises:
            ConnectionBroken: the secret is scheduled for deletion.
            RetryLater: they could not be written anywhere.
        """
        writers = [self._write_secret, self._write_parameter]
        if in_parameter and len(json.dumps(dict(fields))) <= MAX_PARAMETER_BYTES:
            writers.reverse()
        failure: ClientError | BotoCoreError | None = None
        for writer in writers:
            try:
                return writer(fields, marked=marked)
            except (ClientError, BotoCoreError) as error:
                if _failure_code(error) == IN_DELETION:
                    raise secret_in_deletion(self._secret) from None
                failure = failure or error
                logger.warning("rillet token not stored", extra={"reason": _failure_code(error)})
        raise RetryLater(f"Rillet's new token cannot be stored ({_failure_code(failure)}).") from failure

    def overwrite(self, place: str, fields: Mapping[str, str]) -> None:
        """Replace the newest version in the place of a version, if the service answers.

        Raises:
            RetryLater: it cannot be written.
        """
        text = json.dumps(dict(fields))
        try:
            if place.startswith(PARAMETER):
                self._put_parameter(text)
            else:
                self._secrets.put_secret_value(SecretId=self._secret, SecretString=text)
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(
                f"Outdated tokens of Rillet cannot be replaced ({_failure_code(error)})."
            ) from error

    def delete(self, fields: Mapping[str, str]) -> None:
        """Delete all tokens.

        Args:
            fields: what stays in the secret.

        Raises:
            RetryLater: they could not be deleted.
        """
        try:
            self._put_secret(json.dumps(dict(fields)))
            self._ssm.delete_parameter(Name=self._parameter)
        except (ClientError, BotoCoreError) as error:
            if _failure_code(error) not in _NO_SECRET_CODES:
                raise RetryLater(f"The tokens cannot be deleted now ({_failure_code(error)}).") from error

    def _write_secret(self, fields: Mapping[str, str], *, marked: bool) -> str:
        return f"{SECRET}:{self._put_secret(json.dumps({**fields, 'token_in': SECRET}))}"

    def _write_parameter(self, fields: Mapping[str, str], *, marked: bool) -> str:
        place = f"{PARAMETER}:{self._put_parameter(json.dumps(dict(fields)))}"
        if not marked:
            try:
                self._put_secret(json.dumps({**fields, "token_in": PARAMETER}))
            except (ClientError, BotoCoreError) as error:  # only a hint; the next refresh writes it
                logger.warning("rillet secret not marked", extra={"reason": _failure_code(error)})
        return place

    def _put_parameter(self, text: str) -> int:
        answer = self._ssm.put_parameter(
            Name=self._parameter,
            Value=text,
            Type="SecureString",
            Overwrite=True,
            Tier="Intelligent-Tiering",
            **self._key,  # type: ignore[arg-type]
        )
        return answer["Version"]

    def _put_secret(self, text: str) -> str:
        try:
            return self._secrets.put_secret_value(SecretId=self._secret, SecretString=text)["VersionId"]
        except ClientError as error:
            missing = self._secrets.exceptions.ResourceNotFoundException
            # A role that may write a secret by its whole ARN is denied one that has no ARN yet.
            if not isinstance(error, missing) and _failure_code(error) != "AccessDeniedException":
                raise
            # Only connect_rillet's role allows this: a refresh replaces an existing secret.
            return self._secrets.create_secret(Name=self._secret, SecretString=text)["VersionId"]


def secret_in_deletion(name: str) -> ConnectionBroken:
    """The error for a secret that is scheduled for deletion."""
    return ConnectionBroken(
        f"The secret {name} is scheduled for deletion or has no value. Restore it with aws secretsmanager "
        f"restore-secret --secret-id {name}; the documents wait."
    )


def _failure_code(error: object) -> str:
    """AWS's error code, or the name of the failure."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__
