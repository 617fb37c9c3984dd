"""Putting the parts together: what a function needs is built once, when it is first used."""

import time
import uuid
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import boto3

from solvimon_rillet.bus import Bus
from solvimon_rillet.configuration import Configuration, connection_name
from solvimon_rillet.dynamo import Table
from solvimon_rillet.http import Http, session
from solvimon_rillet.ledger import Ledger
from solvimon_rillet.queues import Queue
from solvimon_rillet.rillet.client import API_VERSION, RilletClient
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.export_invoice import ExportInvoice

if TYPE_CHECKING:
    import requests


class Runtime:
    """The collaborators of one function, from its environment.

    Args:
        environment: ``STACK``, ``LEDGER_TABLE``, ``EVENT_BUS`` and ``QUEUE_URL``, as the template sets them.
        clock: unix seconds; tests pass their own.
    """

    def __init__(self, environment: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self._environment = environment
        self.clock = clock

    @cached_property
    def configuration(self) -> Configuration:
        """Settings and secrets of the connections."""
        return Configuration(
            self._environment["STACK"], boto3.client("ssm"), boto3.client("secretsmanager"), self.clock
        )

    @cached_property
    def bus(self) -> Bus:
        """The event bus."""
        return Bus(self._environment["EVENT_BUS"], boto3.client("events"))

    @cached_property
    def table(self) -> Table:
        """The one table."""
        return Table(self._environment["LEDGER_TABLE"], boto3.client("dynamodb"))

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of all connections."""
        return Ledger(self.table, self.clock)

    @cached_property
    def queue(self) -> Queue:
        """The function's own queue."""
        return Queue(self._environment["QUEUE_URL"], boto3.client("sqs"), self.clock)

    @cached_property
    def _sessions(self) -> "Mapping[str, requests.Session]":
        # Rillet's calls are counted, so none is repeated behind the back of whoever counts them.
        return {"solvimon": session(get_retries=2), "rillet": session(get_retries=0)}

    def export_invoice(self, connection: object) -> ExportInvoice:
        """The workflow for a connection, with the settings that are in force now.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
        """
        name = connection_name(connection)
        settings = self.configuration.settings(name)
        return ExportInvoice(
            name,
            settings,
            self.ledger,
            self._solvimon(name, settings),
            self._rillet(name, settings),
            self.clock,
        )

    def _solvimon(self, connection: str, settings: Settings) -> SolvimonClient:
        platform = settings.solvimon.platform_id

        def headers() -> Mapping[str, str]:
            key = self.configuration.credential(connection, "solvimon", "api_key")
            return {"X-API-KEY": key, **({"x-platform-id": platform} if platform else {})}

        http = Http(
            "Solvimon", settings.solvimon.base_url, headers, self._sessions["solvimon"], "X-REQUEST-ID"
        )
        return SolvimonClient(http)

    def _rillet(self, connection: str, settings: Settings) -> RilletClient:
        def headers() -> Mapping[str, str]:
            key = self.configuration.credential(connection, "rillet", "api_key")
            return {"Authorization": f"Bearer {key}", "X-Rillet-API-Version": API_VERSION}

        return RilletClient(Http("Rillet", settings.rillet.base_url, headers, self._sessions["rillet"]))


def run_id() -> str:
    """A name for one run, under which it holds leases."""
    return uuid.uuid4().hex
