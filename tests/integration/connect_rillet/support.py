"""What the tests of connecting share: a person with a browser, and all that a connection stores."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from local import sample_data
from local.fake_rillet.oauth.server import AuthorisationServer
from local.fake_rillet.organisation import Organisation
from local.fake_rillet.state import State
from local.system import Connection, LocalSystem
from solvimon_rillet.connections.refresh_lease import RefreshLease
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.rillet.oauth import Grant, RilletOAuth
from tests.support.arrange import finalise, until
from tests.support.assertions import dead_letters, ledger_without_rate_limit, rillet_invoices, waiting

Json = dict[str, Any]

STACK = "solvimon-rillet"
ACME = "acme"
HOUR = 3600
WAIT_SECONDS = "solvimon_rillet.connections.refresh_lease._MAX_REFRESH_WAIT_SECONDS"
STEP_SECONDS = "solvimon_rillet.connections.refresh_lease._POLL_SECONDS"
CALLBACK = "/oauth/rillet/callback"
FUNCTIONS = ("receive_webhook", "export_invoice", "connect_rillet")


def oauth(system: LocalSystem) -> AuthorisationServer:
    """Rillet's authorization server."""
    return system.rillet.state.oauth


def ask(system: LocalSystem, connection: str = ACME, action: str = "connect") -> Json:
    """Invoke ``connect_rillet`` directly."""
    answer: Json = system.invoke("connect_rillet", {"connection": connection, "action": action})
    return answer


def query_of(url: str) -> dict[str, str]:
    """The query of a URL."""
    return dict(parse_qsl(urlsplit(url).query))


def callback(system: LocalSystem, query: Mapping[str, str]) -> requests.Response:
    """Open the callback with a query."""
    return open_page(f"{system.gateway.url}{CALLBACK}?{urlencode(query)}")


def open_page(url: str) -> requests.Response:
    """Open a page as a browser does."""
    return requests.get(url, timeout=30)


@dataclass(frozen=True)
class OAuthConnection(Connection):
    """A connection that a person authorises in the browser: the acts of the tests, and what they read."""

    system: LocalSystem

    @property
    def oauth(self) -> AuthorisationServer:
        """Rillet's authorization server."""
        return oauth(self.system)

    @property
    def rillet(self) -> State:
        """The state of the Rillet fake, which can be told to misbehave."""
        return self.system.rillet.state

    def ask(self, action: str = "connect") -> Json:
        """Invoke ``connect_rillet`` directly."""
        return ask(self.system, self.name, action)

    def status(self) -> Json:
        return self.ask("status")

    def disconnect(self) -> Json:
        return self.ask("disconnect")

    def start(self) -> str:
        """The one-time URL."""
        url: str = self.ask()["authorisation_url"]
        return url

    def grant(self, decision: str = "grant", organisation: Organisation | None = None) -> str:
        """Decide at Rillet; returns the URL of the callback, which is not opened yet."""
        return self.oauth.grant(self.start(), organisation or self.organisation, decision)

    def connect(self) -> requests.Response:
        """Authorise the connection from beginning to end."""
        return open_page(self.grant())

    def connected(self) -> Self:
        """Authorise the connection, and assert that it worked."""
        page = self.connect()
        assert page.status_code == 200, page.text
        return self

    @property
    def secret(self) -> Json:
        """Rillet's secret as it is now."""
        return secret(self.system, f"{self.name}/rillet")

    def put_secret(self, vendor: str, value: Mapping[str, str]) -> None:
        self.system.put_secret(self.name, vendor, value)

    def add_to_secret(self, vendor: str, **more: str) -> None:
        """Add to a secret what a person adds in the console."""
        self.put_secret(vendor, {**secret(self.system, f"{self.name}/{vendor}"), **more})

    @property
    def stored(self) -> Json:
        """All secrets, parameters and items of the table but the log of requests to Rillet."""
        return {
            "secrets": all_secrets(self.system),
            "parameters": all_parameters(self.system),
            "table": ledger_without_rate_limit(self.system),
        }

    def advance(self, seconds: float) -> None:
        self.system.advance(seconds)

    def settle(self) -> None:
        """Deliver Solvimon's webhooks and process all queues."""
        self.system.settle()

    def pass_time(self, times: int, seconds: float) -> None:
        """Let time pass in steps, and process the queues after each."""
        for _ in range(times):
            self.advance(seconds)
            self.settle()

    def finalise(self, *invoice_ids: str) -> None:
        """Finalise invoices, so that their messages are on the queue."""
        finalise(self.system, self, *invoice_ids)

    def finish(self) -> None:
        """Let time pass until the queue of ``export_invoice`` is empty."""
        until(self.system, lambda: self.waiting == 0)

    def rillet_invoices(self, invoice_id: str | None = None) -> list[Json]:
        """The invoices in Rillet, or those that refer to a Solvimon invoice."""
        return rillet_invoices(self, invoice_id)

    @property
    def waiting(self) -> int:
        """How many messages are on the queue of ``export_invoice``."""
        return waiting(self.system).total

    @property
    def dead(self) -> list[str]:
        """The messages in the dead-letter queue of ``export_invoice``."""
        return dead_letters(self.system)

    @property
    def refreshes(self) -> tuple[int, int]:
        """How often Rillet refreshed, and how often it was sent a used refresh token."""
        counts = self.oauth.counts
        return counts.refreshes, counts.reuses

    def process(self) -> Services:
        """The services of one more process of ``export_invoice``."""
        environment = self.system.deployment.functions["export_invoice"].environment
        services = Services(environment, self.system.clock.now)
        _ = services.configuration, services.table  # boto3 cannot make clients in two threads at once
        return services

    def next_token(self) -> str:
        """The access token that a new process would send now."""
        return access_token(self.process())


