"""Putting the parts together: what a function needs is built once, when it is first used."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from solvimon_rillet.books import Books
from solvimon_rillet.bus import Bus
from solvimon_rillet.configuration import Configuration, connection_name
from solvimon_rillet.dynamo import Table
from solvimon_rillet.http import Gate, Http, session
from solvimon_rillet.import_ledger import ImportLedger
from solvimon_rillet.ledger import Ledger
from solvimon_rillet.pacing import Budget, Pacer, Priority
from solvimon_rillet.queues import Queue
from solvimon_rillet.reports import ReportBucket, Topic
from solvimon_rillet.rillet.client import API_VERSION, RilletClient
from solvimon_rillet.rillet.oauth import RilletOAuth
from solvimon_rillet.settings import Pacing, Settings
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.sweep_ledger import SweepLedger
from solvimon_rillet.tokens import Tokens
from solvimon_rillet.turns import TurnTable
from solvimon_rillet.workflows.connect_rillet import ConnectRillet, client_of
from solvimon_rillet.workflows.connection_status import ConnectionStatus
from solvimon_rillet.workflows.export_credit_memo import ExportCreditMemo
from solvimon_rillet.workflows.export_invoice import ExportInvoice
from solvimon_rillet.workflows.import_kind import Kind
from solvimon_rillet.workflows.import_run import CountedGate, Parts
from solvimon_rillet.workflows.mark_invoice_paid import MarkInvoicePaid
from solvimon_rillet.workflows.reconcile_run import Parts as ReconcileParts
from solvimon_rillet.workflows.results import Result
from solvimon_rillet.workflows.sweep import Sweep, parts_of
from solvimon_rillet.workflows.sweep_parts import Tools
from solvimon_rillet.workflows.sync_customer import SyncCustomer

if TYPE_CHECKING:
    import requests

Count = Callable[[str, str], None]


class Runtime:
    """The collaborators of one function, from its environment.

    Args:
        environment: what the template sets, such as ``STACK``, ``LEDGER_TABLE`` and ``QUEUE_URL``.
        clock: unix seconds; tests pass their own.
        count: notes a metric of a connection.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        clock: Callable[[], float] = time.time,
        count: Count = lambda _name, _connection: None,
    ) -> None:
        self._environment = environment
        self._count = count
        self._lock = threading.Lock()
        self._tokens: dict[str, Tokens] = {}
        self._pacers: dict[tuple[str, Priority, Pacing], Pacer] = {}
        self.clock = clock

    @cached_property
    def configuration(self) -> Configuration:
        """Settings and secrets of the connections."""
        ssm, secrets = aws("ssm"), aws("secretsmanager")
        return Configuration(self._environment["STACK"], ssm, secrets, self.clock, self._count)

    @cached_property
    def bus(self) -> Bus:
        """The event bus."""
        return Bus(self._environment["EVENT_BUS"], aws("events"))

    @cached_property
    def reports(self) -> ReportBucket:
        """The bucket of reports."""
        return ReportBucket(self._environment["REPORT_BUCKET"], aws("s3"))

    @cached_property
    def topic(self) -> Topic:
        """The topic of alarms and summaries."""
        return Topic(self._environment["ALARM_TOPIC"], aws("sns"))

    @cached_property
    def table(self) -> Table:
        """The one table."""
        return Table(self._environment["LEDGER_TABLE"], aws("dynamodb"))

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of all connections."""
        return Ledger(self.table, self.clock)

    @cached_property
    def queue(self) -> Queue:
        """The function's own queue."""
        return Queue(self._environment["QUEUE_URL"], aws("sqs"), self.clock)

    @cached_property
    def _sessions(self) -> "Mapping[str, requests.Session]":
        # Rillet's calls are counted, so none is repeated behind the back of whoever counts them.
        return {"solvimon": session(get_retries=2), "rillet": session(get_retries=0)}

    def export_invoice(self, connection: object, priority: Priority = Priority.LIVE) -> ExportInvoice:
        """The workflow for a connection, with the settings that are in force now.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read, or Rillet's budget is used up for the moment.
        """
        name = connection_name(connection)
        settings = self.configuration.settings(name)
        pacer = self.pacer(name, settings, priority)
        pacer.look_ahead()
        solvimon, rillet = self.solvimon(name, settings), self.rillet(name, settings, pacer)
        books = Books(name, self.table, rillet, self.clock)
        return ExportInvoice(name, settings, self.ledger, solvimon, rillet, books, self.clock)

    def export_credit_memo(self, connection: object, priority: Priority = Priority.LIVE) -> ExportCreditMemo:
        """The workflow for a connection, with the settings that are in force now.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read, or Rillet's budget is used up for the moment.
        """
        name = connection_name(connection)
        settings = self.configuration.settings(name)
        pacer = self.pacer(name, settings, priority)
        pacer.look_ahead()
        solvimon, rillet = self.solvimon(name, settings), self.rillet(name, settings, pacer)
        books = Books(name, self.table, rillet, self.clock)
        invoices = ExportInvoice(name, settings, self.ledger, solvimon, rillet, books, self.clock)

        def original(invoice_id: str) -> Result:
            return invoices.run(invoice_id, run_id())

        return ExportCreditMemo(name, settings, self.ledger, solvimon, rillet, books, self.clock, original)

    def import_parts(self, kind: Kind, connection: object) -> tuple[Parts, CountedGate]:
        """What an import of a connection works with, as its settings are now, and the count of its calls.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
        """
        name = connection_name(connection)
        settings = self.configuration.settings(name)
        gate = CountedGate(self.pacer(name, settings, Priority.BULK))
        ledger = ImportLedger(name, kind.name, self.table, self.clock)
        parts = Parts(settings, self.solvimon(name, settings), self.rillet(name, settings, gate), ledger)
        return parts, gate

    def reconcile_parts(self, connection: object) -> tuple[ReconcileParts, CountedGate]:
        """What a reconciliation of a connection works with, and the count of its calls.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
        """
        name = connection_name(connection)
        settings = self.configuration.settings(name)
        gate = CountedGate(self.pacer(name, settings, Priority.BULK))
        solvimon, rillet = self.solvimon(name, settings), self.rillet(name, settings, gate)
        parts = ReconcileParts(
            name, settings, self.ledger, solvimon, rillet, self.reports, self.bus, self.topic
        )
        return parts, gate

    def sync_customer(self, connection: object, priority: Priority = Priority.LIVE) -> SyncCustomer:
        """The workflow for a connection, with the settings that are in force now.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read, or Rillet's budget is used up for the moment.
        """
        name = connection_name(connection)
        settings = self.configuration.settings(name)
        pacer = self.pacer(name, settings, priority)
        pacer.look_ahead()
        solvimon, rillet = self.solvimon(name, settings), self.rillet(name, settings, pacer)
        return SyncCustomer(name, settings, self.ledger, solvimon, rillet, self.clock)

    def mark_invoice_paid(self, connection: object, priority: Priority = Priority.LIVE) -> MarkInvoicePaid:
        """The workflow for a connection, with the settings that are in force now.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
        """
        name = connection_name(connection)
        settings = self.configuration.settings(name)
        rillet = self.rillet(name, settings, self.pacer(name, settings, priority))
        return MarkInvoicePaid(name, settings, self.ledger, self.solvimon(name, settings), rillet, self.clock)

    def sweep(self, connection: object) -> Sweep:
        """The sweep of a connection, with the settings that are in force now.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
        """
        name = connection_name(connection)
        settings = self.configuration.settings(name)
        memory = SweepLedger(name, self.table, self.clock)
        tools = Tools(name, settings, self.ledger, memory, self.bus, self.clock)
        solvimon = self.solvimon(name, settings)
        rillet = self.rillet(name, settings, self.pacer(name, settings, Priority.BULK))

        def check_credentials() -> None:
            self.configuration.credential(name, "solvimon", "api_key")
            self.tokens(name, settings).bearer()

        return Sweep(tools, parts_of(tools, solvimon, rillet), check_credentials, self._count)

    def connect_rillet(self) -> ConnectRillet:
        """Authorisation of connections."""

        def rillet_for(name: str, settings: Settings, token: Callable[[], str]) -> RilletClient:
            gate = self.pacer(name, settings, Priority.LIVE)
            return self._rillet_client(settings, token, gate, None)

        return ConnectRillet(self.configuration, self.table, self.tokens, rillet_for, self.clock)

    def connection_status(self) -> ConnectionStatus:
        """How connections stand."""
        return ConnectionStatus(self.configuration, self.tokens, self.solvimon, self.rillet)

    def tokens(self, connection: str, settings: Settings) -> Tokens:
        """The tokens of a connection, one object per connection and process."""
        with self._lock:
            if connection not in self._tokens:

                def oauth() -> RilletOAuth:
                    now = self.configuration.settings(connection)  # whatever they were when this was made
                    return RilletOAuth(client_of(self.configuration), now.rillet)

                self._tokens[connection] = Tokens(
                    connection, self.configuration, self.table, oauth, self.clock
                )
            return self._tokens[connection]

    def pacer(self, connection: str, settings: Settings, priority: Priority) -> Pacer:
        """The pacer of a connection's calls, one object per priority and process."""
        key = (connection, priority, settings.rillet.pacing)
        with self._lock:
            if key not in self._pacers:
                pacing = settings.rillet.pacing
                budget = Budget(pacing.requests, pacing.window_seconds + pacing.margin_seconds)
                self._pacers[key] = Pacer(
                    connection, TurnTable(self.table), budget, priority, self.clock, count=self._count
                )
            return self._pacers[key]

    def solvimon(self, connection: str, settings: Settings) -> SolvimonClient:
        """A client of the connection's Solvimon platform."""
        platform = settings.solvimon.platform_id

        def headers() -> Mapping[str, str]:
            key = self.configuration.credential(connection, "solvimon", "api_key")
            return {"X-API-KEY": key, **({"x-platform-id": platform} if platform else {})}

        def renew(refused: Mapping[str, str]) -> bool:
            self.configuration.forget_secret(connection, "solvimon")
            return self.configuration.credential(connection, "solvimon", "api_key") != refused["X-API-KEY"]

        base_url, http = settings.solvimon.base_url, self._sessions["solvimon"]
        return SolvimonClient(Http("Solvimon", base_url, headers, http, "X-REQUEST-ID", renew=renew))

    def rillet(self, connection: str, settings: Settings, gate: Gate | None = None) -> RilletClient:
        """A client of the connection's Rillet organisation."""
        tokens = self.tokens(connection, settings)

        def renew(refused: Mapping[str, str]) -> bool:
            return tokens.renew(refused["Authorization"].removeprefix("Bearer "))

        gate = gate or self.pacer(connection, settings, Priority.LIVE)
        return self._rillet_client(settings, tokens.bearer, gate, renew)

    def _rillet_client(
        self,
        settings: Settings,
        token: Callable[[], str],
        gate: Gate,
        renew: Callable[[Mapping[str, str]], bool] | None,
    ) -> RilletClient:
        def headers() -> Mapping[str, str]:
            return {"Authorization": f"Bearer {token()}", "X-Rillet-API-Version": API_VERSION}

        base_url, http = settings.rillet.base_url, self._sessions["rillet"]
        return RilletClient(Http("Rillet", base_url, headers, http, gate=gate, renew=renew))


def aws(service: str) -> Any:  # noqa: ANN401 - the client's type is the service's
    """A client of an AWS service that gives up while the function still has time to hand its message back.

    Three attempts of 6 seconds stay below the 25 seconds that a document is given (``inbox``); boto3's own
    defaults would wait for minutes.
    """
    config = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 3, "mode": "standard"})
    return boto3.client(service, config=config)  # type: ignore[call-overload]


def run_id() -> str:
    """A name for one run, under which it holds leases."""
    return uuid.uuid4().hex
