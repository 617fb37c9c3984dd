"""The secrets of a local system, and the search for them in what must not hold any."""

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from local.system import LocalSystem

_SHORTEST = 9
"""Shorter values, such as the name of a kind of authentication, are no secrets."""
_PUBLIC = {"organisation_id", "organisation_name", "scope", "client_id", "expires_at", "obtained_at"}


def stored_secrets(system: LocalSystem) -> dict[str, str]:
    """Every value that Secrets Manager and encrypted parameters hold, by its name and key."""
    found: dict[str, str] = {}
    for secret in system.aws.secretsmanager.list_secrets()["SecretList"]:
        name = secret["Name"]
        text = system.aws.secretsmanager.get_secret_value(SecretId=name)["SecretString"]
        found |= _values(name, text)
    for parameter in system.aws.ssm.describe_parameters()["Parameters"]:
        if parameter["Type"] == "SecureString":
            name = parameter["Name"]
            found |= _values(
                name, system.aws.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
            )
    return found


def leaked(secrets: Iterable[tuple[str, str]], text: str) -> list[str]:
    """The names of the secrets that a text holds: as they are, in JSON, in a URL or in Base64."""
    return sorted({name for name, value in secrets if any(form in text for form in _forms(value))})


def _values(name: str, text: str) -> dict[str, str]:
    return {
        f"{name} {key}": value
        for key, value in json.loads(text).items()
        if key not in _PUBLIC and len(value) >= _SHORTEST
    }


def _forms(value: str) -> Iterator[str]:
    yield value
    yield json.dumps(value)[1:-1]
    yield quote(value, safe="")
    # In the middle of a longer text, Base64 begins at one of three offsets.
    for offset in range(3):
        coded = base64.b64encode(b"-" * offset + value.encode()).decode().rstrip("=")
        yield coded[(offset * 8 + 5) // 6 : -1]