def add_connection(
    system: LocalSystem,
    name: str = ACME,
    trade_name: str = "Acme Inc.",
    *,
    records: bool = False,
    **settings: object,
) -> OAuthConnection:
    """A connection with an organisation of its own, that nobody has authorised yet.

    Args:
        system: the local system.
        name: the connection's.
        trade_name: the organisation's.
        records: both sides hold the demo's records, so that there is something to export.
        settings: of the connection.
    """
    solvimon, seed = None, Json()
    if records:
        settings = {"fallback_products": sample_data.fallback_products(), **settings}
        solvimon, seed = sample_data.solvimon_seed(), sample_data.rillet_seed()
    organization = {**seed.get("organization", {}), "id": f"org-{name}", "trade_name": trade_name}
    rillet = {**seed, "organization": organization}
    made = system.connect(name, settings, auth="oauth", solvimon=solvimon, rillet=rillet)
    return OAuthConnection(**vars(made), system=system)


def missing(answer: Json) -> list[str]:
    """The lines of a checklist for which the connection is not ready."""
    return [line["check"] for line in answer["checklist"] if not line["ok"] and line["blocking"]]


def with_webhook_token(system: LocalSystem, name: str = "default") -> None:
    """Add what Rillet signs its webhooks with, so that no line about webhooks is open."""
    token = {"webhook_token": "from-rillet-0123"}
    system.put_secret(name, "webhooks", {**secret(system, f"{name}/webhooks"), **token})


def without_client_secret(system: LocalSystem) -> None:
    """Make ours a public client of Rillet, which has no secret."""
    oauth(system).add_client(STACK, None, redirect_uris=[system.deployment.outputs["OAuthRedirectUri"]])
    system.configuration.put_secret("rillet-oauth-client", {"client_id": STACK})


def secret(system: LocalSystem, name: str) -> Json:
    """A secret as it is now."""
    text = system.aws.secretsmanager.get_secret_value(SecretId=f"{STACK}/{name}")["SecretString"]
    value: Json = json.loads(text)
    return value


def all_secrets(system: LocalSystem) -> dict[str, str]:
    """Every secret by its name."""
    manager = system.aws.secretsmanager
    names = [
        found["Name"]
        for page in manager.get_paginator("list_secrets").paginate()
        for found in page["SecretList"]
    ]
    return {name: manager.get_secret_value(SecretId=name)["SecretString"] for name in sorted(names)}


def all_parameters(system: LocalSystem) -> dict[str, str]:
    """Every parameter of the stack by its name."""
    pages = system.aws.ssm.get_paginator("get_parameters_by_path").paginate(
        Path=f"/{STACK}/", Recursive=True, WithDecryption=True
    )
    return {found["Name"]: found["Value"] for page in pages for found in page["Parameters"]}


def states(system: LocalSystem) -> list[Json]:
    """The one-time states that are not used yet."""
    return [item for item in system.ledger() if "#oauth-state#" in item["pk"]]


def check(answer: Json, name: str) -> Json:
    """A line of the checklist."""
    [line] = [line for line in answer["checklist"] if line["check"] == name]
    return dict(line)


def access_token(services: Services, connection: str = ACME) -> str:
    """The access token that a process would send now."""
    settings = services.configuration.settings(connection)
    return services.connections.tokens(connection, settings).access_token()


def organisation_id(services: Services, connection: str = ACME) -> Callable[[], str]:
    """A call to Rillet, as a process makes it."""
    client = services.connections.rillet(connection, services.configuration.settings(connection))
    return lambda: client.organization().id


def hold_refresh_until_lease_is_wanted(
    monkeypatch: pytest.MonkeyPatch, competitor: threading.Thread | None = None
) -> None:
    """Let a refresh wait at Rillet until another worker finds the lease taken.

    Args:
        monkeypatch: pytest's.
        competitor: the other worker; started when the refresh has begun, if it does not run already.
    """
    wanted, refresh, take_lease = threading.Event(), RilletOAuth.refresh, RefreshLease.acquire

    def slow_refresh(self: RilletOAuth, token: str) -> Grant:
        if competitor:
            competitor.start()
        assert wanted.wait(10)
        return refresh(self, token)

    def take(self: RefreshLease, owner: str) -> bool:
        taken = take_lease(self, owner)
        if not taken:
            wanted.set()
        return taken

    monkeypatch.setattr(RilletOAuth, "refresh", slow_refresh)
    monkeypatch.setattr(RefreshLease, "acquire", take)
    monkeypatch.setattr(STEP_SECONDS, 0.005)
