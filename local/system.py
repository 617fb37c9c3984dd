"""The whole system on one machine: AWS with `template.yaml` deployed, Solvimon and Rillet beside it."""

import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import requests
from moto.events.models import Archive, events_backends
from moto.s3.models import s3_backends

import local.aws.moto_speedups  # noqa: F401 - makes moto quicker
from local.aws.configuration import Configuration
from local.aws.deployment import Deployment, deploy
from local.aws.gateway import Gateway
from local.aws.pollers import Delivery, Pollers
from local.aws.queues import queues_follow
from local.aws.runtime import LambdaRuntime
from local.aws.server import ACCOUNT, REGION, AwsServer, environment, shared_aws
from local.aws.table_snapshot import TableView
from local.clock import Clock
from local.fake_rillet import FakeRillet
from local.fake_rillet.organisation import Organisation
from local.fake_solvimon import Delivery as WebhookDelivery
from local.fake_solvimon import FakeSolvimon, Platform

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
REFERENCE_TYPES = ["solvimon_invoice_id", "solvimon_customer_id"]
"""External reference types that a person makes in Rillet before the first invoice."""
_SECONDS = 30


@dataclass(frozen=True)
class Connection:
    """A Solvimon platform paired with a Rillet organisation, and what opens their doors.

    The Rillet key opens the organisation in any case; with OAuth the functions do not know it.
    """

    name: str
    platform: Platform
    organisation: Organisation
    solvimon_api_key: str
    rillet_api_key: str
    webhook_secret: str
    webhook_url: str
    settings: Json


