"""Every secret of a run, and how many of them its functions wrote into their logs."""

import json
from collections.abc import Iterable, Iterator

from moto.secretsmanager.models import secretsmanager_backends

from local.aws.server import ACCOUNT, REGION
from local.system import LocalSystem

_SECRET_FIELDS = {
    *("api_key", "webhook_secret", "previous_webhook_secret", "webhook_token"),
    *("client_secret", "access_token", "refresh_token"),
}
_LEAST = 8
"""Characters of a text that is looked for; a shorter one could be anything."""


def secrets_of(system: LocalSystem) -> set[str]:
    """Return the secrets that a system has had: keys, tokens, codes and webhook secrets, old ones too."""
    oauth = system.rillet.state.oauth
    found = {*_stored(system), *oauth.tokens, *oauth.codes}
    found |= {client.secret or "" for client in oauth.clients.values()}
    for connection in system.connections.values():
        found |= {connection.solvimon_api_key, connection.rillet_api_key, connection.webhook_secret}
    return {secret for secret in found if len(secret) >= _LEAST}


def leaked(secrets: Iterable[str], logs: Iterable[str]) -> int:
    """Return how many secrets are in one of the logs."""
    text = "\n".join(logs)
    return sum(secret in text for secret in secrets)


def _stored(system: LocalSystem) -> Iterator[str]:
    """What Secrets Manager and Parameter Store hold; of secrets, all versions."""
    prefix = f"{system.deployment.stack}/"
    # moto's own dictionary: its API answers only the versions that have a stage.
    secrets = dict.items(secretsmanager_backends[ACCOUNT][REGION].secrets)
    texts = [
        version["secret_string"]
        for name, secret in secrets
        if name.startswith(prefix)
        for version in secret.versions.values()
    ]
    pages = system.aws.ssm.get_paginator("get_parameters_by_path").paginate(
        Path=f"/{prefix}", Recursive=True, WithDecryption=True
    )
    tokens = (each for page in pages for each in page["Parameters"] if each["Name"].endswith("/rillet-token"))
    for text in (*texts, *(each["Value"] for each in tokens)):
        fields = json.loads(text)
        yield from (value for name, value in fields.items() if name in _SECRET_FIELDS)
