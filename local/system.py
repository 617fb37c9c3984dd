"""The whole system on one machine: AWS with `template.yaml` deployed, and fakes of Solvimon and Rillet."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import requests
from moto.events.models import Archive, events_backends
from moto.s3.models import s3_backends

import local.aws.dynamodb_speedups
import local.aws.moto_speedups  # noqa: F401 - makes moto quicker
from local.aws.deployment import deploy
from local.aws.lambda_api import LambdaApi
from local.aws.pollers import BatchDelivery, Pollers
from local.aws.queues import QueueView, queues_follow, start_move_task
from local.aws.runtime import LambdaRuntime
from local.aws.server import ACCOUNT, REGION, AwsServer, OwnAnswer, environment, shared_aws
from local.aws.stack_contents import StackConfiguration, TableView
from local.connections import ConnectedVendors
from local.connections import Connection as Connection
from local.fake_solvimon import Delivery as WebhookDelivery

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
_CONSENT_TIMEOUT = 30


@dataclass(frozen=True)
class Ports:
    """Where the parts of a local system listen on loopback; 0 takes a free port."""

    aws: int = 0
    api: int = 0
    solvimon: int = 0
    rillet: int = 0


_FREE = Ports()


class LocalSystem(ConnectedVendors):
    """The whole system, as a context manager.

    Nothing happens automatically: webhooks are delivered and queues are worked off on request (`settle`),
    or all the time between `start_workers` and `stop_workers`. `advance` moves the clock of the fakes, the
    functions and the queues alike.

    Args:
        root: folder of `template.yaml`.
        stack: name of the CloudFormation stack; every running one of a process needs its own.
        parameters: values of the template's parameters; the others keep their defaults.
        quiet: the functions write neither logs nor metrics, so that a demo's output can be read.
        ports: where it listens. AWS listens where the first system of the process let it.
    """

    def __init__(
        self,
        root: Path = ROOT,
        *,
        stack: str = "solvimon-rillet",
        parameters: Mapping[str, str] | None = None,
        quiet: bool = False,
        ports: Ports = _FREE,
    ) -> None:
        super().__init__(stack)
        self.clock.due_work += [self.solvimon.state.late_calls, self.rillet.state.late_calls]
        self.aws: AwsServer
        self.runtime: LambdaRuntime
        self.lambda_api: LambdaApi
        self.pollers: Pollers
        self._root = root
        # The template offers no level that would silence the metrics of a real stack.
        local: dict[str, str] = {"VendorHosts": "127.0.0.1", **({"LogLevel": "CRITICAL"} if quiet else {})}
        self._parameters = {**local, **(parameters or {})}
        self._quiet = quiet
        self._ports = ports
        self._own_answers: tuple[tuple[str, OwnAnswer], ...] = ()
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            if self._quiet:
                undo.enter_context(environment({"POWERTOOLS_METRICS_DISABLED": "true"}))
            self.aws = undo.enter_context(shared_aws(self._ports.aws))
            parts = (self.gateway, "api"), (self.rillet, "rillet"), (self.solvimon, "solvimon")
            for part, name in parts:
                part.start(getattr(self._ports, name))
                undo.callback(part.stop)
            undo.enter_context(queues_follow(self.clock.now))
            self._deploy()
            undo.callback(self._delete)
            self._exit = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def authorise(self, connection: str = "default") -> str:
        """Authorise a connection as an operator does in the browser.

        Returns:
            The last page.

        Raises:
            KeyError: connect_rillet gave no URL.
            requests.HTTPError: Rillet does not show the consent page.
        """
        url = self.invoke("connect_rillet", {"connection": connection})["authorisation_url"]
        requests.get(url, timeout=_CONSENT_TIMEOUT).raise_for_status()
        decision = {"organisation": self.connections[connection].organisation.id, "decision": "grant"}
        # Rillet sends the browser back to the gateway, and `requests` follows like a browser.
        return requests.post(url, data=decision, timeout=_CONSENT_TIMEOUT).text

    def invoke(self, function: str, event: Json) -> Any:  # noqa: ANN401 - the function's JSON
        """Invoke a function directly, as the console does, and return its answer.

        A durable function is invoked asynchronously, as Lambda demands, and runs to its end; where it waits,
        the clock jumps for the whole system.

        Args:
            function: name of the workflow, such as `export_invoice`.
            event: the event.

        Raises:
            Exception: whatever the function raises.
        """
        return self.runtime.run(function, event)

    def deliver_webhooks(self) -> list[WebhookDelivery]:
        """Let Solvimon send every webhook that is due, and return its attempts."""
        return [attempt for each in self.solvimon.state.platforms for attempt in each.deliver_webhooks()]

    def deliver(self, function: str = "export_invoice", rounds: int = 1000) -> list[BatchDelivery]:
        """Let a function work off its queue until no message is visible, at most `rounds` batches."""
        return self.pollers.deliver(function, rounds)

    def settle(self) -> list[BatchDelivery]:
        """Deliver webhooks and work off all queues until nothing more is due now.

        What is due later (a delay, a retry of a webhook) keeps waiting; see `advance`.
        """
        deliveries: list[BatchDelivery] = []
        while True:
            attempts = self.deliver_webhooks()
            batches = [batch for function in self.pollers.queues for batch in self.deliver(function)]
            deliveries += batches
            if not attempts and not batches:
                return deliveries

    def advance(self, seconds: float) -> None:
        """Move the clock of the fakes, the functions and the queues.

        It stands still at each moment at which a vendor carries out a call whose caller gave up.
        """
        self.clock.advance(seconds)

    def start_workers(self, workers: int | None = None) -> None:
        """Work off the queues in the background, with at most `workers` batches of a queue at once."""
        self.pollers.start(workers)

    def stop_workers(self) -> None:
        """Stop the background work after the batches under way."""
        self.pollers.stop()

    def ledger(self) -> list[Json]:
        """Return all items of the ledger, in plain Python types."""
        return self.ledger_table.items()

    def ledger_item(self, pk: str, sk: str) -> Json | None:
        """Return one item of the ledger in plain Python types, or None."""
        return self.ledger_table.item(pk, sk)

    def bus_events(self) -> list[Json]:
        """Return every event that reached the bus, oldest first, as the archive keeps it."""
        return [dict(event) for event in self._archive.events]

    def reset(self) -> None:
        """Restore the state after the deployment; the clock keeps its time."""
        self.stop_workers()
        self.lambda_api.wait()
        self.runtime.reset()
        self.solvimon.state.reset()
        self.rillet.state.reset()
        queues, dead_letters = self.pollers.queues.values(), self.pollers.dead_letters.values()
        for queue in (*queues, *dead_letters, *self._dead_letters_of_functions):
            queue.clear()
        self.ledger_table.clear()
        if panel := self.deployment.resources.get("PanelTable"):
            TableView(self.aws, panel).clear()
        with self.aws.lock:
            s3_backends[ACCOUNT]["aws"].buckets[self.deployment.outputs["ReportBucketName"]].keys.clear()
            self._archive.events.clear()
        self.configuration.restore()
        self.connections.clear()
        self.pollers.errors.clear()

    @property
    def _dead_letters_of_functions(self) -> list[QueueView]:
        urls = {function.dead_letters_url for function in self.deployment.functions.values()} - {""}
        return [QueueView(self.aws, url) for url in urls]

    @property
    def _archive(self) -> Archive:
        name = self.deployment.outputs["EventArchiveArn"].rpartition("/")[2]
        return events_backends[ACCOUNT][REGION].archives[name]

    @property
    def ledger_table(self) -> TableView:
        """The ledger's table."""
        return TableView(self.aws, self.deployment.outputs["LedgerTableName"])

    def _deploy(self) -> None:
        self.deployment = deploy(
            self.aws,
            self._root / "template.yaml",
            stack=self._stack,
            api_url=self.gateway.url,
            parameters=self._parameters,
        )
        functions, layers = self.deployment.functions, self.deployment.layers
        self.runtime = LambdaRuntime(functions, layers, self.clock)
        self.lambda_api = LambdaApi(self.runtime)
        self._own_answers = (("lambda", self.lambda_api.answer), ("sqs", partial(start_move_task, self.aws)))
        self.aws.own_answers.extend(self._own_answers)
        self.pollers = Pollers(self.aws, self.runtime, self.deployment.queues)
        self.gateway.route(self.deployment.routes, self.runtime)
        self.configuration = StackConfiguration(self.aws, self._stack)

    def _delete(self) -> None:
        self.reset()
        for own in self._own_answers:
            self.aws.own_answers.remove(own)
        self.aws.cloudformation.delete_stack(StackName=self._stack)
