"""The vendors' side of a local system: both fakes, and the connections that an operator sets up."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from local import sample_data
from local.aws.deployment import Deployment
from local.aws.gateway import HttpApiGateway
from local.aws.stack_contents import StackConfiguration
from local.clock import Clock
from local.fake_rillet import FakeRillet
from local.fake_rillet.organisation import Organisation
from local.fake_solvimon import FakeSolvimon, Platform

Json = dict[str, Any]

REFERENCE_TYPES = ["solvimon_invoice_id", "solvimon_customer_id"]
"""External reference types that an operator makes in Rillet before the first invoice."""


@dataclass(frozen=True)
class Connection:
    """A Solvimon platform paired with a Rillet organisation, and the credentials of both.

    The Rillet key is always valid; with OAuth the functions do not know it.
    """

    name: str
    platform: Platform
    organisation: Organisation
    solvimon_api_key: str
    rillet_api_key: str
    webhook_secret: str
    webhook_url: str
    settings: Json


class ConnectedVendors:
    """Fakes of both vendors beside a deployed stack, and the connections between them.

    Attributes:
        clock: of the fakes, the functions and the queues.
        connections: by name.
        configuration: the stack's secrets and settings.
        deployment: the stack.
    """

    configuration: StackConfiguration
    deployment: Deployment

    def __init__(self, stack: str) -> None:
        self.clock = Clock()
        self.gateway = HttpApiGateway()
        self.rillet = FakeRillet(clock=self.clock.now)
        self.solvimon = FakeSolvimon(clock=self.clock.now)
        self.connections: dict[str, Connection] = {}
        self._stack = stack

    def connect(
        self,
        connection: str = "default",
        settings: Json | None = None,
        *,
        auth: Literal["api_key", "oauth"] = "api_key",
        solvimon: Mapping[str, list[Json]] | None = None,
        rillet: Json | None = None,
    ) -> Connection:
        """Set up a connection as an operator does, on both sides and in AWS.

        Args:
            connection: its name.
            settings: the connection's settings; where the vendors are is added.
            auth: how the functions authenticate to Rillet. With `oauth` they get no key, and the deployment
                becomes a client of Rillet; `authorise` does the rest.
            solvimon: records of the Solvimon platform, as in `fake_solvimon.State.add_platform`.
            rillet: objects of the Rillet organisation, as in `fake_rillet.State.load`. Without
                external reference types it gets those that the default settings name.
        """
        solvimon_key, rillet_key = f"solvimon-key-{connection}", f"rillet-key-{connection}"
        webhook_secret = secrets.token_hex(32)
        webhook_url = f"{self.gateway.url}/webhooks/solvimon/{connection}"
        platform = self.solvimon.state.add_platform(solvimon_key, solvimon)
        platform.add_webhook(webhook_url, webhook_secret)
        seed = {"external_reference_types": REFERENCE_TYPES, **(rillet or {})}
        organization = {"api_key": rillet_key, **seed.get("organization", {})}
        organisation = self.rillet.state.load({**seed, "organization": organization})
        urls = {"solvimon": self.solvimon.url, "rillet": self.rillet.url}
        merged = dict(settings or {})
        merged |= {vendor: {"base_url": url, **merged.get(vendor, {})} for vendor, url in urls.items()}
        self.put_secret(connection, "solvimon", {"api_key": solvimon_key})
        self.put_secret(connection, "webhooks", {"webhook_secret": webhook_secret})
        if auth == "api_key":
            self.put_secret(connection, "rillet", {"auth": "api_key", "api_key": rillet_key})
        else:
            self._register_oauth_client()
        self.put_settings(connection, merged)
        made = Connection(
            connection, platform, organisation, solvimon_key, rillet_key, webhook_secret, webhook_url, merged
        )
        self.connections[connection] = made
        return made

    def connect_demo(
        self, name: str = "default", *, auth: Literal["api_key", "oauth"] = "api_key", **settings: object
    ) -> Connection:
        """Set up a connection with the demo's records on both sides.

        Every platform has the same Solvimon ids. Each organisation but the default one has an id of its own.

        Args:
            name: of the connection.
            auth: how the functions authenticate to Rillet.
            settings: settings of the connection, beside the fallback products of the demo.
        """
        rillet = sample_data.rillet_seed()
        if name != "default":
            rillet["organization"] |= {"id": f"org-{name}", "trade_name": name.title()}
        return self.connect(
            name,
            {"fallback_products": sample_data.fallback_products(), **settings},
            auth=auth,
            solvimon=sample_data.solvimon_seed(),
            rillet=rillet,
        )

    def add_rillet_webhook(
        self,
        connection: Connection,
        events: Sequence[str] | None = None,
        *,
        url: str = "",
        token: str | None = None,
    ) -> None:
        """Make a webhook in Rillet as a person does, and put its token into the secret of webhooks.

        Args:
            connection: which one.
            events: what Rillet notifies of; without, everything.
            url: where to; without, the connection's path of the HTTP API.
            token: of the webhook; without, Rillet makes one up.
        """
        url = url or connection.webhook_url.replace("/solvimon/", "/rillet/")
        webhook = connection.organisation.add_webhook(url, token, events=events)
        secret = self.configuration.secret(f"{connection.name}/webhooks")
        self.put_secret(connection.name, "webhooks", {**secret, "webhook_token": webhook.token})

    def put_secret(self, connection: str, vendor: str, value: Mapping[str, str]) -> None:
        """Write a secret (`solvimon`, `rillet` or `webhooks`); functions may know the old one for a while."""
        self.configuration.put_secret(f"{connection}/{vendor}", value)

    def put_settings(self, connection: str, settings: Json | str) -> None:
        """Write the settings as they are; functions may know the old ones for a while."""
        self.configuration.put_settings(connection, settings)

    def _register_oauth_client(self) -> None:
        """Register the deployment at Rillet, once, and create the secret for it."""
        server, client = self.rillet.state.oauth, self._stack
        if client not in server.clients:
            secret, back = secrets.token_urlsafe(32), self.deployment.outputs["OAuthRedirectUri"]
            server.add_client(client, secret, redirect_uris=[back])
            value = {"client_id": client, "client_secret": secret}
            self.configuration.put_secret("rillet-oauth-client", value)
