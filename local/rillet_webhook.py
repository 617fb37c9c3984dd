"""Rillet's webhook, set up as a person does it in Rillet's settings and in AWS's console."""

import json
from collections.abc import Sequence

from local.system import Connection, LocalSystem


def add_rillet_webhook(
    system: LocalSystem,
    connection: Connection,
    events: Sequence[str] | None = None,
    *,
    url: str = "",
    token: str | None = None,
) -> None:
    """Make the webhook in Rillet and put its token into the connection's secret of webhooks.

    Args:
        system: the local system.
        connection: which one.
        events: what Rillet notifies of; without, everything.
        url: where to; without, the connection's path of the HTTP API.
        token: of the webhook; without, Rillet makes one up.
    """
    url = url or connection.webhook_url.replace("/solvimon/", "/rillet/")
    webhook = connection.organisation.add_webhook(url, token, events=events)
    name = f"{system.deployment.stack}/{connection.name}/webhooks"
    secret = json.loads(system.aws.secretsmanager.get_secret_value(SecretId=name)["SecretString"])
    system.put_secret(connection.name, "webhooks", {**secret, "webhook_token": webhook.token})