class LocalSystem:
    """Everything together, as a context manager.

    Nothing happens by itself: webhooks are delivered and queues are worked off when a test or the demo
    says so (`settle`), or all the time between `start_workers` and `stop_workers`. Time passes when
    `advance` says so, for the fakes, the functions and the queues alike.

    Args:
        root: folder of `template.yaml`.
        stack: name of the CloudFormation stack; every running one of a process needs its own.
        parameters: values of the template's parameters; the others keep their defaults.
        quiet: the functions write neither logs nor metrics, so that a demo's output can be read.
    """

    def __init__(
        self,
        root: Path = ROOT,
        *,
        stack: str = "solvimon-rillet",
        parameters: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> None:
        self.clock = Clock()
        self.gateway = Gateway()
        self.rillet = FakeRillet(clock=self.clock.now)
        self.solvimon = FakeSolvimon(clock=self.clock.now)
        self.connections: dict[str, Connection] = {}
        self.aws: AwsServer
        self.configuration: Configuration
        self.deployment: Deployment
        self.runtime: LambdaRuntime
        self.pollers: Pollers
        self._root = root
        self._stack = stack
        # The template offers no level that would silence the metrics of a real stack.
        self._parameters = {**({"LogLevel": "CRITICAL"} if quiet else {}), **(parameters or {})}
        self._quiet = quiet
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            if self._quiet:
                undo.enter_context(environment({"POWERTOOLS_METRICS_DISABLED": "true"}))
            self.aws = undo.enter_context(shared_aws())
            for part in (self.gateway, self.rillet, self.solvimon):
                part.start()
                undo.callback(part.stop)
            undo.enter_context(queues_follow(self.clock.now))
            self._deploy()
            undo.callback(self._delete)
            self._exit = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def connect(
        self,
        connection: str = "default",
        settings: Json | None = None,
        *,
        auth: Literal["api_key", "oauth"] = "api_key",
        solvimon: Mapping[str, list[Json]] | None = None,
        rillet: Json | None = None,
    ) -> Connection:
        """Do what a person does to set up a connection, on both sides and in AWS.

        Args:
            connection: its name.
            settings: the connection's settings; where the vendors are is added.
            auth: how the functions get into Rillet. With `oauth` they are given no key, and the deployment
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
        merged = self._with_base_urls(settings or {})
        self.put_secret(connection, "solvimon", {"api_key": solvimon_key, "webhook_secret": webhook_secret})
        if auth == "api_key":
            self.put_secret(connection, "rillet", {"auth": "api_key", "api_key": rillet_key})
        else:
            self._register_oauth_client()
        self.put_settings(connection, merged)
        made = Connection(
            name=connection,
            platform=platform,
            organisation=organisation,
            solvimon_api_key=solvimon_key,
            rillet_api_key=rillet_key,
            webhook_secret=webhook_secret,
            webhook_url=webhook_url,
            settings=merged,
        )
        self.connections[connection] = made
        return made

    def authorise(self, connection: str = "default") -> str:
        """Do what a person does to authorise a connection in the browser.

        Returns:
            The page on which they end.

        Raises:
            KeyError: connect_rillet gave no URL.
            requests.HTTPError: Rillet does not even ask for consent.
        """
        url = self.invoke("connect_rillet", {"connection": connection})["authorisation_url"]
        requests.get(url, timeout=_SECONDS).raise_for_status()
        organisation = self.connections[connection].organisation
        decision = {"organisation": organisation.id, "decision": "grant"}
        # Rillet sends the browser back to the gateway, and `requests` follows like a browser.
        return requests.post(url, data=decision, timeout=_SECONDS).text

    def put_secret(self, connection: str, vendor: str, value: Mapping[str, str]) -> None:
        """Write a secret (`solvimon` or `rillet`); functions may know the old one for a while."""
        self.configuration.put_secret(f"{connection}/{vendor}", value)

    def put_settings(self, connection: str, settings: Json | str) -> None:
        """Write the settings as they are; functions may know the old ones for a while."""
        self.configuration.put_settings(connection, settings)

    def invoke(self, function: str, event: Json) -> Any:  # noqa: ANN401 - the function's JSON
        """Invoke a function directly, as the console does, and return its answer.

        A durable function runs to its end; where it waits, time passes for everybody at once.

        Args:
            function: name of the workflow, such as `export_invoice`.
            event: the event.

        Raises:
            Exception: whatever the function raises.
        """
        return self.runtime.invoke(function, event)

    def deliver_webhooks(self) -> list[WebhookDelivery]:
        """Let Solvimon send every webhook that is due, and return its attempts."""
        platforms = self.solvimon.state.platforms
        return [attempt for platform in platforms for attempt in platform.deliver_webhooks()]

    def deliver(self, function: str = "export_invoice", rounds: int = 1000) -> list[Delivery]:
        """Let a function work off its queue until nothing is visible, at most `rounds` batches."""
        return self.pollers.deliver(function, rounds)

    def settle(self) -> list[Delivery]:
        """Deliver webhooks and work off all queues until nothing is left to do at this moment.

        What waits for a later moment (a delay, a retry of a webhook) keeps waiting; see `advance`.
        """
        deliveries: list[Delivery] = []
        while True:
            attempts = self.deliver_webhooks()
            batches = [batch for function in self.pollers.queues for batch in self.deliver(function)]
            deliveries += batches
            if not attempts and not batches:
                return deliveries

    def advance(self, seconds: float) -> None:
        """Let time pass for the fakes, the functions and the queues."""
        self.clock.advance(seconds)

    def start_workers(self, workers: int | None = None) -> None:
        """Work off the queues in the background, with at most `workers` batches of a queue at once."""
        self.pollers.start(workers)

    def stop_workers(self) -> None:
        """Stop the background work after the batches under way."""
        self.pollers.stop()

    def ledger(self) -> list[Json]:
        """Return all items of the ledger, in plain Python types."""
        return self._table.items()

    def ledger_item(self, pk: str, sk: str) -> Json | None:
        """Return one item of the ledger in plain Python types, or None."""
        return self._table.item(pk, sk)

    def bus_events(self) -> list[Json]:
        """Return every event that reached the bus, oldest first, as the archive keeps it."""
        return [dict(event) for event in self._archive.events]

    def urls(self) -> dict[str, str]:
        """Return where everything listens."""
        return {
            "AWS endpoint": self.aws.url,
            "HTTP API": self.gateway.url,
            "Solvimon": self.solvimon.url,
            "Rillet": self.rillet.url,
        }

    def reset(self) -> None:
        """Go back to the moment after the deployment, but for the clock: it keeps its time."""
        self.stop_workers()
        self.solvimon.state.reset()
        self.rillet.state.reset()
        for queue in (*self.pollers.queues.values(), *self.pollers.dead_letters.values()):
            queue.clear()
        self._table.clear()
        self._empty_bucket()
        with self.aws.lock:
            self._archive.events.clear()
        self.configuration.restore()
        self.connections.clear()
        self.pollers.errors.clear()
        self.runtime.reset()

    @property
    def _archive(self) -> Archive:
        name = self.deployment.outputs["EventArchiveArn"].rpartition("/")[2]
        return events_backends[ACCOUNT][REGION].archives[name]

    @property
    def _table(self) -> TableView:
        return TableView(self.aws, self.deployment.outputs["LedgerTableName"])

    def _deploy(self) -> None:
        self.deployment = deploy(
            self.aws,
            self._root / "template.yaml",
            stack=self._stack,
            api_url=self.gateway.url,
            parameters=self._parameters,
        )
        self.runtime = LambdaRuntime(
            self.deployment.functions, self.deployment.layers, self.clock.now, self.clock.advance
        )
        self.pollers = Pollers(self.aws, self.runtime, self.deployment.queues)
        self.gateway.route(self.deployment.routes, self.runtime)
        self.configuration = Configuration(self.aws, self._stack)

    def _empty_bucket(self) -> None:
        bucket = self.deployment.outputs["ReportBucketName"]
        with self.aws.lock:
            s3_backends[ACCOUNT]["aws"].buckets[bucket].keys.clear()

    def _delete(self) -> None:
        self.reset()
        self.aws.cloudformation.delete_stack(StackName=self._stack)

    def _register_oauth_client(self) -> None:
        """Register the deployment at Rillet, once, and fill in the secret that is there for it."""
        server, client = self.rillet.state.oauth, self._stack
        if client not in server.clients:
            secret, back = secrets.token_urlsafe(32), self.deployment.outputs["OAuthRedirectUri"]
            server.add_client(client, secret, redirect_uris=[back])
            value = {"client_id": client, "client_secret": secret}
            self.configuration.put_secret("rillet-oauth-client", value)

    def _with_base_urls(self, settings: Json) -> Json:
        urls = {"solvimon": self.solvimon.url, "rillet": self.rillet.url}
        places = {vendor: {"base_url": url, **settings.get(vendor, {})} for vendor, url in urls.items()}
        return {**settings, **places}
